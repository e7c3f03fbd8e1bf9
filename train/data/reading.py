"""Samples for the reader: real crops and drawn plates, each as the device would show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.records import Box, Luma, Quad
from edge.vision import reader_codec
from edge.vision.image import load_image, stretch
from edge.vision.rectify import rectify
from train.data import augment
from train.data.formats.native import LabelledImage

Rng = np.random.Generator
HEIGHT, WIDTH = 48, 128
Sample = tuple[Luma, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Crop:
    """One real plate to learn from: the picture, the plate's box in it, its text."""

    luma: Luma
    box: Box
    text: str
    lines: int
    source: str


def target(text: str, upper: int | None, weight: float = 1.0) -> npt.NDArray[np.float32]:
    """(2 L + 2,) float32 as `reader_loss` takes it: the upper line's label, the lower line's, whether the split is known, weight.

    `upper` is the number of characters in the upper line; None where nobody knows, and then the whole text stands in the first label.
    """
    split = len(text) if upper is None else upper
    labels = [reader_codec.encode(part).astype(np.float32) for part in (text[:split], text[split:])]
    return np.concatenate([*labels, np.array([upper is not None, weight], np.float32)])


def load_crops(images: Sequence[LabelledImage]) -> list[Crop]:
    """Every plate whose text a reader may learn. A plate whose registration year is printed but left out of the text is left out."""
    crops = []
    for image in images:
        for plate in image.plates:
            if plate.text is None or plate.year_omitted or len(plate.text) > reader_codec.MAX_LENGTH:
                continue
            luma, _ = load_image(image.path)
            crops.append(Crop(luma, plate.box, plate.text, _lines(image, plate.lines, plate.box), image.source))
    return crops


def _lines(image: LabelledImage, told: int, box: Box) -> int:
    """1, 2, or 0 for unknown. A wide plate has one line; so has a plate of the United States, however square."""
    if told:
        return told
    return 1 if image.country == "us" or box.width > 2.6 * box.height else 0


class RealReads:
    """Real crops, drawn by source with stated weights so that the largest source does not drown the others."""

    def __init__(self, crops: Sequence[Crop], weights: dict[str, float]) -> None:
        if not crops:
            raise ValueError("no crop with text to learn from")
        self.crops = list(crops)
        chances = np.array([weights.get(crop.source, 1.0) for crop in crops], dtype=np.float64)
        self.chances = np.cumsum(chances / chances.sum())

    def __call__(self, rng: Rng) -> Sample:
        crop = self.crops[min(int(np.searchsorted(self.chances, rng.random())), len(self.crops) - 1)]
        box = crop.box
        sides = rng.uniform(-0.015, 0.13, 4) * (box.width, box.height, box.width, box.height)
        loose = Box(box.x0 - sides[0], box.y0 - sides[1], box.x1 + sides[2], box.y1 + sides[3])
        quad = augment.jitter_quad(rng, loose, spread=0.06 if rng.random() < 0.6 else 0.0, tilt=0.12 if rng.random() < 0.5 else 0.0)
        seen = augment.photograph(rng, rectify(crop.luma, quad, WIDTH, HEIGHT, margin=0.0))
        if rng.random() < 0.1:
            seen = augment.erase(rng, seen)
        return stretch(seen), target(crop.text, len(crop.text) if crop.lines == 1 else None)


class DrawnPlate(Protocol):
    """What the generator draws: a flat plate and what is written on it."""

    luma: Luma
    text: str
    lines: int
    upper: int


class PhotographedReads:
    """Plates from the generator as a camera saw them on a car, in the weather. `photograph(rng, plate, (height, width))` gives luma."""

    def __init__(self, draw_plate: Callable[[Rng], Any], photograph: Callable[..., Luma]) -> None:
        self.draw_plate, self.photograph = draw_plate, photograph

    def __call__(self, rng: Rng) -> Sample:
        plate: DrawnPlate = self.draw_plate(rng)
        return stretch(self.photograph(rng, plate, (HEIGHT, WIDTH))), target(plate.text, plate.upper)


class DrawnReads:
    """Plates from the generator with nothing around them, through the same faults as real crops."""

    def __init__(self, draw_plate: Callable[[Rng], Any]) -> None:
        self.draw_plate = draw_plate

    def __call__(self, rng: Rng) -> Sample:
        plate: DrawnPlate = self.draw_plate(rng)
        flat = plate.luma
        h, w = flat.shape
        around = int(rng.integers(0, 256)) if rng.random() < 0.5 else int(np.clip(flat.mean() + rng.normal(0, 40), 0, 255))
        edge = int(0.3 * h)
        scene = np.asarray(cv2.copyMakeBorder(flat, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=around), np.uint8)
        if rng.random() < 0.3:
            scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 3.0)), np.uint8)
        sides = rng.uniform(-0.02, 0.13, 4) * (w, h, w, h)
        loose = Box(edge - sides[0], edge - sides[1], edge + w + sides[2], edge + h + sides[3])
        quad = augment.jitter_quad(rng, loose, spread=rng.uniform(0.0, 0.16), tilt=0.16)
        seen = augment.photograph(rng, rectify(scene, quad, WIDTH, HEIGHT, margin=0.0), least=0.3, most_blur=4.0)
        if rng.random() < 0.2:
            seen = augment.erase(rng, seen)
        return stretch(seen), target(plate.text, plate.upper)


class BlankReads:
    """Cuts from photographs without a plate, and beside plates: they read as nothing."""

    def __init__(self, pictures: Sequence[Luma]) -> None:
        self.pictures = list(pictures)

    def __call__(self, rng: Rng) -> Sample:
        luma = self.pictures[int(rng.integers(len(self.pictures)))]
        h, w = luma.shape
        wide = rng.uniform(0.06, 0.5) * w
        high = min(wide / rng.uniform(1.2, 5.0), h - 1)
        x, y = rng.uniform(0, w - wide), rng.uniform(0, h - high)
        quad = Quad.from_box(Box(x, y, x + wide, y + high))
        return stretch(augment.photograph(rng, rectify(luma, quad, WIDTH, HEIGHT, margin=0.0))), target("", 0, 0.5)
