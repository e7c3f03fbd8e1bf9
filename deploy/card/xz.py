"""xz as images come in it: several streams, padding between and behind them, and an index that tells the size beforehand."""

from __future__ import annotations

import lzma
from typing import BinaryIO, Protocol

CHUNK = 1 << 18


class Source(Protocol):
    """Anything that is read from its beginning to its end."""

    def read(self, amount: int, /) -> bytes: ...


class Xz:
    """Unpacks as it is read. Python's own reader takes what follows a stream for rubbish where there is padding before it, and ends there without a word."""

    def __init__(self, packed: Source) -> None:
        self._packed = packed
        self._stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        self._fresh = True
        """Nothing of the stream was seen yet."""

    def read(self, amount: int) -> bytes:
        """At least a byte and at most so many; none at the end. Raises LZMAError or EOFError where the file is damaged or ends too early."""
        while True:
            raw = b""
            if self._stream.eof:
                raw = self._next_stream()
            elif self._stream.needs_input:
                raw = self._packed.read(CHUNK)
                if not raw and not self._fresh:
                    raise EOFError
            if self._fresh and not raw:
                return b""
            self._fresh = False
            if out := self._stream.decompress(raw, amount):
                return out

    def _next_stream(self) -> bytes:
        """What comes behind the padding, if anything."""
        raw = self._stream.unused_data.lstrip(b"\0")
        while not raw and (more := self._packed.read(CHUNK)):
            raw = more.lstrip(b"\0")
        self._stream, self._fresh = lzma.LZMADecompressor(format=lzma.FORMAT_XZ), True
        return raw


def xz_size(file: BinaryIO, packed: int) -> int | None:
    """Unpacked size of an xz file by the index at its end, of each of its streams; None where there is none (the reading will tell more)."""
    total, end = 0, packed
    while end > 0:
        file.seek(max(end - 12, 0))
        footer = file.read(12)
        if footer[-4:] == b"\0\0\0\0":  # padding between streams
            end -= 4
            continue
        if len(footer) < 12 or footer[10:] != b"YZ":
            return None
        length = (int.from_bytes(footer[4:8], "little") + 1) * 4
        if end - 12 - length < 12:
            return None
        file.seek(end - 12 - length)
        records = _index(file.read(length))
        if records is None:
            return None
        total += sum(size for _, size in records)
        end -= 12 + length + sum((unpadded + 3) // 4 * 4 for unpadded, _ in records) + 12
    return total if end == 0 else None


def _index(raw: bytes) -> list[tuple[int, int]] | None:
    """(unpadded size, uncompressed size) of each block."""
    numbers, value, shift = [], 0, 0
    for byte in raw[1:-4]:
        value |= (byte & 0x7F) << shift
        shift = 0 if byte < 0x80 else shift + 7
        if shift == 0:
            numbers.append(value)
            value = 0
    if raw[:1] != b"\0" or not numbers or len(numbers) < 1 + 2 * numbers[0]:
        return None
    return list(zip(numbers[1 : 1 + 2 * numbers[0] : 2], numbers[2 : 2 + 2 * numbers[0] : 2], strict=True))
