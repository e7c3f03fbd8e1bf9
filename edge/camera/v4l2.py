"""The controls of a USB camera, asked of the kernel (Video4Linux). Any process may do so while another one, or this one, takes the pictures."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Callable, Iterator, Mapping

from edge.camera.knobs import Knob
from edge.errors import ConfigError

QUERY, GET, SET = 0xC0445624, 0xC008561B, 0xC008561C
"""VIDIOC_QUERYCTRL, VIDIOC_G_CTRL, VIDIOC_S_CTRL."""
ABOUT = struct.Struct("=II32siiiiIII")
"""struct v4l2_queryctrl: id, type, name, minimum, maximum, step, default, flags, two that are reserved."""
VALUE = struct.Struct("=Ii")
OFF = 0x1 | 0x4
"""V4L2_CTRL_FLAG_DISABLED and _READ_ONLY."""
CONTROLS: dict[str, tuple[int, str, float]] = {
    "exposure_us": (0x009A0902, "µs", 100.0),
    "gain": (0x00980913, "", 1.0),
    "focus": (0x009A090A, "", 1.0),
    "brightness": (0x00980900, "", 1.0),
    "contrast": (0x00980901, "", 1.0),
}
"""Name -> the kernel's number, unit, and units a step: V4L2_CID_EXPOSURE_ABSOLUTE counts in 100 µs."""
BY_HAND: dict[str, tuple[int, int]] = {"exposure_us": (0x009A0901, 1), "gain": (0x00980912, 0), "focus": (0x009A090C, 0)}
"""Name -> the switch of its automatic, and its value for `by hand`."""
Ioctl = Callable[[int, int, bytearray], object]


class Controls:
    """Of one device. What was changed first is remembered, and given back by `restore`."""

    def __init__(self, device: str, ioctl: Ioctl = lambda file, request, room: fcntl.ioctl(file, request, room, True)) -> None:
        self._device, self._ioctl = device, ioctl
        self._before: dict[int, int] = {}

    def knobs(self) -> list[Knob]:
        """Raises ConfigError where the device cannot be asked or has none of them."""
        with self._open() as file:
            found = [knob for name in CONTROLS if (knob := self._knob(file, name)) is not None]
        if not found:
            raise ConfigError(f"{self._device}: its driver offers neither exposure nor gain nor focus; set them on the camera itself")
        return found

    def set(self, values: Mapping[str, float]) -> None:
        """By hand from now on; values are those of `knobs`. What is left out goes back to what it was."""
        with self._open() as file:
            kept = {CONTROLS[name][0] for name in values} | {BY_HAND[name][0] for name in values if name in BY_HAND}
            self._give_back(file, [number for number in self._before if number not in kept])
            for name, value in values.items():
                number, _, step = CONTROLS[name]
                if name in BY_HAND and self._about(file, BY_HAND[name][0]) is not None:
                    self._put(file, *BY_HAND[name])
                self._put(file, number, round(value / step))

    def restore(self) -> None:
        """As it was before the first `set`. Raises ConfigError where the device is gone."""
        if self._before:
            with self._open() as file:
                self._give_back(file, list(self._before))

    @contextlib.contextmanager
    def _open(self) -> Iterator[int]:
        try:
            file = os.open(self._device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise ConfigError(f"{self._device}: cannot be asked for its controls ({error.strerror})") from None

    def _give_back(self, file: int, numbers: list[int]) -> None:
        # The automatics last: while one is on, its value cannot be set.
        for number in sorted(numbers, key=lambda one: one in {switch for switch, _ in BY_HAND.values()}):
            with contextlib.suppress(OSError):
                self._ioctl(file, SET, bytearray(VALUE.pack(number, self._before[number])))
            del self._before[number]

    def _put(self, file: int, number: int, value: int) -> None:
        if number not in self._before and (now := self._now(file, number)) is not None:
            self._before[number] = now
        self._ioctl(file, SET, bytearray(VALUE.pack(number, value)))

    def _knob(self, file: int, name: str) -> Knob | None:
        number, unit, step = CONTROLS[name]
        about = self._about(file, number)
        if about is None:
            return None
        now = self._now(file, number)
        return Knob(name, unit, about[0] * step, about[1] * step, None if now is None else now * step)

    def _about(self, file: int, number: int) -> tuple[int, int] | None:
        """Least and most; None where the device has no such control."""
        room = bytearray(ABOUT.pack(number, 0, b"", 0, 0, 0, 0, 0, 0, 0))
        try:
            self._ioctl(file, QUERY, room)
        except OSError:
            return None
        _, _, _, least, most, _, _, flags, _, _ = ABOUT.unpack(room)
        return None if flags & OFF else (least, most)

    def _now(self, file: int, number: int) -> int | None:
        room = bytearray(VALUE.pack(number, 0))
        try:
            self._ioctl(file, GET, room)
        except OSError:
            return None
        return int(VALUE.unpack(room)[1])
