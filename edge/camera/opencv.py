"""USB cameras and RTSP streams through OpenCV."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Self

import cv2

from edge.camera.address import without_password
from edge.camera.base import Lost, Why
from edge.camera.checkup import Patience
from edge.camera.device import device_of, is_number, why_not
from edge.camera.knobs import Knob
from edge.camera.pool import Pool
from edge.camera.settings import CameraConfig
from edge.camera.v4l2 import Controls
from edge.camera.video import quiet
from edge.errors import ConfigError
from edge.records import Frame

OPEN_MS, NEVER_MS = 5000, 3_600_000
MOST_BROKEN = 50
"""So many frames in a row that cannot be decoded, and the camera is opened again."""
FFMPEG_OPTIONS = "rtsp_transport;tcp|flags;low_delay|analyzeduration;500000|fpsprobesize;0"
"""TCP, because a lost UDP packet smears a plate; half a second to learn what the stream is, not five.

No `fflags;nobuffer`: it throws away what was received in that half second, and with it the key frame. A camera that sends one every ten seconds gave no
picture before its next one, so that it was taken for stalled, opened again, and so for ever. What is kept is decoded at once: nothing lags behind.
"""


@contextlib.contextmanager
def _options() -> Iterator[None]:
    """Ours, unless the owner has set others; only while a stream is opened, since they would leave frames of a file out."""
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    if name in os.environ:
        yield
        return
    os.environ[name] = FFMPEG_OPTIONS
    try:
        yield
    finally:
        os.environ.pop(name, None)


def open_stream(address: str, silence_ms: int) -> cv2.VideoCapture:
    """Open or not, as it says itself. One decoding thread: each more holds back a frame. A stream that is silent for longer than the limit ends."""
    quiet()
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, silence_ms, cv2.CAP_PROP_N_THREADS, 1]
    with _options():
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


class OpenCvCamera:
    """`source` is a USB camera's number, a device path, or a stream's address."""

    kind = "opencv"
    waits = False

    def __init__(self, config: CameraConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.skipped = config.name, 0
        self._config, self._source, self._limit = config, config.source, config.fps_limit
        self._clock = clock
        # A little before the pump would leave the thread behind, which cannot be woken.
        self._silence_ms = int(900 * Patience.of(config).stall_s) or NEVER_MS
        self._video: cv2.VideoCapture | None = None
        self._index, self.pool = 0, Pool()
        self._controls: Controls | None = None

    def again(self) -> Self:
        return type(self)(self._config, clock=self._clock)

    def __enter__(self) -> Self:
        self._video = self._open()
        if not self._video.isOpened():
            self.__exit__()
            shown = f"camera {self.name}: {without_password(self._source)} cannot be opened"
            if "://" not in self._source:
                raise Lost("not opened", f"{shown}: {why_not(self._source)}")
            raise Lost("not opened", f"{shown}; check the cable, the address and the password")
        return self

    def _open(self) -> cv2.VideoCapture:
        quiet()
        try:
            if "://" in self._source:
                return open_stream(self._source, self._silence_ms)
            video = cv2.VideoCapture(int(self._source) if is_number(self._source) else self._source, cv2.CAP_V4L2)
            # Most USB cameras reach their full rate at full size only as MJPG.
            video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            video.set(cv2.CAP_PROP_FRAME_WIDTH, self._config.width)
            video.set(cv2.CAP_PROP_FRAME_HEIGHT, self._config.height)
            video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            return video
        except (cv2.error, OverflowError, TypeError):
            return cv2.VideoCapture()

    def knobs(self) -> list[Knob]:
        """As `edge.camera.knobs.Adjustable`."""
        return self._device_controls().knobs()

    def try_out(self, values: Mapping[str, float]) -> None:
        """Set in the kernel at once."""
        controls = self._device_controls()
        controls.set(values) if values else controls.restore()

    def _device_controls(self) -> Controls:
        if "://" in self._source:
            raise ConfigError(f"camera {self.name} is an IP camera: its exposure and focus are set on its own page, not from here")
        if self._controls is None:
            self._controls = Controls(device_of(self._source))
        return self._controls

    def __exit__(self, *_: object) -> None:
        if self._video is not None:
            self._video.release()
            self._video = None

    def frames(self) -> Iterator[Frame]:
        taken_at, asked_at, broken = -1e9, self._clock(), 0
        while self._video is not None and broken < MOST_BROKEN:
            asked_at = self._clock()
            if not self._video.grab():
                break
            now = self._clock()
            # Everything is grabbed, so that the device's own queue stays empty; what the limit leaves out is not converted.
            if self._limit and now - taken_at < 0.9 / self._limit:
                continue
            if (shot := self.pool.shot(self._video)) is None:
                self.skipped, broken = self.skipped + 1, broken + 1
                continue
            taken_at, broken = now, 0
            luma, colour, let_go = shot
            yield Frame(luma, now, self.name, colour, self._index, let_go=let_go)
            self._index += 1
        silent_s = self._clock() - asked_at
        why: Why = "garbage" if broken else "stalled" if silent_s > 0.8 * self._silence_ms / 1000 else "gone"
        raise Lost(why, f"camera {self.name}: {without_password(self._source)} sends no more pictures")
