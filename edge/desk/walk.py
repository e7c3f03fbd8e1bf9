"""The walk test: somebody walks or drives a plate past the camera, and each track is told with what became of it and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from edge.status import PlateInView, utc_iso
from edge.tracking.judge import GHOST_LOOKS, Judge
from edge.tracking.reasons import facts
from edge.tracking.tracker import Track
from edge.tracking.verdict import Verdict

LONGEST_S = 600.0
MOST = 30
"""The newest so many tracks are kept."""


class Walk:
    """Listens to the judge only while it runs; what it heard is told until the next one begins. `veil` hides the texts that may not be told."""

    def __init__(self, veil: Callable[[Sequence[PlateInView]], list[PlateInView]], clock: Callable[[], float], wall: Callable[[], datetime]) -> None:
        self._veil, self._clock, self._wall = veil, clock, wall
        self._until: float | None = None
        self._flickers = 0
        self._tracks: deque[dict[str, Any]] = deque(maxlen=MOST)

    def ask(self, seconds: float) -> None:
        """Begin anew, for so long; 0 ends it."""
        if seconds:
            self._tracks.clear()
            self._flickers = 0
        self._until = self._clock() + min(seconds, LONGEST_S)

    @property
    def runs(self) -> bool:
        return self._until is not None and self._clock() < self._until

    def tend(self, judge: Judge) -> None:
        """To be called at every turn: a reload may have brought another judge."""
        judge.on_end = self.ended if self.runs else None

    def ended(self, track: Track, outcome: str, verdict: Verdict) -> None:
        """`outcome`: event, or one of the reasons of `edge.tracking.reasons`. What was there for a frame or two, and never read, is only counted."""
        if track.sightings < GHOST_LOOKS and not verdict.text:
            self._flickers += 1
            return
        ((_, text, sure),) = self._veil([(track.last.detection.quad, verdict.text, verdict.confidence)])
        told = facts(track, verdict) | {"text": text, "confidence": round(float(sure), 3), "outcome": outcome, "at": utc_iso(self._wall()), "track": track.id}
        self._tracks.appendleft(told)

    def as_json(self) -> dict[str, Any]:
        """For the status: nothing where there was none."""
        if self._until is None:
            return {}
        return {"walk": {"seconds_left": round(max(0.0, self._until - self._clock()), 1), "tracks": list(self._tracks), "flickers": self._flickers}}
