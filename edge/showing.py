"""The live picture: made while somebody looks, in a thread of its own that gives way, so that no frame waits for it.

The frame's thread pays a copy of a small picture a few times a second; encoding and writing are the other thread's. While that one is behind, on a busy
device, nothing is handed over: there is never a queue, and the pictures become fewer by themselves.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.slot import Slot
from edge.status import ALIVE_S, LIVE_NAME, MOST_FIGURES, WATCHED_NAME, replace, with_figures
from edge.vision.image import resize

Picture = npt.NDArray[np.uint8]
"""(H, W) or (H, W, 3)."""
WIDTH, QUALITY = 960, 75
"""As wide as the page shows it on a large screen."""
NICE = 10
FOREVER_S = 1e6
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Shot:
    """What the frame's thread hands over: pixels that nobody else has."""

    picture: Picture
    figures: dict[str, Any]


class LivePicture:
    """`<directory>/live.jpg`, made only while the page has touched `<directory>/watched` within `ALIVE_S`; its thread begins with the first look."""

    def __init__(
        self, directory: Path, *, clock: Callable[[], float] = time.monotonic, wall_s: Callable[[], float] = time.time, interval_s: float = 0.2
    ) -> None:
        self._directory, self._clock, self._wall_s, self._interval_s = directory, clock, wall_s, interval_s
        self._offered_at: float | None = None
        self._slot = Slot[_Shot]()
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._trouble = ""

    def is_watched(self) -> bool:
        """File times are wall time: after a jump of the clock the page's next touch sets it right."""
        try:
            return abs(self._wall_s() - (self._directory / WATCHED_NAME).stat().st_mtime) < ALIVE_S
        except OSError:
            return False

    def offer(self, picture: Picture, figures: Callable[[], dict[str, Any]] = dict, veil: Callable[[Picture], Picture] = lambda seen: seen) -> bool:
        """Have what `veil` leaves of a small copy written with its figures; not where nobody looks, the last is too recent, or its thread is behind."""
        now = self._clock()
        if (self._offered_at is not None and now - self._offered_at < self._interval_s) or not self._idle.is_set() or not self.is_watched():
            return False
        self._offered_at = now
        shot = _Shot(veil(small(picture)), figures())
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="live picture", daemon=True)
            self._thread.start()
        self._idle.clear()
        self._slot.put(shot)
        return True

    def wait(self, timeout_s: float) -> bool:
        """Until what was handed over is written; False where that takes longer."""
        return self._idle.wait(timeout_s)

    def close(self) -> None:
        """No picture after this one."""
        self._slot.close()
        if self._thread is not None:
            self._thread.join(1.0)

    def _work(self) -> None:
        with contextlib.suppress(OSError):  # of this thread alone, as Linux has it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
        while not self._slot.closed:
            shot = self._slot.get(FOREVER_S)
            try:
                if shot is not None:
                    self._write(shot)
            finally:
                del shot  # or the last picture would stay in memory when nobody looks any more
                self._idle.set()

    def _write(self, shot: _Shot) -> None:
        try:
            replace(self._directory / LIVE_NAME, encode(shot.picture, shot.figures))
            self._trouble = ""
        except (OSError, cv2.error) as error:
            words = str(getattr(error, "strerror", None) or error)
            if words != self._trouble:  # once, not five times a second
                log.error("the live picture cannot be written: %s", words)
            self._trouble = words


def small(picture: Picture) -> Picture:
    """A copy, halved as often as it stays as wide as the page shows it: the cheapest there is, and each pixel is of a block of its own."""
    times = 0
    while picture.shape[1] >> (times + 1) >= WIDTH:
        times += 1
    return resize(picture, picture.shape[1] >> times, max(1, picture.shape[0] >> times)) if times else picture.copy()


def encode(picture: Picture, figures: dict[str, Any]) -> bytes:
    """JPEG of the picture, at most `WIDTH` wide, with the figures as JSON in its comment."""
    scale = min(1.0, WIDTH / picture.shape[1])
    shown = resize(picture, WIDTH, max(1, round(picture.shape[0] * scale))) if scale < 1 else picture
    jpeg = bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])
    told = json.dumps(figures, default=float).encode()
    if len(told) > MOST_FIGURES:  # more plates than any picture has
        told = json.dumps({**figures, "plates": []}, default=float).encode()
    return with_figures(jpeg, told)
