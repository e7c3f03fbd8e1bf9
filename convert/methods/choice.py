"""Which way to int8 to take, from what was measured. Pure: figures in, a choice and its reason out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convert.gate.verdict import LARGE, Allowance

ALLOWED = Allowance().drop
"""What the gate allows: at most half a point may be lost, over all and on every source of at least LARGE plates."""
TIE = 0.001
"""Values within a tenth of a point are one: that is a single plate among a thousand."""
WORTH = 0.9
"""A step that wins back must leave at most this share of the output error to be worth its trouble, or lose less by more than TIE."""


@dataclass(frozen=True, slots=True)
class Row:
    """One recipe. `drop` is float less int8 as a share; `interval` 95 % of the drop in plates found or read; `error` of the outputs, in deviations."""

    name: str
    method: str
    win_back: tuple[str, ...]
    value: float
    drop: float
    interval: tuple[float, float]
    by_source: dict[str, tuple[int, float]]
    error: float
    size: int

    @property
    def worst(self) -> tuple[str, float]:
        """The source of at least LARGE plates that loses most, and what; without such a source, all together."""
        judged = {name: drop for name, (plates, drop) in self.by_source.items() if plates >= LARGE}
        return max(judged.items(), key=lambda pair: pair[1]) if judged else ("all", self.drop)

    @property
    def passes(self) -> bool:
        return max(self.drop, self.worst[1]) <= ALLOWED

    def as_json(self) -> dict[str, Any]:
        source, drop = self.worst
        return {
            "name": self.name,
            "method": self.method,
            "win_back": list(self.win_back),
            "value": round(self.value, 5),
            "drop": round(self.drop, 5),
            "hits_drop_95": [round(end, 5) for end in self.interval],
            "by_source": {name: {"plates": plates, "drop": round(lost, 5)} for name, (plates, lost) in self.by_source.items()},
            "worst": {"source": source, "drop": round(drop, 5)},
            "error": round(self.error, 5),
            "size": self.size,
            "passes": self.passes,
        }


def best_method(rows: Sequence[Row]) -> Row:
    """Of those that pass (of all, when none does) the one that loses least; among those that lose the same within TIE, the least output error."""
    able = [row for row in rows if row.passes] or list(rows)
    least = min(row.drop for row in able)
    return min((row for row in able if row.drop <= least + TIE), key=lambda row: row.error)


def best_of(method: Row, steps: Sequence[Row]) -> tuple[Row, str]:
    """The method alone or with what is worth winning back, and why."""
    worth = [row for row in steps if row.passes >= method.passes and (row.drop < method.drop - TIE or _cleaner(row, method) or row.passes > method.passes)]
    if not worth:
        return method, "no step wins back enough to be worth it" if steps else "the least loss, and of equals the least error of the outputs"
    chosen = best_method(worth)
    drops, errors = f"{100 * method.drop:.2f} to {100 * chosen.drop:.2f}", f"{method.error:.4f} to {chosen.error:.4f}"
    return chosen, f"it takes the drop from {drops} points and the error of the outputs from {errors}"


def _cleaner(row: Row, method: Row) -> bool:
    return row.error <= WORTH * method.error and row.drop <= method.drop + TIE
