"""What a comparison of two readers proves, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

from edge.labels.report import wilson

SURE = 0.05
"""A difference that chance alone brings about more often than this is none."""


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `of`, between `low` and `high` with 95 % confidence; all None but the counts where there is nothing to count."""

    right: int
    of: int
    share: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of two readers on labelled plates. `better` is 0 or 1, or None where the figures do not tell; `p` is that of McNemar's exact test, two-sided."""

    sides: tuple[Share, Share]
    alone: tuple[int, int]
    p: float | None
    better: int | None


def share(right: int, of: int) -> Share:
    if of < 1:
        return Share(right, of)
    low, high = wilson(right, of)
    return Share(right, of, round(right / of, 4), round(low, 4), round(high, 4))


def mcnemar(one: int, other: int) -> float:
    """How often chance alone makes two equals differ at least so much: of the plates that only one of them read right, so many each."""
    both, least = one + other, min(one, other)
    return min(1.0, 2.0 * sum(comb(both, k) for k in range(least + 1)) / 2.0**both)


def weigh(result: Mapping[str, Any]) -> Verdict | None:
    """Of a comparison's `result`; None where nobody said what any plate reads."""
    labelled, right, alone = int(result.get("labelled") or 0), result.get("right") or (0, 0), result.get("alone")
    if not labelled:
        return None
    sides = (share(int(right[0]), labelled), share(int(right[1]), labelled))
    if alone is None:  # an older comparison's
        return Verdict(sides, (0, 0), None, None)
    p = mcnemar(int(alone[0]), int(alone[1]))
    better = None if p >= SURE else int(alone[1] > alone[0])
    return Verdict(sides, (int(alone[0]), int(alone[1])), round(p, 4), better)
