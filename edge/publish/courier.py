"""One target's errand: the oldest event that waits, handed over until the target has it, will have none of it, or the daemon stops."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from edge.errors import StoreError
from edge.metrics.histogram import ERRAND_S, Histogram
from edge.publish.backoff import back_off_s
from edge.publish.base import Parcel, Refused, Stumbled, Target, ThrownOut, Unreachable
from edge.publish.dialects import DIALECTS
from edge.publish.doubt import Doubt
from edge.publish.outbox import Outbox
from edge.publish.pace import Pace
from edge.publish.packer import Packer
from edge.publish.settings import TargetConfig
from edge.publish.tables import Counts
from edge.publish.told import Site
from edge.status import utc_iso

LOOK_EVERY_S = 60.0
"""The outbox is looked into at least so often; a new event wakes its courier at once."""
CALM_S = 30.0
log = logging.getLogger(__name__)


class Courier:
    """Owns a target. `turn` does one step and never raises; `run` does them all, in a thread of its own."""

    def __init__(
        self,
        config: TargetConfig,
        target: Target,
        outbox: Outbox,
        site: Callable[[], Site] = Site,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.config, self.target = config, target
        self._outbox, self._site, self._clock, self._wall, self._jitter = outbox, site, clock, wall, jitter
        self._packer = Packer(config)
        self._awake, self._stopped = threading.Event(), threading.Event()
        self._attempts, self._again_at, self._failed_at = 0, float("-inf"), float("-inf")
        self._doubt, self._pace, self._failing = Doubt(config.tries), Pace(config.per_second), False
        self._given: Parcel | None = None
        """The target has it, but the outbox could not write that down yet."""
        self._error, self._error_at, self._delivered_at, self._failing_since = "", "", "", ""
        self._took = Histogram(ERRAND_S)
        """From when the plate was last seen until the target had its event."""

    def wake(self) -> None:
        """There may be something to do. A pause after a failure is not cut short by it."""
        self._awake.set()

    def stop(self) -> None:
        self._stopped.set()
        self._awake.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            self._awake.clear()
            wait_s = self.turn()
            if wait_s > 0 and not self._stopped.is_set():
                self._awake.wait(wait_s)

    def turn(self) -> float:
        """One event, or the target's chores; seconds until there may be more to do."""
        now = self._clock()
        if now < self._again_at:
            return self._again_at - now
        try:
            wait_s = self.target.tend(now)
            self._record()
            if (parcel := self._outbox.next(self.config.name)) is None:
                self._calm(now)
                return min(max(wait_s, 0.0), LOOK_EVERY_S)
            if (pause_s := self._pace.wait_s(now)) > 0:
                return pause_s
            self._hand_over(parcel)
        except (Unreachable, Stumbled, Refused, StoreError) as error:
            self._fail(str(error), getattr(error, "retry_after_s", 0.0))
        except Exception as error:
            log.exception("target %s", self.config.name)
            self._fail(f"an error of Platewatch itself ({type(error).__name__}); the log holds it")
        return max(0.0, self._again_at - self._clock())

    def _hand_over(self, parcel: Parcel) -> None:
        try:
            if why := self._doubt.asked_in_vain(parcel.seq):
                raise Stumbled(why)
            self._send(parcel)
        except Refused as error:
            if not self._doubt.refused(parcel.seq):
                raise
            self._set_aside(parcel, error)
        except Stumbled as error:
            if not self._doubt.stumbled(parcel.seq, str(error)) or not self._another_passes():
                raise
            self._try_once_more(parcel, error)
        self._attempts = 0
        self._well()

    def _another_passes(self) -> bool:
        """Is it this event, or the other side? One of those behind it tells; a different one each time, as that may have the same fault."""
        parcel = self._outbox.next(self.config.name, self._doubt.other)
        if parcel is None:
            self._doubt.none_left()
            return False
        try:
            self._send(parcel)
        except (Unreachable, Stumbled, Refused) as error:
            log.debug("target %s: another event fails too: %s", self.config.name, error)
            self._doubt.another_failed(reached=not isinstance(error, Unreachable), ask_first=isinstance(error, ThrownOut))
            return False
        return True

    def _try_once_more(self, parcel: Parcel, error: Stumbled) -> None:
        """The other side may have got well just now; only an event that fails beside one that passes is at fault."""
        try:
            self._send(parcel)
        except (Stumbled, Refused):
            self._set_aside(parcel, error)

    def _send(self, parcel: Parcel) -> None:
        told = self._packer.pack(parcel, self._site())
        if told.stage != "withdrawn" or DIALECTS[self.config.dialect].takes_back:
            self.target.send(told)
        self._given = parcel
        self._pace.take(self._clock())
        self._delivered_at = utc_iso(now := self._wall())
        with suppress(KeyError, TypeError, ValueError):  # an event of another version may not say when
            self._took.add((now - datetime.fromisoformat(str(parcel.row["last_seen"]))).total_seconds())
        self._record()

    def _set_aside(self, parcel: Parcel, error: Exception) -> None:
        self._outbox.set_aside(parcel, str(error))
        self._note_error(f"an event was set aside after {self.config.tries} tries: {error}")

    def _record(self) -> None:
        """What was handed over leaves the outbox; where that fails it is tried again, and the event is not sent again."""
        if self._given is not None:
            self._outbox.delivered(self._given)
            self._given = None

    def _fail(self, words: str, at_least_s: float = 0.0) -> None:
        self._attempts += 1
        self._failed_at = self._clock()
        self._again_at = self._failed_at + max(back_off_s(self._attempts, self._jitter(), self.config.longest_wait_s), at_least_s)
        self._failing_since = self._failing_since if self._failing else utc_iso(self._wall())
        self._failing = True
        self._note_error(words)

    def _well(self) -> None:
        if self._failing:
            log.info("target %s: reached again", self.config.name)
        self._failing, self._failing_since = False, ""

    def _note_error(self, words: str) -> None:
        log.log(logging.DEBUG if words == self._error else logging.WARNING, "target %s: %s", self.config.name, words)
        self._error, self._error_at = words, utc_iso(self._wall())

    def _calm(self, now: float) -> None:
        """It is reached and nothing waits; when nothing failed for a while, the next failure is a first one again."""
        self._well()
        if self._attempts and now - self._failed_at > CALM_S:
            self._attempts = 0

    def as_json(self, counts: Counts) -> dict[str, Any]:
        """For the status file: no secret, no plate."""
        return {
            "name": self.config.name,
            "kind": self.config.kind,
            "dialect": self.config.dialect,
            "connected": self.target.connected,
            "failing": self._failing,
            "failing_since": self._failing_since,
            **counts.as_json(),
            "last_error": self._error,
            "last_error_at": self._error_at,
            "last_delivered_at": self._delivered_at,
            "took": self._took.as_json(),
        } | ({"ignored": dict(ignored)} if (ignored := getattr(self.target, "ignored", None)) else {})
