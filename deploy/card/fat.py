"""The table of a FAT file system: which clusters belong to files. mtools changes it; what it sets free is overwritten here, or it would stay readable."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from deploy.card.errors import CardError

FIRST = 2
"""The number of the first cluster; the two before it do not exist."""
MOST_12, MOST_16 = 4085, 65525
"""Below so many clusters the entries have 12 bits, or 16."""
MOST_BYTES = 64 << 20
"""Of one table; the largest that a boot partition has is far smaller."""
FOUR_BYTES = 0x0FFFFFFF
"""Of FAT32's 32 bits the upper four say nothing."""


@dataclass(frozen=True, slots=True)
class Table:
    """As it is at one moment. `used[n]` is 1 where cluster n + 2 belongs to something."""

    used: bytes
    start: int
    """Bytes from the beginning of the disk to the first cluster."""
    cluster: int
    """Bytes of one."""


def read(file: BinaryIO, offset: int) -> Table:
    """Of the file system that begins `offset` bytes into a file or a disk. Raises CardError where it is none."""
    file.seek(offset)
    head = file.read(512)
    try:
        sector, per_cluster, reserved, tables, roots, small, _, each = struct.unpack_from("<HBHBHHBH", head, 11)
        large, each_32 = struct.unpack_from("<II", head, 32)
        each = each or each_32
        before = reserved + tables * each + -(-roots * 32 // sector)
        many = ((small or large) - before) // per_cluster
        length = each * sector
        if many < 1 or length > MOST_BYTES:
            raise ValueError("of no sense")
        file.seek(offset + reserved * sector)
        raw = file.read(length)
        if len(raw) < length:
            raise ValueError("cut off")
        return Table(_used(raw, many), offset + before * sector, per_cluster * sector)
    except (struct.error, ZeroDivisionError, ValueError, IndexError):
        raise CardError("the boot partition holds no FAT file system, or a damaged one; write the card anew") from None


def _used(raw: bytes, many: int) -> bytes:
    """A byte for each cluster, 1 or 0."""
    end = FIRST + many
    if many < MOST_12:
        pairs = (int.from_bytes(raw[at * 3 // 2 : at * 3 // 2 + 2], "little") >> 4 * (at % 2) & 0xFFF for at in range(FIRST, end))
        return bytes(entry != 0 for entry in pairs)
    entries = array("H" if many < MOST_16 else "I", raw)
    if len(entries) < end:
        raise ValueError("too short")
    return bytes(entry & FOUR_BYTES != 0 for entry in entries[FIRST:end])


def freed(before: Table, after: Table) -> Iterator[tuple[int, int]]:
    """(place, bytes) of each run of clusters that belonged to something and no longer do."""
    gone = bytes(was and not now for was, now in zip(before.used, after.used, strict=True))
    at = gone.find(1)
    while at >= 0:
        end = gone.find(0, at)
        end = len(gone) if end < 0 else end
        yield before.start + at * before.cluster, (end - at) * before.cluster
        at = gone.find(1, end)


def overwrite(file: BinaryIO, runs: list[tuple[int, int]]) -> None:
    """With zeros."""
    for place, length in runs:
        file.seek(place)
        file.write(bytes(length))
    file.flush()
