"""The Raspberry Pi camera. Luma is the Y plane as the ISP wrote it: the processor converts nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from edge.config import CameraConfig
from edge.errors import CameraLost, ConfigError
from edge.records import Frame, Luma


def luma_plane(buffer: npt.NDArray[np.uint8], width: int, height: int, stride: int) -> Luma:
    """(height, width) view of the Y plane that a YUV420 buffer (bytes,) begins with; its rows are `stride` bytes apart."""
    if stride < width or buffer.size < stride * height:
        raise CameraLost(f"the camera sent {buffer.size} bytes for {width}x{height} pixels with rows of {stride}")
    return buffer[: stride * height].reshape(height, stride)[:, :width]


def controls(config: CameraConfig) -> dict[str, Any]:
    """libcamera's controls for the fixed shutter, gain, focus and rate of a config."""
    wanted: dict[str, Any] = {}
    if config.shutter_us:
        wanted["ExposureTime"] = config.shutter_us
    if config.gain:
        wanted["AnalogueGain"] = config.gain
    if config.shutter_us and config.gain:  # with only one of them fixed, libcamera goes on choosing the other
        wanted["AeEnable"] = False
    if config.focus_dioptres is not None:
        wanted |= {"AfMode": 0, "LensPosition": config.focus_dioptres}
    if config.fps_limit:
        wanted["FrameRate"] = config.fps_limit
    return wanted


def _picamera2() -> Any:
    try:
        from picamera2 import Picamera2
    except ImportError:
        raise ConfigError(
            "the Pi camera needs picamera2: sudo apt install python3-picamera2, and a virtual environment made with --system-site-packages"
        ) from None
    return Picamera2


class PiCamera:
    """`source` is the camera's number, 0 where there is one."""

    kind = "pi"
    waits = False
    skipped = 0

    def __init__(self, config: CameraConfig, *, clock: Callable[[], float] = time.monotonic, maker: Callable[[], Any] = _picamera2) -> None:
        self.name = config.name
        self._config, self._clock, self._maker = config, clock, maker
        self._device: Any = None
        self._index = 0

    def __enter__(self) -> Self:
        maker, config = self._maker(), self._config
        try:
            self._device = maker(int(config.source or 0))
            asked = self._device.create_video_configuration(
                main={"size": (config.width, config.height), "format": "YUV420"}, buffer_count=3, queue=False, controls=controls(config)
            )
            self._device.configure(asked)
            self._device.start()
        except (RuntimeError, IndexError, ValueError, OSError) as error:
            self.__exit__()
            raise CameraLost(f"camera {self.name}: the Pi camera cannot be opened ({error}); check the ribbon cable and `rpicam-hello`") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def frames(self) -> Iterator[Frame]:
        if self._device is None:
            raise CameraLost(f"camera {self.name}: is not open")
        main = self._device.camera_configuration()["main"]
        (width, height), stride = main["size"], int(main["stride"])
        while True:
            try:
                buffer = self._device.capture_buffer("main")  # a copy: the ISP's own buffer goes straight back to it
            except (RuntimeError, OSError) as error:
                raise CameraLost(f"camera {self.name}: the Pi camera stopped ({error})") from None
            yield Frame(luma_plane(np.asarray(buffer, dtype=np.uint8), width, height, stride), self._clock(), self.name, None, self._index)
            self._index += 1
