"""How often was the device right, as far as people said so?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

from edge.labels.label import Label

BANDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
Z = 1.96
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Band:
    """Labelled events whose confidence was from `low` to below `high` (the last band: up to 1).

    `right` were read just as they were labelled, `not_plates` showed no plate at all. `share` is right of events, between `at_least` and `at_most`
    with 95 % confidence (Wilson's interval); all None where there are none. `expected` is the mean confidence: an honest device has it near `share`.
    """

    low: float
    high: float
    events: int
    right: int
    not_plates: int
    share: float | None
    at_least: float | None
    at_most: float | None
    expected: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """`total` is over all bands. `unread` pictures are counted apart: of those with a plate in them there was no event. `stored` events are there at all."""

    bands: tuple[Band, ...]
    total: Band
    unread: int
    unread_plates: int
    stored: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def report(found: Iterable[Label], stored: int = 0) -> Report:
    """Of labels; `stored` is the number of events that could have been labelled."""
    told, unread, plates = list[Label](), 0, 0
    for one in found:
        if one.origin == "event":
            told.append(one)
        else:
            unread, plates = unread + 1, plates + (one.told.judgement != "not a plate")
    bands = [band(low, high, [one for one in told if low <= one.confidence < high or high == one.confidence == 1.0]) for low, high in pairwise(BANDS)]
    return Report(tuple(bands), band(0.0, 1.0, told), unread, plates, stored)


def band(low: float, high: float, told: list[Label]) -> Band:
    events, right = len(told), sum(one.right for one in told)
    not_plates = sum(one.told.judgement == "not a plate" for one in told)
    if not events:
        return Band(low, high, 0, 0, 0, None, None, None, None)
    least, most = wilson(right, events)
    expected = sum(one.confidence for one in told) / events
    return Band(low, high, events, right, not_plates, *(round(value, 4) for value in (right / events, least, most, expected)))


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen `right` times of so many (Wilson 1927): honest for few, and never beyond 0 or 1."""
    share, z2 = right / of, Z * Z / of
    middle, reach = (share + z2 / 2) / (1 + z2), Z * sqrt(share * (1 - share) / of + z2 / (4 * of)) / (1 + z2)
    return max(0.0, middle - reach), min(1.0, middle + reach)
