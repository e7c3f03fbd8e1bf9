"""How long things take, counted in buckets: as cheap as an addition, and any quantile over any time can be asked of the counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

STAGE_S = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0)
"""What a frame takes: a fast PC needs a millisecond, a hot Raspberry Pi with a large picture some hundred."""
SIGHT_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 60.0)
"""From the first sight of a plate to its event."""
ERRAND_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Until a target has an event: at once, or after an outage of hours."""


class Histogram:
    """`counts[i]` values were at most `bounds[i]` and above the bound before it; the last count is of those above all bounds. Seconds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.sum = tuple(bounds), [0] * (len(bounds) + 1), 0.0

    def add(self, seconds: float) -> None:
        """A clock that was set back gives less than nothing, which counts as nothing."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    def as_json(self) -> dict[str, Any]:
        """For the status: {"bounds", "counts", "sum"}."""
        return {"bounds": list(self.bounds), "counts": list(self.counts), "sum": round(self.sum, 6)}
