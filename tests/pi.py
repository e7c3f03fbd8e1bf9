"""A stand-in for the module picamera2 with its rules: what it checks, what it hands out, and whose memory it is.

Names and behaviour follow picamera2's own sources: even sizes, a lores stream no larger than main and YUV, rows padded to 64 bytes, controls only
if they are advertised, a buffer that is filled anew as soon as its request is released, and real memory maps, which cannot be closed while
somebody looks at them. The image of frame n is n everywhere in Y (main) and n + 100 (lores); a buffer that was given back is filled with POISON.
"""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

POISON = 0xEE
CONTROLS: dict[str, tuple[Any, Any, Any]] = {
    "AeEnable": (False, True, True),
    "AeMeteringMode": (0, 3, 0),
    "AfMode": (0, 2, 0),
    "AnalogueGain": (1.1228, 16.0, None),
    "AwbEnable": (False, True, None),
    "ExposureTime": (13, 112015443, None),
    "ExposureValue": (-8.0, 8.0, 0.0),
    "FrameDurationLimits": (17849, 220416802, None),
    "LensPosition": (0.0, 32.0, 1.0),
    "Saturation": (0.0, 32.0, 1.0),
    "ScalerCrop": ((0, 0, 64, 64), (0, 0, 4608, 2592), (0, 0, 4608, 2592)),
}
"""Those of an IMX708 (camera module 3), as far as they matter here."""
FREE = {"ExposureTime", "AnalogueGain"}
"""Of these 0 is allowed as well: it gives the control back to the automatic."""


class Request:
    """A completed request: its buffers are the reader's until it is released."""

    def __init__(self, device: Picamera2, place: int, metadata: dict[str, Any]) -> None:
        self._device, self.place, self._metadata, self._count = device, place, metadata, 1
        self.mapped = 0

    def get_metadata(self) -> dict[str, Any]:
        assert self._count > 0, "asked after its release"
        return dict(self._metadata)

    def release(self) -> None:
        self._count -= 1
        if self._count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        assert self.mapped == 0, "released while mapped"
        self._device.give_back(self.place)


class MappedArray:
    def __init__(self, request: Request, stream: str, reshape: bool = True, write: bool = True) -> None:
        assert not reshape, "reshaping YUV420 is not what we want"
        self._request, self._stream = request, stream
        self.array: Any = None

    def __enter__(self) -> MappedArray:
        self._request.mapped += 1
        self.array = np.array(self._request._device.buffers[self._stream][self._request.place], copy=False, dtype=np.uint8)
        return self

    def __exit__(self, *_: object) -> None:
        self._request.mapped -= 1
        del self.array


class Picamera2:
    """One camera. `script` says what comes: metadata of each frame, or an error to raise; then it waits for ever, which here is a TimeoutError."""

    script: deque[dict[str, Any] | Exception]
    advertised = CONTROLS
    opened: list[Picamera2]

    def __init__(self, number: int = 0) -> None:
        if number != 0:
            raise IndexError("list index out of range")
        type(self).opened.append(self)
        self.buffers: dict[str, list[mmap.mmap]] = {}
        self.free: deque[int] = deque()
        self.config: dict[str, Any] | None = None
        self.started = self.closed = False
        self.captured = self.released = 0
        self.applied: list[dict[str, Any]] = []

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        return dict(self.advertised)

    def create_video_configuration(self, main: Any, lores: Any, buffer_count: int = 6, queue: bool = True, controls: Any = None) -> dict[str, Any]:
        defaults = {"NoiseReductionMode": 1, "FrameDurationLimits": (33333, 33333)}
        return {"main": dict(main), "lores": dict(lores), "buffer_count": buffer_count, "queue": queue, "controls": defaults | (controls or {})}

    def configure(self, config: dict[str, Any]) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        for name in ("main", "lores"):
            size = config[name]["size"]
            if type(size) is not tuple or size[0] % 2 or size[1] % 2:
                raise RuntimeError("width and height should be even")
            if config[name]["format"] != "YUV420":
                raise RuntimeError(f"Bad format {config[name]['format']} in stream {name}")
        if any(small > large for small, large in zip(config["lores"]["size"], config["main"]["size"], strict=True)):
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        self.check({name: value for name, value in config["controls"].items() if name != "NoiseReductionMode"})
        for name in ("main", "lores"):
            width, height = config[name]["size"]
            config[name]["stride"] = -(-width // 64) * 64
            config[name]["framesize"] = config[name]["stride"] * height * 3 // 2
            self.buffers[name] = [mmap.mmap(-1, config[name]["framesize"]) for _ in range(config["buffer_count"])]
        self.free.extend(range(config["buffer_count"]))
        self.config = config

    def camera_configuration(self) -> Any:
        return self.config

    def check(self, controls: dict[str, Any]) -> None:
        for name, value in controls.items():
            if name not in self.advertised:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            least, most, _ = self.advertised[name]
            for one in value if isinstance(value, tuple) else (value,):
                assert isinstance(one, bool) or (one == 0 and name in FREE) or least <= one <= most, f"{name} {one} is out of range"
        self.applied.append(controls)

    def set_controls(self, controls: dict[str, Any]) -> None:
        assert self.started, "controls of a camera that does not run"
        self.check(controls)

    def start(self) -> None:
        if self.config is None:
            raise RuntimeError("Camera has not been configured")
        self.started = True

    def capture_request(self, wait: float | bool = True) -> Request:
        assert self.started, "the camera does not run"
        if not self.free or not self.script:
            raise TimeoutError  # as concurrent.futures gives it: without words
        found = self.script.popleft()
        if isinstance(found, Exception):
            raise found
        place = self.free.popleft()
        for (name, planes), level in zip(self.buffers.items(), (self.captured, self.captured + 100), strict=True):
            assert self.config is not None
            luma = self.config[name]["stride"] * self.config[name]["size"][1]
            planes[place][:] = bytes([level % 256]) * luma + bytes([128]) * (len(planes[place]) - luma)
        self.captured += 1
        return Request(self, place, found)

    def give_back(self, place: int) -> None:
        self.released += 1
        if self.closed:
            self._unmap(place)
            return
        for planes in self.buffers.values():
            planes[place][:] = bytes([POISON]) * len(planes[place])
        self.free.append(place)

    def _unmap(self, place: int) -> None:
        for planes in self.buffers.values():
            planes[place].close()  # BufferError while a view of it is alive

    def close(self) -> None:
        """Unmaps what nobody holds; may be called again after a BufferError."""
        self.started, self.closed = False, True
        while self.free:
            self._unmap(self.free[-1])
            self.free.pop()

    @property
    def held(self) -> int:
        """Requests that somebody has and has not given back."""
        return self.captured - self.released


class Library:
    """What `import picamera2` gives, for one test."""

    def __init__(self, script: Iterator[dict[str, Any] | Exception] | list[dict[str, Any] | Exception], without: tuple[str, ...] = ()) -> None:
        self.opened: list[Picamera2] = []
        advertised = {name: limits for name, limits in CONTROLS.items() if name not in without}
        kept = {"script": deque(script), "opened": self.opened, "advertised": advertised}
        self.Picamera2 = type("Picamera2", (Picamera2,), kept)
        self.MappedArray = MappedArray

    def __call__(self) -> Library:
        return self
