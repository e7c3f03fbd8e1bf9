"""The daemon: one thread takes frames, the main loop works the newest; events go to the store, the rest is told in the status file."""

from __future__ import annotations

import logging
import threading
import time
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
from edge.desk.desk import Desk
from edge.errors import ConfigError
from edge.gate.gate import Gate
from edge.keeper import Keeper
from edge.keeping.housekeeping import Housekeeping
from edge.keeping.veil import Veil
from edge.lists.book import Lists
from edge.notify import notify
from edge.pipeline import Pipeline
from edge.records import Event, Frame
from edge.showing import LivePicture
from edge.slot import Slot
from edge.status import StatusFile
from edge.store import Store
from edge.tally import Tally

if TYPE_CHECKING:
    from edge.adopting import Adopting
    from edge.model.networks import Networks
    from edge.publish.publishing import Publishing
    from edge.reload import Reload

TICK_S = 0.25
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
        networks: Networks | None = None,
        publishing: Publishing | None = None,
        lists: Lists | None = None,
        gate: Gate | None = None,
        governor: Governor | None = None,
        facts: dict[str, Any] | None = None,
        veil: Veil | None = None,
        chores: Sequence[Callable[[bool], None]] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.config, self.pipeline, self.store = config, pipeline, store
        self._clock, self._wall = clock, wall
        self.gate, self.governor, self.veil, self.publishing = gate, governor, veil or Veil(), publishing
        self._stop = threading.Event()
        self._slot = Slot[Frame](Frame.release)
        self.pump = Pump(camera, self._slot, self._stop, Patience.of(config.camera))
        self._keeper = Keeper(store, wall=wall)
        self.house = Housekeeping(store, config.store, chores=chores, clock=clock, wall=wall)
        self._networks = networks
        self.reload: Reload | None = None
        self.adopting: Adopting | None = None
        directory = Path(config.runtime.directory)
        self._status, self._live = StatusFile(directory), LivePicture(directory)
        self._published = self._fed_with = 0
        self.account = Account(
            config,
            {"bundles": bundles or {}} | (facts or {}),
            pump=self.pump,
            keeper=self._keeper,
            house=self.house,
            pipeline=pipeline,
            veil=self.veil,
            clock=clock,
            wall=wall,
        )
        self._introduce(lists)
        self.desk = Desk(
            directory, self.account, store=Path(config.store.path), camera=lambda: self.pump.camera, pipeline=lambda: self.pipeline,
            veil=lambda: self.veil, gate=lambda: self.gate, governor=lambda: self.governor, publishing=lambda: self.publishing, clock=clock, wall=wall,
        )  # fmt: skip
        self._tally = Tally(store, clock=clock, wall=wall)
        self._fed_at = float("-inf")

    def _introduce(self, lists: Lists | None) -> None:
        """Who has a word in the status file. The gate and the targets may come and go, see `use_gate` and `use_publishing`."""
        worries, tellers = self.account.worries, self.account.tellers
        worries.append(lambda: "" if self.publishing is None or self.publishing.detecting else "detection is switched off")
        worries.append(lambda: "" if self.reload is None else self.reload.words())
        if lists is not None:
            worries.append(lambda: lists.trouble)
            tellers["lists"] = lists.as_json
        if (networks := self._networks) is not None:
            worries.append(networks.words)
            tellers["bundles"] = networks.as_json
        worries.append(lambda: "" if self.gate is None else self.gate.problem())
        tellers["detecting"] = lambda: self._detecting
        if self.pipeline.attention is not None:
            tellers["view"] = self.account.view
            tellers["attention"] = lambda: {} if self.pipeline.attention is None else self.pipeline.attention.as_json()
        if self.governor is not None:
            worries.append(self.governor.words)
            tellers["governor"] = self.governor.as_json
        self.use_gate(self.gate)
        self.use_publishing(self.publishing)

    def use_gate(self, gate: Gate | None) -> None:
        """Another gate, or none: then it is closed."""
        self.gate = gate
        if gate is not None:
            gate.believes = lambda: self.house.believes
        self.account.tell("gate", gate.as_json if gate else None)

    def use_publishing(self, publishing: Publishing | None) -> None:
        """Other targets, or none."""
        self.publishing = publishing
        self.account.tell("targets", publishing.as_json if publishing else None)

    def stop(self) -> None:
        """End soon and cleanly; safe to call from a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """0 when stopped or at the end of the source; raises what the camera's thread could not mend."""
        try:
            self._status.offer(self.account.compose, force=True)
        except OSError as error:
            raise ConfigError(f"runtime.directory {self.config.runtime.directory}: cannot be written ({error.strerror})") from None
        self.pump.start()
        if self.governor is not None:
            self.governor.start()
        if self.publishing is not None:
            self.publishing.start()
        notify("READY=1")
        try:
            while not self._stop.is_set() and not self._slot.closed:
                self.turn()
        finally:
            notify("STOPPING=1")
            if self.gate is not None:  # before anything that may fail
                self.gate.close()
            if self.reload is not None:
                self.reload.close()
            self.desk.close()
            self._live.close()
            self._stop.set()
            self._slot.close()
            self.take(self.pipeline.finish(self._clock()), hurry=True)
            self._tally.tell(self.pipeline.judge.reasons)
            self._say(stopped=True)
            if self.publishing is not None:
                self.publishing.stop()
            if self.governor is not None:
                self.governor.stop()
            if (left := self._slot.get(0)) is not None:
                left.release()
            self.pump.join(3.0)
        if self.pump.failure is not None:
            raise self.pump.failure
        return 0

    def turn(self) -> None:
        """One frame, or a short wait for one."""
        self.pump.tend()
        frame = self._slot.get(TICK_S)
        if frame is not None:
            self.account.frame_at = taken_at = self._clock()
            self.take(self.pipeline.step(frame) if self._detecting else self.pipeline.rest(frame.seen_at))
            if self.gate is not None:
                self.gate.consider(self.veil.passes(self.pipeline.passes), frame.seen_at)
            self.pump.heed(frame.luma, [quad for quad, _, _ in self.pipeline.in_view])
            # Only new pictures feed the watchdog: a camera or driver that hangs is mended by a restart, if by nothing else.
            if self.pump.fresh != self._fed_with and taken_at - self._fed_at > 1.0:
                notify("WATCHDOG=1")
                self._fed_at, self._fed_with = taken_at, self.pump.fresh
        elif not self.pump.camera.waits:  # a recording that waits for us has a clock of its own, which stands still meanwhile
            self.take(self.pipeline.rest(self._clock()))
        else:
            self.take([])
        self.house.tend()
        if self.reload is not None:
            self.reload.tend()
        self.desk.tend(frame)
        self._say(frame)
        if frame is not None:
            frame.release()

    def take(self, events: Sequence[Event], *, hurry: bool = False) -> None:
        events = self.veil.events(events)
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
        if self.publishing is not None and self._keeper.saved > self._published:
            self._published = self._keeper.saved
            self.publishing.wake()
        while self.pipeline.judge.withdrawn:
            self._keeper.forget(self.pipeline.judge.withdrawn.pop())
            if self.publishing is not None:
                self.publishing.wake()

    def _say(self, frame: Frame | None = None, *, stopped: bool = False) -> None:
        try:
            if frame is not None:
                shown, size = self.pipeline.in_view, (frame.luma.shape[1], frame.luma.shape[0])
                self._live.offer(frame.picture, lambda: self.account.figures(frame), lambda picture: self.veil.picture(picture, shown, size))
            if self._status.offer(lambda: self._compose(stopped), force=stopped) and self._tally.is_due():
                self._tally.tell(self.pipeline.judge.reasons)
        except OSError as error:
            log.error("the status file cannot be written: %s", error)

    def _compose(self, stopped: bool) -> dict[str, Any]:
        told = self.account.compose(stopped)
        if self.publishing is not None:
            self.publishing.observe(told)
        return told

    @property
    def _detecting(self) -> bool:
        """False while the owner has switched detection off."""
        return self.desk.detecting
