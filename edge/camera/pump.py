"""The thread between a camera and the slot."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Any

from edge.camera.base import Camera, back_off_s
from edge.errors import CameraLost
from edge.records import Frame
from edge.slot import Slot

FOREVER_S = 1e6
log = logging.getLogger(__name__)


class Pump:
    """Opens the camera, lays its frames into the slot, and opens it again after a loss, ever more patiently."""

    def __init__(self, camera: Camera, slot: Slot[Frame], stop: threading.Event) -> None:
        self.camera, self._slot, self._stop = camera, slot, stop
        self.frames = self.reopened = self.width = self.height = 0
        self.lost: str | None = None
        self.failure: Exception | None = None
        self._taken_at = deque[float](maxlen=60)

    def run(self) -> None:
        """Until the source ends or `stop` is set; the slot is closed then. What no patience mends is left in `failure`."""
        failed = 0
        try:
            while not self._stop.is_set():
                try:
                    with self.camera:
                        for frame in self.camera.frames():
                            self.reopened += self.lost is not None
                            self.lost, failed = None, 0
                            self._lay_down(frame)
                            if self._stop.is_set():
                                return
                    return
                except CameraLost as error:
                    failed += 1
                    self.lost = f"{error}; trying again"
                    log.warning("%s in %.1f s", self.lost, back_off_s(failed))
                    self._stop.wait(back_off_s(failed))
        except Exception as error:
            self.failure = error
        finally:
            self._slot.close()

    def _lay_down(self, frame: Frame) -> None:
        self.frames += 1
        self.height, self.width = frame.luma.shape
        self._taken_at.append(frame.seen_at)
        self._slot.put(frame, wait_s=FOREVER_S if self.camera.waits else 0.0)

    def as_json(self) -> dict[str, Any]:
        times = list(self._taken_at)
        fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
        return {
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
