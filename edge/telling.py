"""Is it a plate at all? Two weak witnesses, the detector and the reader, asked together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the records import NumPy, and --help must be instant
    from edge.records import Detection, PlateRead


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Weights of a logistic regression: found and misfound plates of tuning photographs (`python -m convert witnesses` fits them).

    `score` and `confidence` weigh log-odds; `legible`, `long` and `silent` are added where three characters, five, or none at all were read.
    """

    bias: float
    score: float
    confidence: float
    legible: float
    long: float
    silent: float


WITNESSES = Witnesses(bias=-0.369, score=2.208, confidence=0.313, legible=-0.136, long=0.752, silent=-0.085)
BELIEVED = 0.12
"""What is a plate with less probability than this is not told."""


def belief(detection: Detection, read: PlateRead, witnesses: Witnesses = WITNESSES) -> float:
    """Probability, 0..1, that a plate is there."""
    weights = (witnesses.bias, witnesses.score, witnesses.confidence, witnesses.legible, witnesses.long, witnesses.silent)
    odds = sum(weight * value for weight, value in zip(weights, features(detection, read), strict=True))
    return 1.0 / (1.0 + math.exp(-odds))


def features(detection: Detection, read: PlateRead) -> tuple[float, ...]:
    """What the regression weighs, in the order of the fields of Witnesses."""
    length = len(read.text)
    confidence = min(max(_log_odds(max(read.confidence, 1e-3)), -7.0), 4.0)
    return (1.0, _log_odds(detection.score), confidence, float(length >= 3), float(length >= 5), float(length == 0))


def _log_odds(probability: float) -> float:
    probability = min(max(probability, 1e-4), 1.0 - 1e-4)
    return math.log(probability / (1.0 - probability))
