"""Under what a benchmark was run: the machine, how it was before and after, who else was busy, how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edge.bench.machine import Clocks, machine, software, state, warnings
from edge.bench.result import State
from edge.status import utc_iso


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Noted when measuring begins; `since` is by time.monotonic."""

    since: float
    before: State
    clocks: Clocks | None

    @classmethod
    def now(cls, since: float | None = None) -> Circumstances:
        """`since` is when the work on the measurement started, if before now."""
        return cls(time.monotonic() if since is None else since, state(), Clocks.read())

    def told(self) -> dict[str, Any]:
        """What a Result says of them, asked for when all is measured."""
        ends, after, board = Clocks.read(), state(), machine()
        busy = self.clocks.until(ends) if self.clocks and ends else None
        return {
            "made": utc_iso(datetime.now(UTC)),
            "seconds": round(time.monotonic() - self.since, 1),
            "warnings": tuple(warnings(self.before, after, busy, board.cores)),
            "machine": board,
            "software": software(),
            "before": self.before,
            "after": after,
            "busy": busy,
        }
