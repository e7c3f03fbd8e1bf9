"""Is it really that late? A Pi has no battery clock: its wall time may jump, and a retention that believed every jump would wipe the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

JUMP = timedelta(minutes=1)
FAR = timedelta(days=1)
SETTLE_S, SETTLE_FAR_S = 3600.0, 24 * 3600.0
"""So long the clock must go on without a jump before it is believed, after a small one and after one of a day and more."""


class Belief:
    """Compares the wall clock with the monotonic one at every look, and first with the newest event of the last run."""

    def __init__(self, clock: Callable[[], float], wall: Callable[[], datetime], newest: datetime | None = None) -> None:
        self._clock, self._wall = clock, wall
        self._expected = (clock(), newest if newest is not None else wall())
        self._believed_from = float("-inf")
        self._first = newest is not None
        self.jumped = timedelta(0)

    def believable(self) -> bool:
        """Look at both clocks; True when the wall clock may be acted on."""
        now, wall = self._clock(), self._wall()
        jump = wall - (self._expected[1] + timedelta(seconds=now - self._expected[0]))
        # While the device was off, time went on: the first look only minds what is far off, or earlier than the newest event.
        small = timedelta(0) <= jump < FAR if self._first else abs(jump) < JUMP
        if not small:
            self.jumped = jump
            self._believed_from = max(self._believed_from, now + (SETTLE_FAR_S if abs(jump) >= FAR else SETTLE_S))
        self._expected, self._first = (now, wall), False
        return now >= self._believed_from

    def words(self) -> str:
        """For the status; empty while the clock is believed."""
        left_s = self._believed_from - self._clock()
        if left_s <= 0:
            return ""
        way, size = ("forward" if self.jumped > timedelta(0) else "back"), abs(self.jumped)
        far = f"{size.days} days" if size >= 2 * FAR else f"{size.total_seconds() / 3600:.1f} h"
        return f"the clock jumped {far} {way}; nothing is deleted by its age for another {left_s / 3600:.1f} h"
