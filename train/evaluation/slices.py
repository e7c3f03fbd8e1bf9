"""Accuracy against how a plate looks: its width, sharpness, light and tilt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from train.evaluation.cases import Facts
from train.evaluation.outcomes import Outcome

QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Trait:
    """`edges` None: quarters of what is there, for a figure that has no unit."""

    name: str
    unit: str
    value: Callable[[Facts], float | None]
    edges: tuple[float, ...] | None


TRAITS = (
    Trait("width", "px", lambda facts: facts.width, (40.0, 60.0, 80.0, 120.0, 200.0)),
    Trait("sharpness", "", lambda facts: facts.sharpness, None),
    Trait("light", "mean luma", lambda facts: facts.light, (60.0, 100.0, 140.0, 180.0)),
    Trait("tilt", "degrees", lambda facts: facts.tilt, (2.0, 5.0, 10.0, 20.0)),
)


@dataclass(frozen=True, slots=True)
class Slice:
    """One bin of one trait, from `low` (inclusive) to `high`. `plates` of scenes, of them `found`; `texts` of all, of them read exactly `right`."""

    low: float
    high: float
    plates: int
    found: int
    texts: int
    right: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of right / texts."""
        return wilson(self.right, self.texts)

    def as_json(self) -> dict[str, Any]:
        """Open ends are null; a share of nothing is null."""
        low, high = (None if math.isinf(edge) else round(edge, 3) for edge in (self.low, self.high))
        recall = round(self.found / self.plates, 4) if self.plates else None
        exact = round(self.right / self.texts, 4) if self.texts else None
        interval = [round(value, 4) for value in self.interval] if self.texts else None
        return {"from": low, "to": high, "plates": self.plates, "recall": recall, "texts": self.texts, "exact": exact, "exact_95": interval}


def slices(ones: Sequence[Outcome]) -> dict[str, list[Slice]]:
    """By trait, the bins that hold a plate, in order. `exact` is found and read exactly in scenes, read exactly in crops."""
    real = [one for one in ones if one.plate is not None]
    return {trait.name: bins for trait in TRAITS if (bins := _slice(trait, real))}


def _slice(trait: Trait, ones: Sequence[Outcome]) -> list[Slice]:
    pairs = [(value, one) for one in ones if (value := trait.value(one.facts)) is not None]
    if not pairs:
        return []
    inner = trait.edges if trait.edges is not None else tuple(float(edge) for edge in np.quantile([value for value, _ in pairs], QUARTERS))
    edges = (-math.inf, *sorted(set(inner)), math.inf)
    bins = []
    for low, high in pairwise(edges):
        members = [one for value, one in pairs if low <= value < high]
        scenes, texts = [one for one in members if not one.crop], [one for one in members if one.truth is not None]
        if members:
            bins.append(Slice(low, high, len(scenes), sum(one.found for one in scenes), len(texts), sum(one.right for one in texts)))
    return bins


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): unlike the plain one it is never empty at 0 or 1. (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    p = right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def label(one: Slice) -> str:
    """For tables and axes."""
    if math.isinf(one.low):
        return f"< {_edge(one.high)}"
    return f">= {_edge(one.low)}" if math.isinf(one.high) else f"{_edge(one.low)}-{_edge(one.high)}"


def _edge(value: float) -> str:
    return f"{value:.0f}" if value == round(value) or value >= 10 else f"{value:.2f}"
