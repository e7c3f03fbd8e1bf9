"""The daemon: one thread takes frames, the main loop works the newest; events go to the store, the rest is told in the status file."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.camera.base import Camera, back_off_s
from edge.camera.pump import Pump
from edge.config import Config
from edge.errors import ConfigError, StoreError
from edge.pipeline import Pipeline
from edge.records import Event, Frame
from edge.slot import Slot
from edge.status import LivePicture, State, StatusFile, utc_iso, version
from edge.store import Store

IDLE_AFTER_S = 2.0
TICK_S = 0.25
PURGE_EVERY_S = 600.0
log = logging.getLogger(__name__)


class Keeper:
    """Hands events to the store; what it will not take now waits here, at most `bound` events, and is offered again."""

    def __init__(self, store: Store, *, bound: int = 500) -> None:
        self._store, self._bound = store, bound
        self._waiting = deque[Event]()
        self._failed, self._again_at = 0, float("-inf")
        self.saved = self.lost = 0
        self.trouble = ""

    def keep(self, events: Sequence[Event], now: float, *, hurry: bool = False) -> None:
        """Store these and those still waiting; after a failure not before its back-off is over, unless in a `hurry`."""
        self._waiting.extend(events)
        while len(self._waiting) > self._bound:
            self._waiting.popleft()
            self.lost += 1
            log.error("an event is lost: the store takes none and %d wait already", self._bound)
        if not self._waiting or (now < self._again_at and not hurry):
            return
        try:
            while self._waiting:
                self._store.add(self._waiting[0])  # idempotent by id: an event that was stored after all is not stored twice
                self._waiting.popleft()
                self.saved += 1
        except StoreError as error:
            self._failed += 1
            self._again_at = now + back_off_s(self._failed)
            self.trouble = f"{len(self._waiting)} events wait to be stored: {error}"
            log.error("%s", self.trouble)
        else:
            self._failed, self.trouble = 0, ""


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
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config, self._pipeline, self._store = config, pipeline, store
        self._clock, self._wall = clock, wall
        self._stop = threading.Event()
        self._slot = Slot[Frame]()
        self._pump = Pump(camera, self._slot, self._stop)
        self._keeper = Keeper(store)
        directory = Path(config.runtime.directory)
        self._status, self._live = StatusFile(directory), LivePicture(directory)
        self._facts = {"v": 1, "version": version(), "pid": os.getpid(), "started_at": utc_iso(wall()), "bundles": bundles or {}}
        self._events = 0
        self._frame_at: float | None = None
        self._told: Counter[str] = Counter()
        self._purge_at = self._fed_at = float("-inf")
        self._trouble = ""

    def stop(self) -> None:
        """End soon and cleanly; safe to call from a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """0 when stopped or at the end of the source; raises what the camera's thread could not mend."""
        try:
            self._status.offer(self._compose, force=True)
        except OSError as error:
            raise ConfigError(f"runtime.directory {self._config.runtime.directory}: cannot be written ({error.strerror})") from None
        thread = threading.Thread(target=self._pump.run, name="camera", daemon=True)
        thread.start()
        notify("READY=1")
        try:
            while not self._stop.is_set() and not self._slot.closed:
                self.turn()
        finally:
            notify("STOPPING=1")
            self._stop.set()
            self._slot.close()
            self._take(self._pipeline.finish(self._clock()), hurry=True)
            self._tell_reasons()
            self._say(stopped=True)
            thread.join(timeout=3.0)
        if self._pump.failure is not None:
            raise self._pump.failure
        return 0

    def turn(self) -> None:
        """One frame, or a short wait for one."""
        frame = self._slot.get(TICK_S)
        if frame is not None:
            self._frame_at = self._clock()
            self._take(self._pipeline.step(frame))
            if self._frame_at - self._fed_at > 1.0:  # only frames feed the watchdog: a hung camera driver is mended by a restart
                notify("WATCHDOG=1")
                self._fed_at = self._frame_at
        elif not self._pump.camera.waits:  # a recording that waits for us has a clock of its own, which stands still meanwhile
            self._take(self._pipeline.rest(self._clock()))
        else:
            self._take([])
        self._tidy()
        self._say(frame)

    def _take(self, events: Sequence[Event], *, hurry: bool = False) -> None:
        for event in events:
            self._events += 1
            log.info("event %s: %d looks, %d agree, confidence %.2f", event.id[:8], event.looks, event.agreeing, event.confidence)
            log.debug("event %s reads %s", event.id[:8], event.text)
        self._keeper.keep(events, self._clock(), hurry=hurry)

    def _tidy(self) -> None:
        """Every few minutes: what is too old or too much goes; reasons are written down."""
        now = self._clock()
        if now < self._purge_at:
            return
        self._purge_at = now + PURGE_EVERY_S
        try:
            gone = self._store.purge(utc_iso(self._wall() - timedelta(days=self._config.store.retention_days)))
            gone += self._store.make_room(self._config.store.keep_at_least_mb_free)
            log.log(logging.INFO if gone else logging.DEBUG, "%d old events deleted", gone)
            self._trouble = ""
        except StoreError as error:
            self._trouble = str(error)
            log.error("%s", error)

    def _tell_reasons(self) -> None:
        fresh = self._pipeline.judge.reasons - self._told
        try:
            for reason, count in fresh.items():
                self._store.add_reason(reason, utc_iso(self._wall()), count)
                self._told[reason] += count
        except StoreError as error:
            log.error("%s", error)  # they are still counted in memory, and told next time

    def _say(self, frame: Frame | None = None, *, stopped: bool = False) -> None:
        try:
            if frame is not None:
                self._live.offer(frame.picture, self._pipeline.in_view)
            if self._status.offer(lambda: self._compose(stopped), force=stopped):
                self._tell_reasons()
        except OSError as error:
            log.error("the status file cannot be written: %s", error)

    def _state(self, stopped: bool) -> State:
        if stopped:
            return "stopped"
        if self._pump.lost is not None:
            return "camera lost"
        if self._frame_at is None:
            return "starting"
        return "idle" if self._clock() - self._frame_at > IDLE_AFTER_S else "watching"

    def _compose(self, stopped: bool = False) -> dict[str, Any]:
        meter, troubles = self._pipeline.meter, (self._pump.lost, self._keeper.trouble, self._trouble)
        plates = [
            {"quad": [[round(x, 1), round(y, 1)] for x, y in quad.points], "text": text, "confidence": sure} for quad, text, sure in self._pipeline.in_view
        ]
        return self._facts | {
            "state": self._state(stopped),
            "detail": "; ".join(trouble for trouble in troubles if trouble),
            "updated_at": utc_iso(self._wall()),
            "camera": self._pump.as_json(),
            "fps": meter.fps(self._clock()),
            "stages_ms": meter.stages_ms(),
            "plates_in_view": plates,
            "events": self._events,
            "reasons": dict(self._pipeline.judge.reasons),
            "threads": self._config.models.threads,
        }


def notify(message: str) -> None:
    """Tell systemd, where it listens (sd_notify); elsewhere nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.setblocking(False)  # a systemd that does not listen must not stop the watch
            to.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError as error:
        log.warning("systemd cannot be told %s: %s", message, error)
