"""Models run over labelled photographs: for each picture what is there and what the device made of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge.model.detector import Detector
from edge.reading import Look, is_worth_telling, look_at_crop
from edge.records import Box, Detection, Luma, PlateRead, Quad
from edge.vision.geometry import clip
from edge.vision.image import load_image, resize, sharpness
from train import metrics
from train.data.formats.native import DataError, LabelledImage, LabelledPlate, find_folders, read_folder

LOWEST = 0.05
"""Score from which detections count towards average precision; precision and recall are of what the device would report."""
LOOKED_AT = 128
NOTHING = PlateRead("", 0.0, ())
ANYTHING = PlateRead("X", 1.0, ())
"""What `Legible` reads: it says nothing about whether a plate is there."""


class Reads(Protocol):
    """What evaluation asks of a reader."""

    def read(self, luma: Luma, quad: Quad, lines: int = 1) -> PlateRead: ...

    def read_crop(self, luma: Luma) -> PlateRead: ...


class Legible:
    """In a reader's place where finding alone is asked: every detection that reaches the threshold is told."""

    def read(self, luma: Luma, quad: Quad, lines: int = 1) -> PlateRead:
        return ANYTHING

    def read_crop(self, luma: Luma) -> PlateRead:
        return ANYTHING


@dataclass(frozen=True, slots=True)
class Facts:
    """How a plate looks in its picture: its width, px; its sharpness; mean luma 0..255; the angle of its lines to the picture's, degrees, None
    where no corners are known.

    Sharpness is the mean squared Laplacian over the variance, after the plate was brought to LOOKED_AT px in width: neither contrast nor size
    pass for sharpness, and a plate too small to show its strokes is a blurred one. It is not the daemon's `min_sharpness`, which compares looks.
    """

    width: float
    sharpness: float
    light: float
    tilt: float | None


def facts(luma: Luma, box: Box, quad: Quad | None) -> Facts:
    """Of the plate in `box` of a (H, W) picture."""
    x0, y0, x1, y1 = max(0, math.floor(box.x0)), max(0, math.floor(box.y0)), math.ceil(box.x1), math.ceil(box.y1)
    part = luma[min(y0, luma.shape[0] - 1) : max(y1, y0 + 1), min(x0, luma.shape[1] - 1) : max(x1, x0 + 1)]
    brought = resize(np.ascontiguousarray(part), LOOKED_AT, max(3, round(LOOKED_AT * part.shape[0] / part.shape[1])))
    return Facts(box.width, sharpness(brought) / max(1.0, float(brought.var())), float(part.mean()), None if quad is None else tilt(quad))


def tilt(quad: Quad) -> float:
    """Mean angle of the upper and the lower edge to the horizontal, degrees, 0..90."""
    (a, b, c, d) = quad.points
    return sum(min(turn := abs(math.degrees(math.atan2(q[1] - p[1], q[0] - p[0]))), 180.0 - turn) for p, q in ((a, b), (d, c))) / 2


@dataclass(slots=True)
class Case:
    """One picture with its truth and what the device made of it. `looks` holds detections down to LOWEST, best first.

    `found` and `taken` (for each look the plate that it fits at IoU 0.5, -1 for none, -2 where nobody is rewarded or punished) are of scenes alone.
    `of_plates` and `of_looks` say how the labelled plates and what was reported look.
    """

    image: LabelledImage
    looks: list[Look]
    threshold: float
    ms: float
    found: metrics.Found | None = None
    taken: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    of_plates: list[Facts] = field(default_factory=list)
    of_looks: list[Facts] = field(default_factory=list)

    @property
    def told(self) -> list[bool]:
        """For each look: would the device report it?"""
        return [one.detection.score >= self.threshold and (one.read is ANYTHING or is_worth_telling(one)) for one in self.looks]

    @property
    def texts(self) -> list[LabelledPlate]:
        """The plates whose text may be held against a reader."""
        return [plate for plate in self.image.plates if plate.exact and not (self.image.crop and plate.year_omitted)]


def labelled(folders: Sequence[str | Path]) -> list[LabelledImage]:
    """The pictures of all labelled folders. Raises DataError when there is none."""
    images = [image for folder in find_folders(list(folders)) for image in read_folder(folder)]
    if not images:
        raise DataError(f"{', '.join(map(str, folders))}: no labelled picture there; add rows to labels.jsonl (docs/data-format.md)")
    return images


def check_data(folders: Sequence[str | Path], kinds: set[str]) -> None:
    """Raises DataError when models of these kinds ("detector", "reader") can be asked nothing on these pictures."""
    images, names = labelled(folders), ", ".join(map(str, folders))
    if kinds == {"detector"} and all(image.crop for image in images):
        raise DataError(f"{names}: cut-out plates alone; a detector is asked on whole photographs, or name a reader too")
    if kinds == {"reader"} and not any(_texts(image) for image in images):
        raise DataError(f"{names}: no plate there has a text; a reader is asked on plates with a text (docs/data-format.md)")


def _texts(image: LabelledImage) -> list[LabelledPlate]:
    return [plate for plate in image.plates if plate.exact and not plate.year_omitted]


def run_models(folders: Sequence[str | Path], detector: Detector, reader: Reads, progress: Any = iter, crops: bool = True) -> list[Case]:
    """Every picture of the labelled folders, as the device looks at it. `detector` must have been made with threshold LOWEST.

    `crops` False leaves out cut-out plates.
    """
    cases: list[Case] = []
    for image in progress([image for image in labelled(folders) if crops or not image.crop]):
        luma, _ = load_image(image.path)
        began = time.perf_counter()
        if image.crop:
            looks: list[Look] = list(look_at_crop(luma, detector, reader).plates)  # type: ignore[arg-type]
            case = Case(image, looks, 0.0, 1000 * (time.perf_counter() - began))
        else:
            detections = detector.detect(luma)
            reads = [reader.read(luma, one.quad, one.lines) if one.score >= detector.manifest.threshold else NOTHING for one in detections]
            ms = 1000 * (time.perf_counter() - began)
            case = Case(image, [Look(*pair) for pair in zip(detections, reads, strict=True)], detector.manifest.threshold, ms)
            boxes, scores = [one.box for one in detections], [one.score for one in detections]
            case.found = metrics.found(boxes, scores, [plate.box for plate in image.plates], image.ignored)
            case.taken = metrics.match(case.found, 0.5)
        cases.append(_with_facts(case, luma))
    return cases


def run_reader(folders: Sequence[str | Path], reader: Reads, progress: Any = iter) -> list[Case]:
    """A reader without a detector: each plate with a text is cut out by its label and is a case of its own, as if it were a crop."""
    cases: list[Case] = []
    images = [(image, texts) for image in labelled(folders) if (texts := _texts(image))]
    for image, texts in progress(images):
        luma, _ = load_image(image.path)
        for plate in texts:
            began = time.perf_counter()
            read = reader.read(luma, plate.quad or Quad.from_box(plate.box))
            ms = 1000 * (time.perf_counter() - began)
            alone = _alone(image, plate)
            looks = [Look(Detection(plate.quad or Quad.from_box(plate.box), plate.box, 1.0, read.lines), read)] if read.text else []
            cases.append(_with_facts(Case(alone, looks, 0.0, ms), luma))
    return cases


def _alone(image: LabelledImage, plate: LabelledPlate) -> LabelledImage:
    return replace(image, plates=(plate,), crop=True, country=plate.country)


def _with_facts(case: Case, luma: Luma) -> Case:
    """Tilt is the labelled corners' where there are some, else that of the corners that were found."""
    height, width = luma.shape
    quads: dict[int, Quad] = {}
    for look, plate in zip(case.looks, case.taken if case.found is not None else (0,) * len(case.looks), strict=True):
        if plate >= 0 and look.detection.quad != Quad.from_box(look.detection.quad.box):  # a bare box knows no angle
            quads.setdefault(int(plate), look.detection.quad)
    case.of_plates = [facts(luma, plate.box, plate.quad or quads.get(place)) for place, plate in enumerate(case.image.plates)]
    case.of_looks = [facts(luma, clip(look.detection.box, width, height), look.detection.quad) for look in case.looks]
    return case


def by_group(cases: Iterable[Case]) -> dict[str, dict[str, list[Case]]]:
    """{"source": {name: cases}, "country": {code: cases}, "all": {"all": cases}}, names in alphabetical order."""
    sources: dict[str, list[Case]] = {}
    countries: dict[str, list[Case]] = {}
    everything = list(cases)
    for case in everything:
        sources.setdefault(case.image.source, []).append(case)
        if case.image.country:
            countries.setdefault(case.image.country, []).append(case)
    return {"source": dict(sorted(sources.items())), "country": dict(sorted(countries.items())), "all": {"all": everything}}
