"""One record a plate: what was there, what was read, how sure the reader was. Curves, calibration and slices are made of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.plates.choice import AUTO, everyone
from edge.plates.ruled import Ruled, apply_rules
from edge.reading import Look
from edge.records import Box, PlateRead
from edge.vision.geometry import iou
from train.data.formats.native import LabelledPlate
from train.evaluation.cases import NOTHING, Case, Facts
from train.evaluation.confusion import aligned
from train.metrics import same_text

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One labelled plate and what became of it, or (`plate` None) a report of a plate that is not there.

    picture      number of the picture among all cases: what belongs together when the bootstrap draws
    found        a report fits the plate (crops: something was read)
    read         the report's read, empty where nothing was found
    score, overlap   of the detection: 0..1, and its IoU with the plate
    judged       every report in the picture can be judged, so it counts for the confidence's curves
    auto, told   the read under the country rules: of all countries, and of the plate's own where its label names one; None where they were not asked
    """

    picture: int
    path: Path
    source: str
    country: str | None
    crop: bool
    plate: LabelledPlate | None
    found: bool
    read: PlateRead
    score: float
    overlap: float
    box: Box
    facts: Facts
    judged: bool
    auto: Ruled | None = None
    told: Ruled | None = None

    @property
    def truth(self) -> str | None:
        """The plate's text, None where it is not known or there is no plate."""
        return self.plate.text if self.plate is not None and self.plate.exact else None

    @property
    def right(self) -> bool:
        """Found and read exactly; O and 0 are one on plates of the United States."""
        return self.says(self.read.text)

    def says(self, text: str) -> bool:
        """Found, and `text` is what stands there."""
        return self.truth is not None and self.found and same_text(self.truth, text, self.country)

    @property
    def claims(self) -> bool:
        """It says a text, so that its confidence can be held against it."""
        return self.judged and bool(self.read.text) and (self.plate is None or self.truth is not None)


def outcomes(cases: Sequence[Case]) -> list[Outcome]:
    """Of all pictures, in order: the labelled plates first, then the false reports. Plates whose text leaves glyphs out are there without a truth."""
    return [one for number, case in enumerate(cases) for one in (_of_crop if case.found is None else _of_scene)(number, case)]


def under_rules(ones: Iterable[Outcome]) -> list[Outcome]:
    """The same with what the country rules make of each read."""
    ruled = []
    for one in ones:
        auto = apply_rules(one.read, AUTO)
        told = apply_rules(one.read, one.country) if one.country in everyone() else auto
        ruled.append(replace(one, auto=auto, told=told))
    return ruled


def _of_crop(number: int, case: Case) -> Iterable[Outcome]:
    look = case.looks[0] if case.looks else None
    for plate, seen in zip(case.image.plates, case.of_plates, strict=True):
        if plate.exact and not plate.year_omitted:
            read = look.read if look else NOTHING
            yield _outcome(number, case, plate, bool(read.text), read, look, seen, judged=True)


def _of_scene(number: int, case: Case) -> Iterable[Outcome]:
    judged = all(plate.exact for plate in case.image.plates)
    told = [(look, int(plate), seen) for look, plate, seen, said in zip(case.looks, case.taken, case.of_looks, case.told, strict=True) if said]
    reports: dict[int, Look] = {}
    for look, place, _ in told:
        if place >= 0:
            reports.setdefault(place, look)
    for place, (plate, seen) in enumerate(zip(case.image.plates, case.of_plates, strict=True)):
        report = reports.get(place)
        yield _outcome(number, case, plate, report is not None, report.read if report else NOTHING, report, seen, judged)
    for look, place, seen in told:
        if place == -1:
            yield _outcome(number, case, None, True, look.read, look, seen, judged)


def _outcome(number: int, case: Case, plate: LabelledPlate | None, found: bool, read: PlateRead, look: Look | None, seen: Facts, judged: bool) -> Outcome:
    box = plate.box if plate is not None else look.detection.box if look is not None else Box(0, 0, 1, 1)
    overlap = iou(look.detection.box, plate.box) if look is not None and plate is not None else 0.0
    country = plate.country if plate is not None else case.image.country
    score = look.detection.score if look is not None else 0.0
    image = case.image
    return Outcome(number, image.path, image.source, country, image.crop, plate, found, read, score, overlap, box, seen, judged)


@dataclass(frozen=True, slots=True)
class Claims:
    """The reads that can be judged, as arrays of one length: confidence, right or not, and the picture's number; `plates` counts, by picture, the
    plates with a text that were there to be read."""

    confidence: Floats
    right: Bools
    picture: npt.NDArray[np.intp]
    plates: Floats

    def weights(self, counts: Floats) -> Floats:
        """A weight a picture -> a weight a claim."""
        return counts[self.picture]


def claims(ones: Sequence[Outcome], pictures: int) -> Claims:
    """Of plates: of the reads of plates and of what is no plate."""
    said = [one for one in ones if one.claims]
    plates = np.zeros(pictures)
    for one in ones:
        plates[one.picture] += one.judged and one.truth is not None
    return _arrays([(one.read.confidence, one.right, one.picture) for one in said], plates)


def ruled_claims(ones: Sequence[Outcome], pictures: int) -> Claims:
    """Of plates under the rules of all countries, which is what the device says unless it is told otherwise."""
    rows = [(one.auto.confidence, one.says(one.auto.text), one.picture) for one in ones if one.claims and one.auto is not None]
    return _arrays(rows, claims(ones, pictures).plates)


def character_claims(ones: Sequence[Outcome], pictures: int) -> Claims:
    """Of the single characters on real plates: right when the truth has that character there; an invented one is wrong."""
    rows: list[tuple[float, bool, int]] = []
    for one in ones:
        if one.claims and one.truth is not None:
            places = iter(one.read.characters)
            for there, said in aligned(one.truth, one.read.text):
                if said:
                    rows.append((next(places).confidence, same_text(there, said, one.country), one.picture))
    return _arrays(rows, np.zeros(pictures))


def _arrays(rows: Sequence[tuple[Any, ...]], plates: Floats) -> Claims:
    confidence, right, picture = ([row[place] for row in rows] for place in range(3))
    return Claims(np.array(confidence, np.float64), np.array(right, bool), np.array(picture, np.intp), plates)
