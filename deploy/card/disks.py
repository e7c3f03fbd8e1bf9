"""Which disks there are, and which of them may be written. A card is removable, not mounted, and no part of this computer."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy.card.amounts import size
from deploy.card.errors import CardError
from deploy.card.program import run

COLUMNS = "PATH,TYPE,SIZE,RO,RM,HOTPLUG,TRAN,MODEL,VENDOR,MOUNTPOINTS,FSTYPE"
SYSTEM = ("/", "/boot", "/boot/efi", "/boot/firmware", "/usr", "/var", "/home", "[SWAP]")
"""What is mounted here is this computer's."""


@dataclass(frozen=True, slots=True)
class Disk:
    """`mounts` of it and of everything on it; `in_use` by another layer (LVM, RAID, encryption); a plain file that stands for a disk is `file`."""

    path: str
    size: int
    model: str = ""
    removable: bool = False
    read_only: bool = False
    mounts: tuple[str, ...] = ()
    in_use: bool = False
    file: bool = False

    @property
    def system(self) -> bool:
        return any(mount in SYSTEM for mount in self.mounts)

    @property
    def is_shown(self) -> bool:
        """A desktop mounted it by itself, as it does with every card that is put in."""
        return self.removable and bool(self.mounts) and all(mount.startswith(("/media/", "/run/media/")) for mount in self.mounts)

    @property
    def words(self) -> str:
        return f"{self.path} ({', '.join(filter(None, (size(self.size), self.model)))})"


def disks(*, every: bool = False) -> list[Disk]:
    """The disks of this computer, by `lsblk`; `every` as in `parse`. Raises CardError."""
    return parse(run("lsblk", "-J", "-b", "-o", COLUMNS), every=every)


def parse(shown: bytes, *, every: bool = False) -> list[Disk]:
    """Of lsblk's JSON; `every`: files that the kernel shows as disks (loop devices) and readers without a card, too. Raises CardError."""
    try:
        return [_disk(entry) for entry in json.loads(shown)["blockdevices"] if every or (entry["type"] == "disk" and entry["size"])]
    except (ValueError, KeyError, TypeError):
        raise CardError("lsblk says nothing that can be understood; this needs util-linux 2.37 or newer") from None


def _disk(entry: dict[str, Any]) -> Disk:
    everything = list(_with_children(entry))
    mounts = tuple(mount for part in everything for mount in part.get("mountpoints") or () if mount)
    # A card in a reader that is built in says hotplug, not removable; a fixed eMMC says neither.
    removable = bool(entry["rm"] or entry["hotplug"] or entry.get("tran") == "usb")
    return Disk(
        entry["path"],
        int(entry["size"] or 0),
        " ".join(filter(None, ((entry.get("vendor") or "").strip(), (entry.get("model") or "").strip()))),
        removable,
        bool(entry["ro"]),
        mounts,
        any(part["type"] not in ("disk", "part") for part in everything if part is not entry),
    )


def _with_children(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry, *(part for child in entry.get("children") or () for part in _with_children(child))]


def find(name: str, known: list[Disk] | None = None, *, as_root: bool = False) -> Disk:
    """The disk of that name, or the file that stands for one; `as_root`: root will write it, whoever asks now. Raises CardError, also for a partition."""
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CardError(f"{name}: is not there; python -m deploy disks shows which disks there are") from None
    except OSError as error:
        raise CardError(f"{name}: cannot be looked at ({error.strerror})") from None
    if stat.S_ISREG(mode):
        return Disk(str(path), path.stat().st_size, "a file", read_only=not os.access(path, os.W_OK), file=True)
    if not stat.S_ISBLK(mode):
        raise CardError(f"{name}: is neither a disk nor a file; python -m deploy disks shows which disks there are")
    real = os.path.realpath(path)
    for disk in disks(every=True) if known is None else known:
        if disk.path == real:
            if not disk.size:
                raise CardError(f"{name}: is empty; put the card into its reader")
            if not as_root and not may_write(disk) and not disk.read_only:
                raise CardError(f"{name}: you may not write it; run this with sudo (sudo {sys.executable} -m deploy ...)")
            return disk
    raise CardError(f"{name}: is no whole disk, perhaps a partition of one; python -m deploy disks shows which there are")


def free(disk: Disk) -> Disk:
    """As it is once it is unmounted, where a desktop alone has mounted it."""
    return unmounted(disk) if disk.is_shown else disk


def unmounted(disk: Disk) -> Disk:
    """As it is once nothing of it is mounted."""
    return replace(disk, mounts=())


def same(disk: Disk, agreed: Disk) -> bool:
    """Whether the disk of that name is the one that was agreed on, and not another one that came into the reader since."""
    return (disk.path, disk.size, disk.model) == (agreed.path, agreed.size, agreed.model)


def may_write(disk: Disk) -> bool:
    """Whether this user may; a file that is not there yet can be made."""
    return not os.path.exists(disk.path) or os.access(disk.path, os.R_OK | os.W_OK)


def refusals(disk: Disk, needed: int) -> tuple[list[str], list[str]]:
    """Why it is not written, whatever anybody says; and why it is only written when its exact name is told twice."""
    never, unless_told = [], []
    if disk.system:
        never.append(f"this computer runs from it ({', '.join(sorted(set(disk.mounts) & set(SYSTEM)))} is on it)")
    if disk.in_use and not disk.system:
        never.append("another layer uses it (LVM, RAID or encryption)")
    if disk.read_only:
        never.append("it cannot be written; is the little lock on the card's edge shut, or are you not root?")
    if disk.size < needed:
        never.append(f"it is too small: it has {size(disk.size)}, and {size(needed)} are needed")
    if disk.mounts and not disk.system:
        unless_told.append(f"it is mounted ({', '.join(disk.mounts)}): sudo umount {disk.path}*")
    if disk.file:
        unless_told.append("it is a file")
    elif not disk.removable:
        unless_told.append("it is not removable, so that it may hold what you need")
    return never, unless_told


def allow(disk: Disk, needed: int, told_again: str, option: str = "--disk") -> None:
    """Raises CardError with every reason at once; `told_again` is the name that was told a second time."""
    never, unless_told = refusals(disk, needed)
    if told_again and told_again != disk.path:
        raise CardError(f"--yes-really names {told_again}, and {option} {disk.path}; nothing was written")
    if never:
        raise CardError(f"{disk.words} is not written: {'; '.join(never)}")
    if unless_told and not told_again:
        raise CardError(f"{disk.words} is not written: {'; '.join(unless_told)}. If you are sure, add --yes-really {disk.path}")
