"""USB cameras and RTSP streams through OpenCV."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Self

import cv2
import numpy as np

from edge.config import CameraConfig
from edge.errors import CameraLost
from edge.records import Frame
from edge.vision.image import to_luma

TIMEOUT_MS = 5000
FFMPEG_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
"""TCP, because a lost UDP packet smears a plate; no buffer, because a gate does not wait."""


def without_password(source: str) -> str:
    """rtsp://user:secret@host -> rtsp://***@host: what may stand in a log or on the page."""
    return re.sub(r"//[^/@]*@", "//***@", source)


class OpenCvCamera:
    """`source` is a USB camera's number, a device path, or a stream's address."""

    kind = "opencv"
    waits = False

    def __init__(self, config: CameraConfig, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.skipped = config.name, 0
        self._source, self._size, self._limit = config.source, (config.width, config.height), config.fps_limit
        self._clock = clock
        self._video: cv2.VideoCapture | None = None
        self._index = 0

    def __enter__(self) -> Self:
        self._video = self._open()
        if not self._video.isOpened():
            self.__exit__()
            raise CameraLost(f"camera {self.name}: {without_password(self._source)} cannot be opened; check the cable, the address and the password")
        return self

    def _open(self) -> cv2.VideoCapture:
        if "://" in self._source:
            os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", FFMPEG_OPTIONS)
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]
            return cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, limits)
        video = cv2.VideoCapture(int(self._source) if self._source.isdigit() else self._source, cv2.CAP_V4L2)
        # Most USB cameras reach their full rate at full size only as MJPG.
        video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        video.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return video

    def __exit__(self, *_: object) -> None:
        if self._video is not None:
            self._video.release()
            self._video = None

    def frames(self) -> Iterator[Frame]:
        taken_at = -1e9
        while True:
            if self._video is None or not self._video.grab():
                raise CameraLost(f"camera {self.name}: {without_password(self._source)} sends no more pictures")
            now = self._clock()
            # Everything is grabbed, so that the device's own queue stays empty; what the limit leaves out is not decoded.
            if self._limit and now - taken_at < 0.9 / self._limit:
                continue
            taken_at = now
            decoded, bgr = self._video.retrieve()
            if not decoded:
                self.skipped += 1
                continue
            picture = np.asarray(bgr, dtype=np.uint8)
            yield Frame(to_luma(picture), now, self.name, picture, self._index)
            self._index += 1
