"""Why a video device cannot be opened, asked of the kernel: OpenCV only says that it cannot."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable

CAPABILITY = struct.Struct("=16s32s32sIII12x")
"""struct v4l2_capability: driver, card, bus, version, capabilities, device_caps."""
QUERY_CAPABILITY = 0x80685600
CAPTURES, CAPTURES_PLANES, PER_DEVICE = 0x1, 0x1000, 0x80000000
"""V4L2_CAP_VIDEO_CAPTURE, _VIDEO_CAPTURE_MPLANE, _DEVICE_CAPS."""
MOST_NUMBER = 4096
BY_ERROR = {
    errno.ENOENT: "there is no such device; plug the camera in, and see `ls /dev/video*` for its number",
    errno.EACCES: "this user may not open it; add it to the group `video`",
    errno.EPERM: "this user may not open it; add it to the group `video`",
    errno.EBUSY: "another program uses it; end that one",
    errno.ENODEV: "its driver has lost the camera; plug it in again",
    errno.ENXIO: "its driver has lost the camera; plug it in again",
    errno.EISDIR: "it is a folder; name a device such as /dev/video0",
}
Ioctl = Callable[[int, int, bytearray], object]


def device_of(source: str) -> str:
    """`0` -> `/dev/video0`; a path is one already."""
    return f"/dev/video{int(source)}" if is_number(source) else source


def is_number(source: str) -> bool:
    return source.isascii() and source.isdecimal() and len(source) <= len(str(MOST_NUMBER))


def why_not(source: str, ioctl: Ioctl = lambda file, request, room: fcntl.ioctl(file, request, room, True)) -> str:
    """What is wrong with a device that could not be opened, and the mend."""
    try:
        file = os.open(device_of(source), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        return BY_ERROR.get(getattr(error, "errno", 0) or 0, str(getattr(error, "strerror", error)))
    try:
        room = bytearray(CAPABILITY.size)
        ioctl(file, QUERY_CAPABILITY, room)
        *_, all_of_them, own = CAPABILITY.unpack(room)
    except OSError as error:
        found = BY_ERROR.get(error.errno or 0) if error.errno != errno.ENOENT else None
        return found or "it is no video device; name one such as /dev/video0"
    finally:
        os.close(file)
    if not (own if all_of_them & PER_DEVICE else all_of_them) & (CAPTURES | CAPTURES_PLANES):
        return "it takes no pictures (cameras have several devices); try the number before or behind it"
    return "another program uses it, or it has no format that can be read; end the other program, or plug the camera in again"
