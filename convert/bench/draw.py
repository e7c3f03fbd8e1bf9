"""Draws the scenes on which every machine is measured: `python -m convert.bench.draw FOLDER`. They ship as pictures, so that all measure the same.

Taken is the first seed whose scene shows the wanted number of plates, and where the shipped bundles report and read just those: a benchmark with
four plates in view is to read four plates.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from edge.bench.scenes import COUNTS, HIGH, WIDE, file_name
from edge.errors import ImageError
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.records import Luma
from edge.vision.image import resize
from train.data.synth.scenes import SceneArtist, SceneTruth

QUALITY = 85
LARGEST = 0.25
"""A plate is at most so wide, as a share of the picture: a camera at a gate does not stand in front of the bumper."""


def draw_scenes(folder: Path) -> dict[int, int]:
    """Writes one JPEG of 1920x1080 for each count of plates; number of plates -> the seed that drew it."""
    artist, detector, reader = SceneArtist(), Detector.load(views=2), Reader.load(careful=False)
    seeds: dict[int, int] = {}
    seed = 0
    while len(seeds) < len(COUNTS):
        luma, truth = artist.draw(np.random.default_rng(seed), (HIGH, WIDE))
        if len(truth) in COUNTS and len(truth) not in seeds and _serves(luma, truth, detector, reader):
            seeds[len(truth)] = seed
            path = folder / file_name(len(truth))
            if not cv2.imwrite(str(path), luma, [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
                raise ImageError(f"{path}: cannot be written; name a folder that is there")
        seed += 1
    return seeds


def _serves(luma: Luma, truth: list[SceneTruth], detector: Detector, reader: Reader) -> bool:
    if any(np.ptp(plate.quad[:, 0]) > LARGEST * WIDE for plate in truth):
        return False
    for size in ((WIDE, HIGH), (1280, 720)):
        shown = resize(luma, *size)
        read = sorted(reader.read(shown, one.quad, one.lines).text for one in detector.detect(shown))
        if read != sorted(plate.text for plate in truth):
            return False
    return True


if __name__ == "__main__":
    print(draw_scenes(Path(sys.argv[1])))
