"""Where the boot partition lies: the partition table as Raspberry Pi OS has it (MBR), nothing more."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from deploy.card.errors import CardError

SECTOR = 512
FAT_KINDS = (0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E)
GPT = 0xEE
MOST_BOOT_BYTES = 4 << 30
"""A larger boot partition is none."""


@dataclass(frozen=True, slots=True)
class Partition:
    """In bytes from the beginning of the disk."""

    kind: int
    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


def table(sector: bytes, what: str) -> list[Partition]:
    """The up to four partitions of a first sector. Raises CardError where it is none."""
    if len(sector) < SECTOR or sector[510:512] != b"\x55\xaa":
        raise CardError(f"{what}: has no partition table, so that it is no image of Raspberry Pi OS, and no card that was written with one")
    found = []
    for at in range(446, 510, 16):
        kind, start, sectors = sector[at + 4], *struct.unpack("<II", sector[at + 8 : at + 16])
        if kind and sectors:
            found.append(Partition(kind, start * SECTOR, sectors * SECTOR))
    return found


def boot_partition(sector: bytes, what: str) -> Partition:
    """The first FAT partition. Raises CardError."""
    partitions = table(sector, what)
    for partition in partitions:
        if partition.kind in FAT_KINDS and partition.start > 0 and partition.length <= MOST_BOOT_BYTES:
            return partition
    if any(partition.kind == GPT for partition in partitions):
        raise CardError(f"{what}: has a GPT partition table, which Raspberry Pi OS has not; take Raspberry Pi OS Lite (64-bit)")
    raise CardError(f"{what}: has no FAT boot partition; take Raspberry Pi OS Lite (64-bit)")


def check_fat(sector: bytes, what: str) -> None:
    """Raises CardError where a partition's first sector is no FAT file system's."""
    if sector[510:512] != b"\x55\xaa" or not (sector[54:57] == b"FAT" or sector[82:85] == b"FAT"):
        raise CardError(f"{what}: its boot partition holds no FAT file system; the image is damaged, or the card was not written to its end")


def find(file: BinaryIO, what: str) -> Partition:
    """The boot partition of a disk or an image that can be read anywhere. Raises CardError."""
    file.seek(0)
    partition = boot_partition(file.read(SECTOR), what)
    file.seek(partition.start)
    check_fat(file.read(SECTOR), what)
    return partition
