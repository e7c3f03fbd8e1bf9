"""Pictures that float and int8 are compared on: labelled photographs, or drawn ones that nobody has to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.records import Luma, Quad
from edge.vision.image import letterbox, load_image
from edge.vision.rectify import reader_input
from train.data.formats.native import DataError, LabelledImage, find_folders, read_folder
from train.data.synth.labelled import draw_crops, draw_scenes

Array = npt.NDArray[np.float32]
SEED = 11
"""Not the calibration's: what the ranges were chosen on says too little about them."""


def draw(kind: str, folder: Path, number: int) -> Path:
    """A labelled folder of drawn pictures for a "detector" or a "reader"."""
    return Path(draw_crops(folder, number, SEED) if kind == "reader" else draw_scenes(folder, number, SEED))


def choose(kind: str, folders: Sequence[Path], number: int) -> list[LabelledImage]:
    """At most `number` of the labelled pictures, sources by turns. Raises DataError when there is none for this kind of network."""
    images = [image for folder in find_folders(list(folders)) for image in read_folder(folder)]
    fitting = [image for image in images if (image.plates if kind == "reader" else not image.crop)]
    if not fitting:
        wanted = "labelled plate" if kind == "reader" else "whole photograph"
        raise DataError(f"{', '.join(map(str, folders))}: no {wanted} there, and this is a {kind}; name another folder with --data, or leave it out")
    by_source: dict[str, list[LabelledImage]] = {}
    for image in fitting:
        by_source.setdefault(image.source, []).append(image)
    rng = np.random.default_rng(SEED)
    decks = [[members[place] for place in rng.permutation(len(members))] for _, members in sorted(by_source.items())]
    chosen: list[LabelledImage] = []
    while len(chosen) < number and any(decks):
        chosen += [deck.pop() for deck in decks if deck]
    return chosen[:number]


def shown(kind: str, images: Sequence[LabelledImage], width: int, height: int) -> Iterator[Luma]:
    """What the network sees of each, (height, width) uint8: the picture letterboxed, or its first plate cut out as the device does it."""
    for image in images:
        luma, _ = load_image(image.path)
        if kind == "detector":
            yield letterbox(luma, width, height)[0]
        else:
            plate = image.plates[0]
            yield reader_input(luma, plate.quad or Quad.from_box(plate.box), width, height)
