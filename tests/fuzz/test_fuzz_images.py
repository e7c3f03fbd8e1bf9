"""Pictures that are spoilt, odd, or made to hurt: read, or refused in one sentence; little memory, no dead process."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.spoiling import cases, spoilt
from tests.fuzz.worker import Worker

SUFFIXES = ("jpg", "png", "webp", "bmp", "tiff")
PICTURE = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8), (5, 5), 0)


def encoded(suffix: str, picture: np.ndarray = PICTURE, *how: int) -> bytes:
    return bytes(cv2.imencode(f".{suffix}", picture, list(how))[1])


WHOLE = {suffix: encoded(suffix) for suffix in SUFFIXES} | {"progressive.jpg": encoded("jpg", PICTURE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)}


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def exif(orientation: bytes) -> bytes:
    """A JPEG whose EXIF says that it lies so."""
    entry = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + orientation + b"\0\0\0\0\0\0"
    return WHOLE["jpg"][:2] + b"\xff\xe1" + struct.pack(">H", len(entry) + 2) + entry + WHOLE["jpg"][2:]


def cmyk() -> bytes:
    """What a JPEG becomes that says it has four colours; no encoder of ours writes one."""
    start = WHOLE["jpg"].find(b"\xff\xc0")
    return WHOLE["jpg"][: start + 9] + b"\x04" + WHOLE["jpg"][start + 10 :]


ODD: dict[str, tuple[bytes, bool | None]] = {
    "nothing.jpg": (b"", False),
    "one byte.png": (b"\x89", False),
    "zeros.bmp": (bytes(5000), False),
    "text.jpg": (b"not a picture\n" * 50, False),
    "a page.png": (b"<html><svg/></html>", False),
    "wrong name.png": (WHOLE["jpg"], True),
    "wrong name.jpg": (WHOLE["tiff"], True),
    "alpha.png": (encoded("png", np.dstack([PICTURE, PICTURE[..., 0]])), True),
    "grey.png": (encoded("png", PICTURE[..., 0]), True),
    "deep.png": (encoded("png", PICTURE.astype(np.uint16) * 257), True),
    "deep.tiff": (encoded("tiff", PICTURE.astype(np.uint16) * 257), True),
    "floats.tiff": (encoded("tiff", PICTURE.astype(np.float32)), None),
    "palette.png": (png(8, 8, 8, 3, (b"\0" + bytes(range(8))) * 8, chunk(b"PLTE", bytes(range(24)))), True),
    "palette too short.png": (png(8, 8, 8, 3, (b"\0" + bytes([255] * 8)) * 8, chunk(b"PLTE", bytes(3))), None),
    "one bit.png": (png(8, 8, 1, 0, (b"\0\xaa") * 8), True),
    "one pixel.png": (png(1, 1, 8, 0, b"\0\x7f"), True),
    "thin.png": (png(1, 30_000, 8, 0, b"\0\x7f" * 30_000), True),
    "flat.png": (png(30_000, 1, 8, 0, b"\0" + b"\x7f" * 30_000), True),
    "bomb.png": (png(50_000, 50_000, 8, 0, bytes(50_001) * 20), False),
    "bomb of colours.png": (png(50_000, 50_000, 16, 6, bytes(5000)), False),
    "endless.png": (png(2**31 - 1, 2**31 - 1, 8, 0, bytes(5000)), False),
    "no size.png": (png(0, 0, 8, 0, b""), False),
    "bomb.bmp": (b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(5000), False),
    "bomb.jpg": (WHOLE["jpg"].replace(struct.pack(">HH", 60, 80), struct.pack(">HH", 65_500, 65_500), 1), False),
    "many texts.png": (png(8, 8, 8, 0, (b"\0" + bytes(8)) * 8, *[chunk(b"tEXt", b"a\0" + b"b" * 1000)] * 500), True),
    "cmyk.jpg": (cmyk(), None),
    **{f"lies {orientation[0] * 256 + orientation[1]}.jpg": (exif(orientation), True) for orientation in (b"\0\x06", b"\0\0", b"\0\x09", b"\xff\xff")},
    "exif cut.jpg": (exif(b"\0\x06")[:25] + WHOLE["jpg"][2:], None),
    "two in one.jpg": (WHOLE["jpg"] * 2, True),
    "more behind.jpg": (WHOLE["jpg"] + b"\0" * 5000, True),
    "half.jpg": (WHOLE["jpg"][: len(WHOLE["jpg"]) // 2], False),
    "half.png": (WHOLE["png"][: len(WHOLE["png"]) // 2], False),
    "half.webp": (WHOLE["webp"][: len(WHOLE["webp"]) // 2], None),
    "half.bmp": (WHOLE["bmp"][: len(WHOLE["bmp"]) // 2], None),
    "half.tiff": (WHOLE["tiff"][: len(WHOLE["tiff"]) // 2], None),
}
"""Name -> its bytes, and whether it can be read; None: either will do."""


@pytest.mark.parametrize("name", ODD)
def test_odd_ones(worker: Worker, folder: Path, name: str) -> None:
    content, good = ODD[name]
    said = worker.try_out("network", folder / name, content)
    assert good in (None, said.startswith("good "))


def test_an_animation_is_its_first_picture(worker: Worker, folder: Path) -> None:
    animation = cv2.Animation()
    animation.frames, animation.durations = [PICTURE] * 3, np.array([100] * 3, dtype=np.int32)
    for suffix in ("webp", "png"):
        path = folder / f"moving.{suffix}"
        assert cv2.imwriteanimation(str(path), animation)
        assert worker.try_out("network", path).startswith("good ")


@cases(150)
@given(st.sampled_from(sorted(WHOLE)).flatmap(lambda name: st.tuples(st.just(name), spoilt(WHOLE[name]))))
def test_bytes_spoilt(worker: Worker, folder: Path, case: tuple[str, bytes]) -> None:
    worker.try_out("image", folder / f"a.{case[0]}", case[1])


@cases(20)
@given(st.sampled_from(sorted(WHOLE)).flatmap(lambda name: st.tuples(st.just(name), spoilt(WHOLE[name]))))
def test_what_is_left_of_them_goes_through_the_networks(worker: Worker, folder: Path, case: tuple[str, bytes]) -> None:
    worker.try_out("network", folder / f"a.{case[0]}", case[1])
