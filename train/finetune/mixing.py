"""Between the weights before and after fine-tuning: a mix of both often keeps the gain and loses little (WiSE-FT, Wortsman et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the fine-tuned weights; 0 is the start, 1 the end."""
MAIN = {"reader": ("exact", "characters"), "detector": ("ap50", "ap75")}
"""The figure that decides, and the one that decides between equals."""
Weights = Sequence[npt.NDArray[np.float32]]
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """What one mix is worth: figures on the new photographs, and on each set of what was known."""

    alpha: float
    new: Figures
    known: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Choice:
    """The mix to ship. `warnings` are sentences for the user."""

    alpha: float
    warnings: tuple[str, ...]


def mix(start: Weights, end: Weights, alpha: float) -> list[npt.NDArray[np.float32]]:
    """(1 - alpha) of the start and alpha of the end, weight by weight, statistics of the batch normalisation included."""
    return [np.asarray((1.0 - alpha) * a + alpha * b, np.float32) for a, b in zip(start, end, strict=True)]


def choose(rows: Sequence[Row], kind: str, allowed_drop: float, guards: Sequence[str]) -> Choice:
    """The best mix on the new photographs among those that lose at most `allowed_drop` (a share) on every set of `guards`.

    Between equals the one nearer to the start wins. `rows` must hold alpha 0, which loses nothing and can always be chosen.
    """
    main, second = MAIN[kind]
    start = next(row for row in rows if row.alpha == 0.0)

    def worth(row: Row) -> tuple[float, float, float]:
        return (*(round(_number(row.new.get(name)), 6) for name in (main, second)), -row.alpha)

    def drop(row: Row, name: str) -> float:
        return _number(start.known[name].get(main)) - _number(row.known[name].get(main))

    best = max(rows, key=worth)
    chosen = max((row for row in rows if all(drop(row, name) <= allowed_drop + 1e-9 for name in guards)), key=worth)
    warnings = []
    if chosen is not best:
        worst = max(guards, key=lambda name: drop(best, name))
        warnings.append(
            f"at alpha {best.alpha:g} the new photographs gain {_points(best.new, start.new, main)}, but {worst} loses {100 * drop(best, worst):.1f} points, "
            f"more than the {100 * allowed_drop:g} allowed: alpha {chosen.alpha:g} is taken instead"
        )
    if chosen.alpha == 0.0:
        warnings.append("no mix does better on the new photographs within what may be lost: the start weights are kept; label more photographs or train longer")
    return Choice(chosen.alpha, tuple(warnings))


def _points(after: Figures, before: Figures, name: str) -> str:
    return f"{100 * (_number(after.get(name)) - _number(before.get(name))):.1f} points"


def _number(value: float | None) -> float:
    """A figure that is missing or no number is worth nothing."""
    return 0.0 if value is None or math.isnan(value) else float(value)
