"""Is it really that late? A Pi has no battery clock: its wall time may jump, and a retention that believed every jump would wipe the store.

How far the wall clock has come ahead of the monotonic one is waited for, too, where nobody has set it over the network: what is deleted then is old by
any clock. But no longer than a thing is kept at all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

JUMP = timedelta(minutes=1)
FAR = timedelta(days=1)
SETTLE_S, SETTLE_FAR_S = 3600.0, 24 * 3600.0
FOREVER_S = 1e10
"""So long the clock must go on without a jump before it is believed, after a small one and after one of a day and more."""
UNSET = datetime(2025, 1, 1, tzinfo=UTC)
"""Earlier than this it cannot be: the clock was never set."""
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
log = logging.getLogger(__name__)


class Belief:
    """Compares the wall clock with the monotonic one at every look, and first with the newest event of the last run."""

    def __init__(
        self,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        newest: datetime | None = None,
        *,
        synchronised: Callable[[], bool] = SYNCHRONISED.exists,
    ) -> None:
        self._clock, self._wall, self._synchronised = clock, wall, synchronised
        self._expected = None if newest is None else (clock(), newest)
        self._first = True
        self._unset = False
        self._believed_from = self._far_at = float("-inf")
        self._ahead = timedelta(0)
        self.jumped = timedelta(0)
        self.jumps = 0
        """So many were seen, by whoever looked."""

    def look(self) -> None:
        """Look at both clocks: has one jumped since the last look?"""
        now, wall = self._clock(), self._wall()
        self._unset = wall < UNSET
        if self._unset:  # not worth comparing: when it is set it is compared with the last time that could be
            return
        if self._believed_from <= now and self._settled(FAR * 36500):
            self._ahead = timedelta(0)
        before, self._expected = self._expected, (now, wall)
        first, self._first = self._first, False
        if before is None:
            return
        jump = wall - (before[1] + timedelta(seconds=now - before[0]))
        # While the device was off, time went on: the first look only minds what is far off, or earlier than the newest event.
        if timedelta(0) <= jump < FAR if first else abs(jump) < JUMP:
            return
        self.jumped, far = jump, abs(jump) >= FAR
        self.jumps += 1
        self._believed_from = max(self._believed_from, now + (SETTLE_FAR_S if far else SETTLE_S))
        if far:
            left_s = self._far_at + self._ahead.total_seconds() - now if self._ahead > timedelta(0) else 0.0
            if jump.total_seconds() >= left_s:  # a smaller one makes the wait for a larger one no longer
                self._far_at = now
            self._ahead += jump

    def believable(self, keeps: timedelta = FAR) -> bool:
        """Look; True when the wall clock may be acted on for what is kept for so long."""
        self.look()
        return not self._unset and self._clock() >= self._believed_from and self._settled(keeps)

    def _settled(self, keeps: timedelta) -> bool:
        return self._left_s(keeps) <= 0

    def _left_s(self, keeps: timedelta) -> float:
        """Seconds until it is believed, as things stand."""
        ahead_s = 0.0 if self._synchronised() else min(self._ahead, keeps).total_seconds()
        return max(self._believed_from, self._far_at + ahead_s) - self._clock()

    def words(self, keeps: timedelta = FAR) -> str:
        """For the status; empty while the clock is believed."""
        if self._unset:
            return "the clock was never set; nothing is deleted by its age until it is"
        if (left_s := self._left_s(keeps)) <= 0:
            return ""
        way, size = ("forward" if self.jumped > timedelta(0) else "back"), abs(self.jumped)
        far = f"{size.days} days" if size >= 2 * FAR else f"{size.total_seconds() / 3600:.1f} h"
        return f"the clock jumped {far} {way}; nothing is deleted by its age for another {left_s / 3600:.1f} h"

    def remember(self, path: Path) -> None:
        """Write down that it is not believed yet, so that no restart makes it so; where it is, that goes. What cannot be written is logged and no more."""
        now = self._clock()
        left_s, far_s = self._believed_from - now, now - self._far_at
        try:
            if left_s <= 0 and self._settled(FAR * 36500):
                path.unlink(missing_ok=True)
                return
            told = {"left_s": max(0.0, left_s), "far_s": min(far_s, 1e12), "ahead_s": self._ahead.total_seconds(), "jump_s": self.jumped.total_seconds()}
            fresh = path.with_name(f".{path.name}")
            fresh.write_text(json.dumps(told), encoding="ascii")
            fresh.replace(path)
        except OSError as error:
            log.warning("that the clock jumped cannot be written down: %s", error)

    def recall(self, path: Path) -> Self:
        """Go on doubting where the last run left off."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            told = {key: float(value) for key, value in json.loads(path.read_bytes()).items()}
            if not all(abs(told[key]) < FOREVER_S for key in ("left_s", "far_s", "ahead_s", "jump_s")):  # a damaged file
                return self
            now = self._clock()
            self._believed_from, self._far_at = now + min(told["left_s"], SETTLE_FAR_S), now - max(0.0, told["far_s"])
            self._ahead, self.jumped = timedelta(seconds=told["ahead_s"]), timedelta(seconds=told["jump_s"])
        return self
