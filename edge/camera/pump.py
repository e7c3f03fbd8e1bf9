"""The thread between a camera and the slot, and the eye on it.

A driver may hang in native code, where nothing can end it. So the thread that reads is one that can be left behind: when it is silent for too
long, another one with a fresh camera takes its place, and what the old one still brings is thrown away. When too many hang, no more are begun,
and without frames systemd's watchdog starts the whole process anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from edge.camera.base import Camera, Heedful, Lost, Pooled, Why, back_off_s
from edge.camera.checkup import Checkup, Patience
from edge.camera.overview import overview
from edge.camera.shift import Shift
from edge.errors import CameraLost
from edge.records import Frame, Luma, Quad
from edge.slot import Slot

FOREVER_S = 1e6
RELIEF_S = 5.0
"""So long a camera that is exchanged has to be closed."""
MOST_HUNG = 3
"""So many threads may hang; with one more, none is begun."""
log = logging.getLogger(__name__)


class Pump:
    """Opens the camera, lays its frames into the slot, and opens it again after a loss, ever more patiently."""

    def __init__(
        self, camera: Camera, slot: Slot[Frame], stop: threading.Event, patience: Patience | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.camera, self._slot, self._stop, self._clock = camera, slot, stop, clock
        self._patience = Patience() if patience is None or camera.waits else patience
        self._checkup = Checkup(self._patience)
        self._shift = Shift(camera, clock())
        self._hung: list[Shift] = []
        self._next: tuple[Camera, Patience, bool] | None = None
        self._failed = 0
        self.frames = self.fresh = self.reopened = self.resized = self.width = self.height = 0
        self.losses: Counter[Why] = Counter()
        self.lost: str | None = None
        self.failure: Exception | None = None
        self._taken_at = deque[float](maxlen=60)

    def start(self) -> None:
        """Begin to read, in a thread."""
        self._begin(self._shift)

    def run(self) -> None:
        """Read in this thread until the source ends or `stop` is set; the slot is closed then. What no patience mends is left in `failure`."""
        self._work(self._shift)

    def exchange(self, camera: Camera, patience: Patience, *, trial: bool) -> None:
        """Go on with another camera as soon as the one of before is closed, which may be the same device; `tend` sees to it.

        On `trial` one that cannot be used at all is a matter of the `verdict`, and the source has not ended.
        """
        self._next = camera, patience, trial
        if not self._shift.left:
            self._shift.left, self._shift.beat_at = True, self._clock()

    def be_patient(self, patience: Patience) -> None:
        """Another patience with the same camera."""
        self._patience = Patience() if self.camera.waits else patience
        self._checkup = Checkup(self._patience)

    def keep(self) -> None:
        """The trial is over, whatever it showed."""
        self._shift.trial = False

    def verdict(self) -> str | None:
        """Of the camera that was exchanged last: empty once it has sent a picture, a sentence where it cannot be used, None while nobody knows."""
        if self._next is not None or (self._shift.trial and not self._shift.refused):
            return None
        return self._shift.refused

    def _relieve(self, camera: Camera, patience: Patience, trial: bool) -> None:
        shift, now = self._shift, self._clock()
        if shift.thread is not None and shift.thread.is_alive() and shift.stage != "waiting":
            if now - shift.beat_at < RELIEF_S:
                return  # it closes its device first
            self._hung += [shift] if all(one is not shift for one in self._hung) else []
        self._next, self.camera = None, camera
        self.be_patient(patience)
        self.lost, self._failed, self.width, self.height = None, 0, 0, 0
        self._shift = Shift(camera, now, trial=trial)
        self._begin(self._shift)

    def tend(self) -> None:
        """To be called every now and then: leave a thread that hangs behind, and begin another."""
        if self._next is not None:
            self._relieve(*self._next)
            return
        shift, now = self._shift, self._clock()
        limit_s = self._patience.open_s if shift.stage == "opening" else self._patience.stall_s
        if shift.thread is None or shift.stage == "waiting" or not self._patience.stall_s or self._stop.is_set():
            return
        if shift.refused or (not shift.left and now - shift.beat_at < limit_s):
            return
        if not shift.left:
            shift.left = True
            if shift.stage != "closing":  # else it is lost already
                self._lose("stalled", f"camera {shift.camera.name}: has sent nothing for {now - shift.beat_at:.0f} s")
            self._hung.append(shift)
        self._hung = [one for one in self._hung if one.thread is not None and one.thread.is_alive()]
        if len(self._hung) > MOST_HUNG:
            self.lost = f"camera {shift.camera.name}: its driver hangs, {len(self._hung)} times over; it is back when the driver is, or after a restart"
            return
        self.camera = shift.camera.again()
        self._shift = Shift(self.camera, now)
        self._begin(self._shift)

    def join(self, timeout_s: float) -> None:
        """Wait for the thread that reads; those that hang end with the process."""
        if self._shift.thread is not None and not self._shift.left:
            self._shift.thread.join(timeout_s)

    def heed(self, luma: Luma, quads: Sequence[Quad]) -> None:
        """Tell the camera which plates a frame showed, if it wants to know."""
        if isinstance(self.camera, Heedful):
            self.camera.heed(luma, quads)

    def _begin(self, shift: Shift) -> None:
        if isinstance(shift.camera, Pooled) and not shift.camera.waits:
            shift.camera.pool.make_room = lambda: None if self._done(shift) else self._slot.drop()
        shift.thread = threading.Thread(target=self._work, args=(shift,), name="camera", daemon=True)
        shift.thread.start()

    def _work(self, shift: Shift) -> None:
        try:
            while not self._done(shift):
                self._wait(shift)
                try:
                    if self._read(shift):
                        return
                except CameraLost as error:
                    self._lose("not opened", str(error), shift)
        except Exception as error:
            if shift.trial and not shift.left:
                shift.refused, shift.left = str(error), True
            elif not shift.left:
                self.failure = error
        finally:
            if not shift.left:
                self._slot.close()

    def _done(self, shift: Shift) -> bool:
        return shift.left or self._stop.is_set()

    def _wait(self, shift: Shift) -> None:
        shift.stage = "waiting"
        if self._failed:
            self._stop.wait(back_off_s(self._failed))

    def _read(self, shift: Shift) -> bool:
        """One life of the camera: True when it came to its end, False when the camera was lost; CameraLost when it could not be opened."""
        shift.beat_at, shift.stage = self._clock(), "opening"
        if self._done(shift):
            return True
        with shift.camera:
            self._checkup.reopened()
            shift.beat_at, shift.stage = self._clock(), "reading"
            try:
                for frame in shift.camera.frames():
                    shift.beat_at = self._clock()
                    if self._done(shift):
                        frame.release()
                        return True
                    self._take(frame, shift)
                    del frame  # its memory may be the camera's, which could not be closed as long as we look at it
                    if shift.camera.waits:  # one frame is worked, one lies ready: a third in hand would only take memory
                        self._slot.wait_for_room(FOREVER_S)
            except CameraLost as error:  # told before it is closed, which may take its time too
                self._lose(getattr(error, "why", "gone"), str(error), shift)
                shift.beat_at, shift.stage = self._clock(), "closing"
                return False
        return True

    def _take(self, frame: Frame, shift: Shift) -> None:
        found = self._checkup.look(frame.luma, self._clock())
        if found.lost is not None:
            frame.release()
            why, words = found.lost
            raise Lost(why, f"camera {shift.camera.name}: {words}")
        if not found.usable:
            shift.camera.skipped += 1
            frame.release()
            return
        self.frames += 1
        if found.fresh:
            self.fresh += 1
            shift.trial = False
            self.reopened += self.lost is not None
            self.lost, self._failed = None, 0
        self._measure(*frame.luma.shape)
        self._taken_at.append(frame.seen_at)
        if frame.overview is None:
            frame = replace(frame, overview=overview(frame.luma))
        self._slot.put(frame, wait_s=FOREVER_S if shift.camera.waits else 0.0)

    def _measure(self, height: int, width: int) -> None:
        """Pictures of another size than before: its owner should know, since plates are so much larger or smaller now."""
        if self.width and self._patience.live and (width, height) != (self.width, self.height):
            self.resized += 1
            log.warning("camera %s: its pictures are %dx%d now; they were %dx%d", self.camera.name, width, height, self.width, self.height)
        self.width, self.height = width, height

    def _lose(self, why: Why, message: str, shift: Shift | None = None) -> None:
        if shift is not None and self._done(shift):
            return
        self._failed += 1
        self.losses[why] += 1
        self.lost = f"{message}; trying again"
        # A camera that is gone for a week is told of every ten minutes: the journal lives on a card too.
        often = self._failed <= 6 or self._failed % 40 == 0
        log.log(logging.WARNING if often else logging.DEBUG, "%s in %.1f s", self.lost, back_off_s(self._failed))

    def as_json(self) -> dict[str, Any]:
        times = list(self._taken_at)
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
        told: dict[str, Any] = {
            "name": self.camera.name,
            "kind": self.camera.kind,
            "width": self.width,
            "height": self.height,
            "fps": round(fps, 1),
            "frames": self.frames,
            "dropped": self._slot.dropped,
            "reopened": self.reopened,
            "skipped": self.camera.skipped,
        }
        told |= ({"losses": dict(self.losses)} if self.losses else {}) | ({"resized": self.resized} if self.resized else {})
        return told | (self.camera.state() if isinstance(self.camera, Heedful) else {})
