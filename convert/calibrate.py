"""Pictures that tell the converter which numbers occur: real ones where there are some, drawn ones always. Chosen by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.records import Luma, Quad
from edge.vision.image import letterbox, load_image
from edge.vision.quant import normalise
from edge.vision.rectify import reader_input
from train.data.formats.native import LabelledImage, read_folder
from train.data.reading import DrawnReads
from train.data.synth.plates import PlateArtist
from train.data.synth.scenes import SceneArtist

Array = npt.NDArray[np.float32]
SEED = 4


def calibration_set(kind: str, width: int, height: int, folders: Sequence[Path], real: int = 300, drawn: int = 100) -> Array:
    """(N, height, width, 1) float32. Real pictures take turns by source, so that a large source does not set the ranges alone."""
    rng = np.random.default_rng(SEED)
    images = [image for folder in folders for image in read_folder(folder) if image.crop == (kind == "reader") and (kind == "detector" or image.plates)]
    pictures = [_show(kind, image, width, height) for image in _take_turns(images, real, rng)]
    if kind == "reader":
        draw = DrawnReads(PlateArtist().draw)
        pictures += [draw(rng)[0] for _ in range(drawn)]
    else:
        scenes = SceneArtist()
        pictures += [scenes.draw(rng, (height, width))[0] for _ in range(drawn)]
    # Black and white as such: they pin the input's scale to 1/128, so that a luma value and its int8 number differ by 128 exactly.
    ends = np.zeros((height, width), np.uint8)
    ends[:, : width // 2] = 255
    return normalise(np.stack([*pictures, ends]))[..., None]


def _take_turns(images: Sequence[LabelledImage], number: int, rng: np.random.Generator) -> list[LabelledImage]:
    by_source: dict[str, list[LabelledImage]] = {}
    for image in images:
        by_source.setdefault(image.source, []).append(image)
    decks = [[members[place] for place in rng.permutation(len(members))] for _, members in sorted(by_source.items())]
    chosen: list[LabelledImage] = []
    while len(chosen) < number and any(decks):
        chosen += [deck.pop() for deck in decks if deck]
    return chosen[:number]


def _show(kind: str, image: LabelledImage, width: int, height: int) -> Luma:
    luma, _ = load_image(image.path)
    if kind == "detector":
        return letterbox(luma, width, height)[0]
    return reader_input(luma, Quad.from_box(image.plates[0].box), width, height)
