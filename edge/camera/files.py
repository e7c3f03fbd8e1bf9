"""Pictures and recordings played as a camera."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import cv2

from edge.camera.pool import Pool, Shot
from edge.camera.settings import CameraConfig
from edge.camera.video import opened
from edge.errors import CameraLost, ConfigError, ImageError
from edge.records import Frame
from edge.vision.image import load_image

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v", ".ts", ".mjpeg"})
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
PICTURES_PER_S = 2.0
log = logging.getLogger(__name__)


def nothing() -> None:
    """A picture's memory goes with its frame."""


class FilesCamera:
    """`source` is a picture, a folder of pictures (in the order of their names), or a video.

    In real time it is played at its own pace; otherwise frames come as fast as they are fetched, and `seen_at` counts the recording's time.
    """

    kind = "files"

    def __init__(self, config: CameraConfig, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name, self.skipped, self.waits = config.name, 0, not config.real_time
        self._source, self._loop, self._limit = Path(config.source), config.loop, config.fps_limit
        self._config, self._clock, self._sleep = config, clock, sleep
        self._index, self.pool = 0, Pool()

    def again(self) -> Self:
        return type(self)(self._config, clock=self._clock, sleep=self._sleep)

    def __enter__(self) -> Self:
        if not self._source.exists():
            raise ConfigError(f"{self._source}: no such file or folder; set camera.source")
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def frames(self) -> Iterator[Frame]:
        started, played_s = self._clock(), 0.0
        while True:
            before = self._index
            for (luma, colour, let_go), lasts_s in self._pictures():
                due = started + played_s
                if not self.waits and (early_s := due - self._clock()) > 0:
                    self._sleep(early_s)
                yield Frame(luma, due if self.waits else self._clock(), self.name, colour, self._index, let_go=let_go)
                del luma, colour  # or they would outlive the frame by the time that the next one takes
                self._index += 1
                played_s += lasts_s
            if self._index == before:
                raise ConfigError(f"{self._source}: holds no picture or video that can be read; set camera.source")
            if not self._loop:
                return

    def _pictures(self) -> Iterator[tuple[Shot, float]]:
        """Each picture with the seconds until the next."""
        if self._source.suffix.lower() in VIDEO_SUFFIXES:
            yield from self._video()
            return
        found = sorted(path for path in self._source.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES) if self._source.is_dir() else [self._source]
        for path in found:
            try:
                yield (*load_image(path), nothing), 1 / (self._limit or PICTURES_PER_S)
            except ImageError as error:
                self.skipped += 1
                log.warning("skipped %s", error)

    def _video(self) -> Iterator[tuple[Shot, float]]:
        video, pool = opened(str(self._source)), self.pool
        try:
            if not video.isOpened():
                raise CameraLost(f"{self._source}: cannot be opened as a video; copy it again or convert it to mp4")
            fps = video.get(cv2.CAP_PROP_FPS)
            own_fps = fps if 1 <= fps <= 240 else 25.0  # some containers do not know theirs
            every_s = 1 / min(own_fps, self._limit or own_fps)
            wanted_s = position_s = 0.0
            while video.grab():  # decoding what the limit leaves out would be wasted
                if position_s + 1e-6 >= wanted_s:
                    if (shot := pool.shot(video)) is None:
                        self.skipped += 1
                    else:
                        yield shot, every_s
                    wanted_s += every_s
                position_s += 1 / own_fps
        finally:
            video.release()
