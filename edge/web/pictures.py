"""What kind of picture some bytes are, by what they say themselves and not by their name. Nothing is decoded here."""

from __future__ import annotations

from typing import Literal

PNG = b"\x89PNG\r\n\x1a\n"


def kind_of(data: bytes) -> Literal["jpeg", "png", "webp"] | None:
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(PNG):
        return "png"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def is_animated(data: bytes) -> bool:
    """Whether a PNG or WebP holds more than one picture; a JPEG never does."""
    kind = kind_of(data)
    if kind == "webp":
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 0x02)
    if kind != "png":
        return False
    at = len(PNG)
    while at + 8 <= len(data):  # acTL stands before the first pixels
        name = data[at + 4 : at + 8]
        if name in (b"acTL", b"IDAT"):
            return name == b"acTL"
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False
