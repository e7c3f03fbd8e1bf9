"""Pictures that tell the converter which numbers occur: real ones where there are some, drawn ones always. Chosen by a seed.

The rule: up to 300 real pictures that fit the kind of network, the sources taking turns in alphabetical order, each dealing from its own deck
shuffled once by the seed, until there are enough or all decks are empty; then 100 drawn ones from the same seed; then one of black and white.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.records import Luma, Quad
from edge.vision.image import letterbox, load_image
from edge.vision.quant import normalise
from edge.vision.rectify import reader_input
from train.data.formats.native import DataError, LabelledImage, read_folder
from train.data.reading import DrawnReads
from train.data.synth.plates import PlateArtist
from train.data.synth.scenes import SceneArtist

Array = npt.NDArray[np.float32]
SEED = 4
REAL, DRAWN = 300, 100


@dataclass(frozen=True, slots=True)
class Calibration:
    """`pictures` (N, height, width, 1) float32; `names` of the real ones, source/file, in the order in which they were dealt."""

    pictures: Array
    names: tuple[str, ...]
    drawn: int

    def as_json(self) -> dict[str, Any]:
        """For the record beside the file that was made from them."""
        by_source = Counter(name.split("/", 1)[0] for name in self.names)
        return {
            "seed": SEED,
            "pictures": dict(sorted(by_source.items())) | {"drawn": self.drawn, "black and white": 1},
            "chosen_sha256": hashlib.sha256("\n".join(self.names).encode()).hexdigest(),
            "pictures_sha256": hashlib.sha256(self.pictures.tobytes()).hexdigest(),
        }


def calibration_set(kind: str, width: int, height: int, folders: Sequence[Path], real: int = REAL, drawn: int = DRAWN) -> Array:
    """(N, height, width, 1) float32."""
    return choose(kind, width, height, folders, real, drawn).pictures


def choose(kind: str, width: int, height: int, folders: Sequence[Path], real: int = REAL, drawn: int = DRAWN) -> Calibration:
    """By the rule above. Raises DataError when folders are named and no picture there fits, ImageError for a picture that cannot be read."""
    rng = np.random.default_rng(SEED)
    images = [image for folder in folders for image in read_folder(folder) if image.crop == (kind == "reader") and (kind == "detector" or image.plates)]
    if folders and not images:
        wanted = "cut-out plates" if kind == "reader" else "whole photographs"
        raise DataError(f"{', '.join(map(str, folders))}: none of the {wanted} that a {kind} is calibrated on; name others with --data")
    dealt = _take_turns(images, real, rng)
    pictures = [_show(kind, image, width, height) for image in dealt]
    if kind == "reader":
        draw = DrawnReads(PlateArtist().draw)
        pictures += [draw(rng)[0] for _ in range(drawn)]
    else:
        scenes = SceneArtist()
        pictures += [scenes.draw(rng, (height, width))[0] for _ in range(drawn)]
    # Black and white as such: they pin the input's scale to 1/128, so that a luma value and its int8 number differ by 128 exactly.
    ends = np.zeros((height, width), np.uint8)
    ends[:, : width // 2] = 255
    names = tuple(f"{image.source}/{image.path.name}" for image in dealt)
    return Calibration(normalise(np.stack([*pictures, ends]))[..., None], names, drawn)


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
