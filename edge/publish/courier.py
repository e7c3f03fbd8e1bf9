"""One target's errand: the oldest event that waits, handed over until the target has it, refuses it for good, or the daemon stops."""

from __future__ import annotations

import dataclasses
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.errors import StoreError
from edge.publish.backoff import back_off_s
from edge.publish.base import Parcel, Refused, Target, Unreachable
from edge.publish.files import PictureFolder
from edge.publish.outbox import Counts, Outbox
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told
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
        self._refusals, self._failing = 0, False
        self._given: Parcel | None = None
        """The target has it, but the outbox could not write that down yet."""
        self._error, self._error_at, self._delivered_at = "", "", ""

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
            self._hand_over(parcel)
        except (Unreachable, StoreError) as error:
            self._fail(str(error), getattr(error, "retry_after_s", 0.0))
        except Refused as error:  # of a chore, not of an event
            self._fail(str(error))
        except Exception as error:
            log.exception("target %s", self.config.name)
            self._fail(f"an error of Platewatch itself ({type(error).__name__}); the log holds it")
        return max(0.0, self._again_at - self._clock())

    def _hand_over(self, parcel: Parcel) -> None:
        try:
            self.target.send(self._packer.pack(parcel, self._site()))
        except Refused as error:
            self._refusals += 1
            if self._refusals < self.config.tries:
                self._fail(str(error))
                return
            self._outbox.set_aside(parcel, str(error))
            self._refusals = 0
            self._note_error(f"an event was set aside after {self.config.tries} tries: {error}")
        else:
            self._given, self._refusals = parcel, 0
            self._delivered_at = utc_iso(self._wall())
            self._record()
        self._attempts = 0
        self._well()

    def _record(self) -> None:
        """What was handed over leaves the outbox; where that fails it is tried again, and the event is not sent again."""
        if self._given is not None:
            self._outbox.delivered(self._given)
            self._given = None

    def _fail(self, words: str, at_least_s: float = 0.0) -> None:
        self._attempts += 1
        self._failed_at = self._clock()
        self._again_at = self._failed_at + max(back_off_s(self._attempts, self._jitter(), self.config.longest_wait_s), at_least_s)
        self._failing = True
        self._note_error(words)

    def _well(self) -> None:
        if self._failing:
            log.info("target %s: reached again", self.config.name)
        self._failing = False

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
            **counts.as_json(),
            "last_error": self._error,
            "last_error_at": self._error_at,
            "last_delivered_at": self._delivered_at,
        }


class Packer:
    """Makes of a parcel what the dialects are given: with its picture, or that written to a file, or without."""

    def __init__(self, config: TargetConfig) -> None:
        self._config = config
        self._folder = PictureFolder(config.picture_folder, config.keep_pictures) if config.picture == "file" else None

    def pack(self, parcel: Parcel, site: Site, *, test: bool = False) -> Told:
        site = dataclasses.replace(site, camera_id=self._config.camera_id)
        told = Told(parcel.row, site, parcel.picture if self._config.picture != "none" else b"", target=self._config.name, test=test)
        if self._folder is None or not told.picture:
            return told
        path = self._folder.save(told)
        name = os.path.relpath(path, Path(self._config.path).parent) if self._config.kind == "csv" else str(path)
        return dataclasses.replace(told, picture_file=name)
