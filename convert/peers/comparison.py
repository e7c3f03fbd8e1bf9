"""What the answers are worth, side by side: each side's figures, and each peer held against the first side, plate by plate and photograph by photograph."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convert.peers.base import About, Answer
from convert.peers.judge import JudgedCase, as_case, is_right, readings
from train import metrics
from train.data.formats.native import LabelledImage
from train.evaluation.bootstrap import Interval, draws, interval
from train.evaluation.figures import Figures, fold, grouped
from train.evaluation.outcomes import claims
from train.evaluation.weighted import main_figures

COMPARED = ("recall", "precision", "ap50", "false_per_empty", "exact", "read_exact", "read_characters")
"""Figures whose difference is told with an interval."""
KINDS = ("scenes", "crops")
LEAST_TIMES = 5
"""Of fewer photographs no ratio of times is told."""


@dataclass(frozen=True, slots=True)
class SideFigures:
    """One side. `failures` counts reasons; `times` holds, of scenes and of crops, how many were timed, the median and the 95th percentile, ms."""

    about: About
    cases: list[JudgedCase]
    groups: dict[str, dict[str, Figures]]
    intervals: dict[str, Interval]
    failures: dict[str, int]
    times: dict[str, dict[str, float]]
    peak_mb: float

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return {
            "about": asdict(self.about),
            "bytes": self.about.bytes,
            "peak_mb": self.peak_mb,
            **self.groups,
            "intervals_95": {name: one.as_json() for name, one in self.intervals.items()},
            "times_ms": self.times,
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True)
class McNemar:
    """Plates with a text on photographs that both answered: read exactly by both, by the first side or the peer alone, by none; the exact two-sided p."""

    both: int
    ours: int
    theirs: int
    neither: int
    p: float


@dataclass(frozen=True, slots=True)
class Against:
    """A peer against the first side. `differences`: the first side's figure less the peer's. `ratios`: the peer's median time over the first side's."""

    name: str
    differences: dict[str, Interval]
    ratios: dict[str, Interval]
    mcnemar: McNemar

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`."""
        return {
            "differences_95": {name: one.as_json() for name, one in self.differences.items()},
            "time_ratio_95": {name: one.as_json() for name, one in self.ratios.items()},
            "mcnemar": asdict(self.mcnemar),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All sides on the photographs that all were asked about."""

    photographs: int
    sides: list[SideFigures]
    against: list[Against]

    def as_json(self) -> dict[str, Any]:
        """Ready for `json.dumps`; the first side is the one that the others are held against."""
        return {
            "photographs": self.photographs,
            "sides": {one.about.name: one.as_json() for one in self.sides},
            "against": {one.name: one.as_json() for one in self.against},
        }


def compare(images: Sequence[LabelledImage], answers: Sequence[Sequence[Answer]], sides: Sequence[About], resamples: int = 1000) -> Comparison:
    """`answers` holds, for each photograph, an answer of each side in the order of `sides`. There is at least one photograph."""
    cases = [[as_case(image, row[place]) for image, row in zip(images, answers, strict=True)] for place in range(len(sides))]
    drawn = draws(len(images), resamples)
    figures = [main_figures(one, [], claims([], len(images))) for one in cases]
    rows = []
    for place, about in enumerate(sides):
        spans = {name: one for name in COMPARED if (one := interval(figures[place][name], drawn)) is not None}
        failures = Counter(case.failure for case in cases[place] if case.failure is not None)
        peak = max(row[place].peak_mb for row in answers)
        rows.append(SideFigures(about, cases[place], _groups(cases[place]), spans, dict(failures.most_common()), _times(cases[place]), peak))
    against = []
    for place in range(1, len(sides)):
        differences = {}
        for name in COMPARED:
            ours, theirs = figures[0][name], figures[place][name]
            one = interval(lambda weights, ours=ours, theirs=theirs: ours(weights) - theirs(weights), drawn)
            if one is not None:
                differences[name] = one
        against.append(Against(sides[place].name, differences, _ratios(cases[0], cases[place], resamples), mcnemar(cases[0], cases[place])))
    return Comparison(len(images), rows, against)


def _groups(cases: Sequence[JudgedCase]) -> dict[str, dict[str, Figures]]:
    """Of `train.evaluation.figures`, and the characters of plates in scenes, where a plate that was not found has lost all of them."""
    groups: dict[str, dict[str, Figures]] = grouped(cases)
    for kind, rows in groups.items():
        for name, row in rows.items():
            members = [case for case in cases if kind == "all" or getattr(case.image, kind) == name]
            pairs = [pair for case in members if case.found is not None for pair in readings(case)]
            if pairs:
                truths = [fold(plate, plate.text or "") for plate, _ in pairs]
                row["characters"] = metrics.character_accuracy(truths, [fold(plate, read or "") for plate, read in pairs])
            row.pop("ms", None)  # told by scenes and crops instead
    return groups


def _kind(case: JudgedCase) -> str:
    return "crops" if case.image.crop else "scenes"


def _times(cases: Sequence[JudgedCase]) -> dict[str, dict[str, float]]:
    rows = {}
    for kind in KINDS:
        ms = [case.ms for case in cases if _kind(case) == kind and math.isfinite(case.ms)]
        if ms:
            rows[kind] = {"photographs": len(ms), "median": round(float(np.median(ms)), 3), "p95": round(float(np.percentile(ms, 95)), 3)}
    return rows


def _ratios(ours: Sequence[JudgedCase], theirs: Sequence[JudgedCase], resamples: int) -> dict[str, Interval]:
    """Medians over the same photographs, those that both answered; the bootstrap draws photographs, so both medians are of the same draw."""
    rows = {}
    for kind in KINDS:
        both = [(a.ms, b.ms) for a, b in zip(ours, theirs, strict=True) if _kind(a) == kind and math.isfinite(a.ms) and math.isfinite(b.ms)]
        if len(both) >= LEAST_TIMES:
            one = interval(ratio_of_medians(np.array(both)), draws(len(both), resamples))
            if one is not None:
                rows[kind] = one
    return rows


def ratio_of_medians(times: npt.NDArray[np.float64]) -> Any:
    """(N, 2) times -> the second column's median over the first's, as a function of a weight a row."""

    def figure(weights: npt.NDArray[np.float64]) -> float:
        first, second = np.median(np.repeat(times, weights.astype(np.intp), axis=0), axis=0)
        return float(second / first)

    return figure


def mcnemar(ours: Sequence[JudgedCase], theirs: Sequence[JudgedCase]) -> McNemar:
    """Plates count one by one, though those of one photograph go together."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for one, other in zip(ours, theirs, strict=True):
        if one.failure is None and other.failure is None:
            for (plate, read), (_, said) in zip(readings(one), readings(other), strict=True):
                counts[is_right(plate, read), is_right(plate, said)] += 1
    alone, theirs_alone = counts[True, False], counts[False, True]
    return McNemar(counts[True, True], alone, theirs_alone, counts[False, False], exact_p(alone, theirs_alone))


def exact_p(first: int, second: int) -> float:
    """Two-sided, of a fair coin that fell `first` times on one side and `second` times on the other."""
    tosses = first + second
    tail = sum(math.comb(tosses, hits) for hits in range(min(first, second) + 1))
    return min(1.0, float(2 * tail / 2**tosses))
