"""The verdict: what a variant of a network loses against float, and whether that may ship. Too little evidence is no pass."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from convert.gate.paired import Bools, Discordant, Figure, discordant, drop_interval
from convert.gate.sides import Seen
from train.evaluation.bootstrap import draws

LARGE = 100
"""A source with so many plates is judged by itself; of a smaller one a single plate would decide."""
RESAMPLES = 1000
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may be lost (a share, over all and in each large source) and how many plates it takes to say so."""

    drop: float = 0.005
    least: int = 500


@dataclass(frozen=True, slots=True)
class SourceVerdict:
    """One source of photographs: exact plates or average precision, float and variant. A small one is shown and not judged."""

    name: str
    plates: int
    floats: float
    variant: float
    differing: Discordant
    judged: bool
    passed: bool

    @property
    def drop(self) -> float:
        return self.floats - self.variant

    def as_json(self) -> list[float | int]:
        """[plates, float, variant, lost, won]."""
        return [self.plates, round(self.floats, 4), round(self.variant, 4), self.differing.lost, self.differing.won]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is judged: the network's kind, the file's hash and name, what it is held against, the closer looks of a detector."""

    kind: str
    sha256: str
    variant: str
    float_side: str
    views: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of one file. `passed` is True exactly when there is no reason against it.

    value     the variant's share of exact plates, or its average precision at IoU 0.5
    drop      float less variant, as a share (0.005 is half a point)
    interval  95 % bootstrap interval of it, photographs drawn together with all their plates; None where it cannot be told
    recall_interval   detector: the same of the recall at the bundle's threshold
    differing         the plates that are read exactly, or found at the threshold, on one side alone
    sha256    of the file that was judged: a bundle is made of no other
    """

    kind: str
    sha256: str
    variant: str
    float_side: str
    views: int | None
    allowance: Allowance
    evidence: int
    value: float
    drop: float
    interval: tuple[float, float] | None
    recall_interval: tuple[float, float] | None
    differing: Discordant
    float_figures: dict[str, float | int]
    int8_figures: dict[str, float | int]
    by_source: tuple[SourceVerdict, ...]
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons

    @property
    def what(self) -> str:
        """The figure that is judged, in words."""
        return "exact plates" if self.kind == "reader" else "average precision (IoU 0.5)"

    def as_json(self) -> dict[str, Any]:
        """For the manifest: `evidence`, `drop`, `float` and `int8` have always been there; the rest came later."""
        named = "read_exact" if self.kind == "reader" else "ap50"
        told: dict[str, Any] = {"evidence": self.evidence, "drop": round(self.drop, 4), f"{named}_drop_95": _rounded(self.interval)}
        if self.kind == "detector":
            told |= {"recall_drop_95": _rounded(self.recall_interval), "views": self.views}
        return told | {
            "mcnemar": {"lost": self.differing.lost, "won": self.differing.won, "p": round(self.differing.p, 4)},
            "allowed": {"drop": self.allowance.drop, "least": self.allowance.least},
            "float_side": self.float_side,
            "float": _short(self.float_figures),
            "int8": _short(self.int8_figures),
            "by_source": {one.name: one.as_json() for one in self.by_source},
        }


def judge(judged: Judged, sides: tuple[Seen, Seen], allowance: Allowance, resamples: int = RESAMPLES) -> Verdict:
    """The verdict on what both sides, float first, made of the same photographs. Pure: the same results give the same verdict."""
    floats, variant = sides
    if floats.photographs != variant.photographs or floats.picture != variant.picture:
        raise ValueError("both sides must have seen the same plates in the same photographs")
    reader = judged.kind == "reader"
    evidence = len(floats.picture)
    right = (np.array(floats.right, bool), np.array(variant.right, bool))
    shares = (floats.share_right(), variant.share_right())
    figure = shares if reader else (floats.average_precision(), variant.average_precision())
    everything = np.ones(len(floats.photographs))
    drop = figure[0](everything) - figure[1](everything) if evidence else 1.0
    drawn = draws(len(everything), resamples) if evidence else np.zeros((0, 0))
    names = sorted({floats.sources[place] for place in floats.picture})
    sources = tuple(_source(name, floats, right, figure, allowance) for name in names)
    return Verdict(
        **asdict(judged),
        allowance=allowance,
        evidence=evidence,
        value=figure[1](everything) if evidence else 0.0,
        drop=drop,
        interval=drop_interval(*figure, drawn) if evidence else None,
        recall_interval=None if reader or not evidence else drop_interval(*shares, drawn),
        differing=discordant(*right),
        float_figures=floats.figures,
        int8_figures=variant.figures,
        by_source=sources,
        reasons=_reasons(judged.kind, evidence, drop, sources, allowance),
    )


def _source(name: str, side: Seen, right: tuple[Bools, Bools], figure: tuple[Figure, Figure], allowance: Allowance) -> SourceVerdict:
    own = np.array([source == name for source in side.sources])
    plates = own[np.array(side.picture, np.intp)]
    floats, variant = (one(own.astype(np.float64)) for one in figure)
    number = int(plates.sum())
    judged = number >= LARGE
    passed = not judged or floats - variant <= allowance.drop + ROUNDING
    return SourceVerdict(name, number, floats, variant, discordant(right[0][plates], right[1][plates]), judged, passed)


def _reasons(kind: str, evidence: int, drop: float, sources: tuple[SourceVerdict, ...], allowance: Allowance) -> tuple[str, ...]:
    what = "exact plates" if kind == "reader" else "average precision"
    reasons = []
    if evidence < allowance.least:
        reasons.append(f"{evidence} plates are too little evidence, a verdict rests on at least {allowance.least}")
    if evidence and drop > allowance.drop + ROUNDING:
        reasons.append(f"loses {100 * drop:.2f} points of {what} on {evidence} plates, at most {100 * allowance.drop:.2f} may be lost")
    reasons += [
        f"loses {100 * one.drop:.2f} points on the {one.plates} plates of {one.name} ({one.differing.lost} lost, {one.differing.won} won)"
        for one in sources
        if not one.passed
    ]
    return tuple(reasons)


def _short(values: dict[str, float | int]) -> dict[str, float | int]:
    return {key: round(value, 4) for key, value in values.items() if key != "ms"}


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(value, 4) for value in interval]
