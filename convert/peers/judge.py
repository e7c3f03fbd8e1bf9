"""Answers held against the labels, by the same code and rules as `convert evaluate`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from convert.peers.base import Answer, Report
from edge.reading import Look
from edge.records import Box, Character, Detection, PlateRead, Quad
from edge.vision.alphabet import normalise
from edge.vision.geometry import clip
from train import metrics
from train.data.formats.native import LabelledImage, LabelledPlate
from train.evaluation.cases import NOTHING, Case
from train.evaluation.figures import exact


@dataclass(slots=True)
class JudgedCase(Case):  # type: ignore[misc]
    """A case in which each side says itself what it reports; Platewatch's own filter is no rule for others."""

    reported: list[bool] = field(default_factory=list)
    failure: str | None = None

    @property
    def told(self) -> list[bool]:
        """For each look: did the side report it?"""
        return self.reported


def is_asked(image: LabelledImage) -> bool:
    """A cut-out plate without a text asks nothing."""
    return not image.crop or any(plate.exact and not plate.year_omitted for plate in image.plates)


def as_case(image: LabelledImage, answer: Answer) -> JudgedCase:
    """A photograph on which a side failed is one in which it found and read nothing."""
    looks = [_look(image, one) for one in answer.reports]
    ms = float("nan") if answer.ms is None else answer.ms
    if image.crop:
        legible = [look for look in looks if look.read.text][:1]
        return JudgedCase(image, legible, 0.0, ms, reported=[True] * len(legible), failure=answer.failure)
    case = JudgedCase(image, looks, 0.0, ms, reported=[one.told for one in answer.reports], failure=answer.failure)
    boxes, scores = [look.detection.box for look in looks], [look.detection.score for look in looks]
    case.found = metrics.found(boxes, scores, [plate.box for plate in image.plates], image.ignored)
    case.taken = metrics.match(case.found, 0.5)
    return case


def _look(image: LabelledImage, one: Report) -> Look:
    box = clip(Box(*one.box), image.width, image.height)
    return Look(Detection(Quad.from_box(box), box, one.score), as_read(one) if one.told else NOTHING)


def as_read(one: Report) -> PlateRead:
    """Upper case, A-Z and 0-9 alone, as in the labels. Where characters have no confidence of their own, the detection's score stands in."""
    sure = one.confidences if len(one.confidences) == len(one.text) else (one.score,) * len(one.text)
    characters = tuple(Character(char, value) for given, value in zip(one.text, sure, strict=True) for char in normalise(given))
    confidence = 1.0 if characters else 0.0
    for char in characters:
        confidence *= char.confidence
    return PlateRead("".join(char.char for char in characters), confidence, characters)


def readings(case: Case) -> list[tuple[LabelledPlate, str | None]]:
    """Each plate with a text, and what the side read there; None where it found nothing. Of several reports of a plate the surest counts."""
    if case.found is None:
        return [(plate, case.looks[0].read.text if case.looks else None) for plate in case.texts]
    texts: dict[int, Any] = {}
    for look, place, told in zip(case.looks, case.taken, case.told, strict=True):
        if told and place >= 0:
            texts.setdefault(int(place), look.read.text)
    return [(plate, texts.get(place)) for place, plate in enumerate(case.image.plates) if plate.exact]


def is_right(plate: LabelledPlate, read: str | None) -> bool:
    """Found and read exactly; O and 0 are one on plates of the United States."""
    return read is not None and bool(exact(plate, read))
