"""Confidence that tells the truth: of the reads that claim p, the share p is right. Fitted by `python -m convert bundle`, applied on the device."""

from __future__ import annotations

import math
from dataclasses import replace

from edge.records import Character, PlateRead

Calibration = tuple[float, float, float]
"""Slope, offset and ceiling: a plate's confidence p becomes ceiling * sigmoid(slope * logit(p) + offset).

Platt 1999, Probabilistic outputs for support vector machines; the ceiling is the share that is right of the very surest reads.
"""
LIMIT = 1e-6
"""A probability is kept this far from nothing and from certainty."""


def plate_confidence(p: float, calibration: Calibration) -> float:
    """The honest confidence of a plate that the reader believes with `p`. Rises with `p`."""
    p = min(max(p, LIMIT), 1.0 - LIMIT)
    slope, offset, ceiling = calibration
    odds = slope * math.log(p / (1.0 - p)) + offset
    return ceiling / (1.0 + math.exp(-odds)) if odds > -700.0 else 0.0


def calibrate(read: PlateRead, calibration: Calibration | None) -> PlateRead:
    """The read with honest confidences."""
    if calibration is None or not read.text:
        return read
    return with_confidence(read, plate_confidence(read.confidence, calibration))


def with_confidence(read: PlateRead, p: float) -> PlateRead:
    """The read believed with `p`. A plate's confidence stays the product over its characters: each takes its share of the correction."""
    before = math.log(min(max(read.confidence, LIMIT), 1.0 - LIMIT))
    power = math.log(min(max(p, LIMIT), 1.0 - LIMIT)) / before
    characters = tuple(Character(one.char, one.confidence**power) for one in read.characters)
    others = tuple(_beside(old, new, ones) for old, new, ones in zip(read.characters, characters, read.alternatives, strict=False))
    return replace(read, confidence=math.prod(one.confidence for one in characters), characters=characters, alternatives=others)


def _beside(old: Character, new: Character, others: tuple[Character, ...]) -> tuple[Character, ...]:
    """A character's runners-up never overtake it: what it loses is lost to "no such plate", what it wins is taken from them."""
    factor = min(new.confidence / max(old.confidence, LIMIT), (1.0 - new.confidence) / max(1.0 - old.confidence, LIMIT))
    return tuple(Character(one.char, one.confidence * min(1.0, factor)) for one in others)
