"""The size of a stream's pictures, out of its parameter sets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.parameters import H264, H265, size_in

X264_1280x720 = bytes.fromhex("000000016742c01fda014016ec05a808080a00000300020000030029 1e306540 0000000168ce3c80".replace(" ", ""))
"""As x264 writes it, with its second parameter set behind it."""


class Pen:
    """Writes bits."""

    def __init__(self) -> None:
        self.bits = ""

    def whole(self, value: int, bits: int) -> Pen:
        self.bits += format(value, f"0{bits}b") if bits else ""
        return self

    def golomb(self, *values: int) -> Pen:
        for value in values:
            written = format(value + 1, "b")
            self.bits += "0" * (len(written) - 1) + written
        return self

    def unit(self, head: Sequence[int]) -> bytes:
        """With its start code, and without what may not stand in it."""
        padded = self.bits + "1" + "0" * (-(len(self.bits) + 1) % 8)
        content = bytes(head) + int(padded, 2).to_bytes(len(padded) // 8, "big")
        escaped, zeros = bytearray(), 0
        for byte in content:
            if zeros >= 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\x00\x00\x00\x01" + bytes(escaped)


def h264(width: int, height: int, *, profile: int = 66, fields: bool = False, lists: bool = False, order: int = 0) -> bytes:
    """A parameter set of 4:2:0 pictures of even size."""
    pen = Pen().whole(profile, 8).whole(0, 8).whole(31, 8).golomb(0)
    if profile == 100:
        pen.golomb(1, 0, 0).whole(0, 1).whole(lists, 1)
        if lists:
            for place in range(8):
                pen.whole(place in (0, 6), 1)
                if place in (0, 6):
                    pen.golomb(*[1] * (16 if place < 6 else 64))  # each entry one more than the last
    pen.golomb(4, order)
    if order == 0:
        pen.golomb(4)
    elif order == 1:
        pen.whole(1, 1).golomb(3, 5, 2, 7, 9)
    pen.golomb(1).whole(0, 1)
    unit_y = 32 if fields else 16
    across, down = -(-width // 16), -(-height // unit_y)
    pen.golomb(across - 1, down - 1).whole(not fields, 1).whole(0, 2 if fields else 1)
    right, bottom = (16 * across - width) // 2, (unit_y * down - height) // (4 if fields else 2)
    pen.whole(1, 1).golomb(0, right, 0, bottom)
    return pen.unit([0x67])


def h265(width: int, height: int, layers: int = 0) -> bytes:
    pen = Pen().whole(0, 4).whole(layers, 3).whole(1, 1).whole(1 << 87, 88).whole(93, 8)
    for _ in range(layers):
        pen.whole(3, 2)
    pen.whole(0, 2 * (8 - layers) if layers else 0)
    for _ in range(layers):
        pen.whole(5, 88).whole(93, 8)
    pen.golomb(0, 1, -(-width // 8) * 8, -(-height // 8) * 8)
    pen.whole(1, 1).golomb(0, (-width % 8) // 2, 0, (-height % 8) // 2)
    return pen.unit([0x42, 0x01])


EVEN = st.integers(16, 2048).map(lambda half: 2 * half)


@given(EVEN, EVEN, st.sampled_from([66, 77, 100]), st.booleans(), st.integers(0, 2))
def test_what_an_h264_encoder_states_is_read(width: int, height: int, profile: int, lists: bool, order: int) -> None:
    assert size_in(h264(width, height, profile=profile, lists=lists, order=order), H264) == (width, height)


@given(EVEN, st.integers(8, 500).map(lambda quarter: 4 * quarter))
def test_interlaced_pictures_are_as_high_as_both_their_fields(width: int, height: int) -> None:
    assert size_in(h264(width, height, fields=True), H264) == (width, height)


@given(EVEN, EVEN, st.integers(0, 6))
def test_what_an_h265_encoder_states_is_read(width: int, height: int, layers: int) -> None:
    assert size_in(h265(width, height, layers), H265) == (width, height)


def test_what_x264_writes() -> None:
    assert size_in(X264_1280x720, H264) == (1280, 720)
    assert size_in(X264_1280x720 + h264(640, 480), H264) == (640, 480), "the last one counts"


@pytest.mark.parametrize("codec", [H264, H265, "mjpg", ""])
@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda rest: b"\x00\x00\x01\x67" + rest)
    | st.binary(max_size=99).map(lambda r: b"\x00\x00\x01\x42\x01" + r)
)
def test_nonsense_has_no_size_or_one_within_reason(codec: str, packet: bytes) -> None:
    found = size_in(packet, codec)
    assert found is None or all(0 < side <= 16_384 for side in found)


def test_a_megabyte_of_zeros_is_told_from_a_size_at_once() -> None:
    """Nothing is looked at beyond the length that a parameter set may have."""
    assert size_in(b"\x00\x00\x01\x67" + bytes(1_000_000), H264) is None


def test_a_slice_has_no_size() -> None:
    assert size_in(b"\x00\x00\x01\x65\x88\x84\x00\x10", H264) is None
    assert size_in(X264_1280x720, H265) is None
