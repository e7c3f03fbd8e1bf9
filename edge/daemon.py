"""The daemon: one thread takes frames, the main loop works the newest; events go to the store, the rest is told in the status file."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.account import Account
from edge.attention.governor import Governor
from edge.camera.base import Camera
from edge.camera.checkup import Patience
from edge.camera.pump import Pump
from edge.config import Config
from edge.errors import ConfigError, StoreError
from edge.gate.gate import Gate
from edge.keeper import Keeper
from edge.keeping.housekeeping import Housekeeping
from edge.keeping.veil import Veil
from edge.lists.book import Lists
from edge.notify import notify
from edge.pipeline import Pipeline
from edge.records import Event, Frame
from edge.slot import Slot
from edge.status import LivePicture, StatusFile, utc_iso
from edge.store import Store

if TYPE_CHECKING:
    from edge.publish.publishing import Publishing
    from edge.reload import Reload

TICK_S = 0.25
REASONS_EVERY_S = 30.0
log = logging.getLogger(__name__)


class Daemon:
    """Runs a pipeline on a camera until the source ends or `stop` is called."""

    def __init__(
        self,
        config: Config,
        camera: Camera,
        pipeline: Pipeline,
        store: Store,
        *,
        bundles: dict[str, Any] | None = None,
        publishing: Publishing | None = None,
        lists: Lists | None = None,
        gate: Gate | None = None,
        governor: Governor | None = None,
        facts: dict[str, Any] | None = None,
        veil: Veil | None = None,
        chores: Sequence[Callable[[], None]] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._pipeline, self._store = config, pipeline, store
        self._clock, self._wall = clock, wall
        self._gate, self._governor, self._veil = gate, governor, veil or Veil()
        self._stop = threading.Event()
        self._slot = Slot[Frame](Frame.release)
        self._pump = Pump(camera, self._slot, self._stop, Patience.of(config.camera))
        self._keeper = Keeper(store, wall=wall)
        self._house = Housekeeping(store, config.store, chores=chores, clock=clock, wall=wall)
        self._publishing = publishing
        self.reload: Reload | None = None
        directory = Path(config.runtime.directory)
        self._status, self._live = StatusFile(directory), LivePicture(directory)
        self._published = self._fed_with = 0
        self.account = Account(
            config,
            {"bundles": bundles or {}} | (facts or {}),
            pump=self._pump,
            keeper=self._keeper,
            house=self._house,
            pipeline=pipeline,
            veil=self._veil,
            clock=clock,
            wall=wall,
        )
        self._introduce(lists)
        self._told: Counter[str] = Counter()
        self._tell_at = self._fed_at = float("-inf")

    def _introduce(self, lists: Lists | None) -> None:
        """Who has a word in the status file."""
        worries, tellers = self.account.worries, self.account.tellers
        if (publishing := self._publishing) is not None:
            worries.append(lambda: "" if publishing.detecting else "detection is switched off")
            tellers |= {"detecting": lambda: publishing.detecting, "targets": publishing.as_json}
        worries.append(lambda: "" if self.reload is None else self.reload.words())
        if lists is not None:
            worries.append(lambda: lists.trouble)
        if self._gate is not None:
            worries.append(self._gate.problem)
            tellers["gate"] = self._gate.as_json
        if self._pipeline.attention is not None:
            tellers["attention"] = self._pipeline.attention.as_json
        if self._governor is not None:
            worries.append(self._governor.words)
            tellers["governor"] = self._governor.as_json

    def stop(self) -> None:
        """End soon and cleanly; safe to call from a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """0 when stopped or at the end of the source; raises what the camera's thread could not mend."""
        try:
            self._status.offer(self.account.compose, force=True)
        except OSError as error:
            raise ConfigError(f"runtime.directory {self._config.runtime.directory}: cannot be written ({error.strerror})") from None
        self._pump.start()
        if self._governor is not None:
            self._governor.start()
        if self._publishing is not None:
            self._publishing.start()
        notify("READY=1")
        try:
            while not self._stop.is_set() and not self._slot.closed:
                self.turn()
        finally:
            notify("STOPPING=1")
            if self._gate is not None:  # before anything that may fail
                self._gate.close()
            self._stop.set()
            self._slot.close()
            self._take(self._pipeline.finish(self._clock()), hurry=True)
            self._tell_reasons()
            self._say(stopped=True)
            if self._publishing is not None:
                self._publishing.stop()
            if self._governor is not None:
                self._governor.stop()
            if (left := self._slot.get(0)) is not None:
                left.release()
            self._pump.join(3.0)
        if self._pump.failure is not None:
            raise self._pump.failure
        return 0

    def turn(self) -> None:
        """One frame, or a short wait for one."""
        self._pump.tend()
        frame = self._slot.get(TICK_S)
        if frame is not None:
            self.account.frame_at = taken_at = self._clock()
            self._take(self._pipeline.step(frame) if self._detecting else self._pipeline.rest(frame.seen_at))
            if self._gate is not None:
                self._gate.consider(self._veil.passes(self._pipeline.passes), frame.seen_at)
            self._pump.heed(frame.luma, [quad for quad, _, _ in self._pipeline.in_view])
            # Only new pictures feed the watchdog: a camera or driver that hangs is mended by a restart, if by nothing else.
            if self._pump.fresh != self._fed_with and taken_at - self._fed_at > 1.0:
                notify("WATCHDOG=1")
                self._fed_at, self._fed_with = taken_at, self._pump.fresh
        elif not self._pump.camera.waits:  # a recording that waits for us has a clock of its own, which stands still meanwhile
            self._take(self._pipeline.rest(self._clock()))
        else:
            self._take([])
        self._house.tend()
        if self.reload is not None:
            self.reload.tend()
        self._say(frame)
        if frame is not None:
            frame.release()

    def adopt(self, config: Config) -> None:
        """Go on by what a running daemon can change of its config; raises ConfigError before anything has changed."""
        self._veil.adopt(config.privacy)
        self._house.config = config.store
        self._pipeline.judge.adopt(config.tracking)

    def _take(self, events: Sequence[Event], *, hurry: bool = False) -> None:
        events = self._veil.events(events)
        for event in events:
            self.account.count(event)
            log.info(
                "%s %s: %d looks, %d agree, confidence %.2f",
                "preview" if event.preview else "event",
                event.id[:8],
                event.looks,
                event.agreeing,
                event.confidence,
            )
            log.debug("event %s reads %s", event.id[:8], event.text)
        self._keeper.keep(events, self._clock(), hurry=hurry)
        if self._publishing is not None and self._keeper.saved > self._published:
            self._published = self._keeper.saved
            self._publishing.wake()
        while self._pipeline.judge.withdrawn:
            self._keeper.forget(self._pipeline.judge.withdrawn.pop())

    def _tell_reasons(self) -> None:
        fresh = self._pipeline.judge.reasons - self._told
        self._tell_at = self._clock() + REASONS_EVERY_S
        try:
            if fresh:
                with self._store.batch():
                    for reason, count in fresh.items():
                        self._store.add_reason(reason, utc_iso(self._wall()), count)
                self._told += fresh
        except StoreError as error:
            log.error("%s", error)  # they are still counted in memory, and told next time

    def _say(self, frame: Frame | None = None, *, stopped: bool = False) -> None:
        try:
            if frame is not None:
                shown = self._pipeline.in_view
                self._live.offer(frame.picture, self._veil.in_view(shown), lambda picture: self._veil.picture(picture, shown))
            if self._status.offer(lambda: self._compose(stopped), force=stopped) and self._clock() >= self._tell_at:
                self._tell_reasons()
        except OSError as error:
            log.error("the status file cannot be written: %s", error)

    def _compose(self, stopped: bool) -> dict[str, Any]:
        told = self.account.compose(stopped)
        if self._publishing is not None:
            self._publishing.observe(told)
        return told

    @property
    def _detecting(self) -> bool:
        """False while the owner has switched detection off."""
        return self._publishing is None or self._publishing.detecting
