"""The size of the pictures in a stream as its encoder states it: in the parameter sets of H.264 and H.265, which travel within the stream.

Pure arithmetic on bytes. A decoder knows it too, but OpenCV's FFmpeg tells only the size that it was told when the stream was opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

Size = tuple[int, int]
"""Width and height in pixels."""
H264, H265 = "h264", "hevc"
HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244})
"""Those of H.264 that state their colour format."""
MOST_PX = 16_384
LONGEST_GOLOMB, LONGEST_SET = 32, 512
"""Zeros before a number, and bytes of a parameter set: what is longer is nonsense."""
_START = re.compile(rb"\x00\x00\x01")


class _Bits:
    """Reads from the front; EOFError behind the end."""

    def __init__(self, content: bytes) -> None:
        self._value, self._left = int.from_bytes(content, "big"), 8 * len(content)

    def whole(self, bits: int) -> int:
        if bits > self._left:
            raise EOFError
        self._left -= bits
        return self._value >> self._left & ((1 << bits) - 1)

    def skip(self, bits: int) -> None:
        self.whole(bits)

    def golomb(self) -> int:
        """Unsigned Exp-Golomb: as many bits again as there were zeros."""
        zeros = 0
        while not self.whole(1):
            zeros += 1
        if zeros > LONGEST_GOLOMB:
            raise EOFError
        return (1 << zeros) - 1 + self.whole(zeros)

    def golombs(self, count: int) -> list[int]:
        if count > MOST_PX:  # nonsense
            raise EOFError
        return [self.golomb() for _ in range(count)]


def size_in(packet: bytes, codec: str) -> Size | None:
    """Of the last parameter set in an Annex B packet of `codec`; None where there is none, or none that can be understood."""
    found = None
    for unit in _units(packet):
        try:
            if codec == H264 and unit[0] & 0x1F == 7:
                found = _h264(_Bits(unit[1:LONGEST_SET])) or found
            elif codec == H265 and unit[0] >> 1 & 0x3F == 33:
                found = _h265(_Bits(unit[2:LONGEST_SET])) or found
        except EOFError:
            continue
    return found


def _units(packet: bytes) -> Iterator[bytes]:
    """Network units without their start codes, and without the bytes that keep these out of them."""
    for begin, end in pairwise([*(one.start() for one in _START.finditer(packet)), len(packet)]):
        if unit := packet[begin + 3 : end]:
            yield unit.replace(b"\x00\x00\x03", b"\x00\x00")


def _within_reason(width: int, height: int) -> Size | None:
    return (width, height) if 0 < width <= MOST_PX and 0 < height <= MOST_PX else None


def _h264(bits: _Bits) -> Size | None:
    """seq_parameter_set_data of ITU-T H.264, 7.3.2.1.1, as far as the cropping."""
    profile = bits.whole(8)
    bits.skip(16)  # constraints, level
    bits.golomb()  # its number
    colour, planes = 1, 0
    if profile in HIGH_PROFILES:
        colour = bits.golomb()
        planes = bits.whole(1) if colour == 3 else 0
        bits.golombs(2)  # depths
        bits.skip(1)
        if bits.whole(1):
            for place in range(12 if colour == 3 else 8):
                if bits.whole(1):
                    _scaling(bits, 16 if place < 6 else 64)
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.skip(1)
        bits.golombs(2)
        bits.golombs(bits.golomb())
    bits.golomb()
    bits.skip(1)
    across, down = bits.golomb() + 1, bits.golomb() + 1
    fields = 2 - bits.whole(1)
    bits.skip(1 if fields == 1 else 2)
    left, right, top, bottom = bits.golombs(4) if bits.whole(1) else (0, 0, 0, 0)
    step_x = 2 if colour in (1, 2) and not planes else 1
    step_y = fields * (2 if colour == 1 else 1)
    return _within_reason(16 * across - step_x * (left + right), 16 * fields * down - step_y * (top + bottom))


def _scaling(bits: _Bits, count: int) -> None:
    last = after = 8
    for _ in range(count):
        if after:
            coded = bits.golomb()
            after = (last + ((coded + 1) // 2 if coded % 2 else -coded // 2)) % 256
        last = after or last


def _h265(bits: _Bits) -> Size | None:
    """seq_parameter_set_rbsp of ITU-T H.265, 7.3.2.2, as far as the conformance window."""
    bits.skip(4)
    layers = bits.whole(3)
    bits.skip(1 + 88 + 8)  # the general profile, tier and level
    present = [(bits.whole(1), bits.whole(1)) for _ in range(layers)]
    bits.skip(2 * (8 - layers) if layers else 0)
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)
    bits.golomb()  # its number
    colour = bits.golomb()
    bits.skip(1 if colour == 3 else 0)
    width, height = bits.golombs(2)
    left, right, top, bottom = bits.golombs(4) if bits.whole(1) else (0, 0, 0, 0)
    step_x, step_y = (2 if colour in (1, 2) else 1), (2 if colour == 1 else 1)
    return _within_reason(width - step_x * (left + right), height - step_y * (top + bottom))
