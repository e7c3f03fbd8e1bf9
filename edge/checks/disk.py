"""Where the store is: what kind of disk, how much of it is free."""

from __future__ import annotations

import os
from pathlib import Path

from edge.checks.outcome import Device, Outcome
from edge.firmware import text_of

IN_MEMORY = ("tmpfs", "ramfs")
FEW_INODES = 1000


def check_disk(device: Device) -> Outcome | None:
    """Of the store; without a config file of the working folder; None where the file cannot be used."""
    if device.config is None and device.config_file is not None:
        return None
    if device.config is None:
        folder, floor_mb = Path.cwd(), 0
    else:
        store = device.config.store
        folder, floor_mb = nearest_folder(Path(store.path)), store.keep_at_least_mb_free
    kind, (free_mb, inodes, has_inodes) = kind_of(folder), room(folder)
    words = f"{free_mb:.0f} MB free at {folder}" + (f", {kind}" if kind else "")
    if free_mb < floor_mb:
        return Outcome("bad", f"{free_mb:.0f} MB free at {folder}, the floor is {floor_mb} MB: old events go first", "free some space")
    if has_inodes and inodes < FEW_INODES:
        return Outcome("bad", f"{words}, but room for only {inodes} more files", "delete the many small files that somebody left there")
    if device.config is not None and kind == "in memory":
        return Outcome("note", f"{words}: events are gone after a restart", "name a store.path on a disk, unless you want it so")
    return Outcome("good", words)


def nearest_folder(path: Path) -> Path:
    """The nearest folder above a path that is there."""
    return next(parent for parent in path.absolute().parents if parent.is_dir())


def room(folder: Path) -> tuple[float, int, bool]:
    """Free megabytes, free inodes, and whether this file system counts inodes at all."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize / 1e6, found.f_favail, found.f_files > 0


def kind_of(folder: Path, root: Path = Path("/")) -> str:
    """An SD card, an eMMC, an SSD, a hard disk, a virtual disk, in memory; '' where nobody tells."""
    number = os.stat(folder).st_dev
    name = f"{os.major(number)}:{os.minor(number)}"
    for line in (text_of(root / "proc/self/mountinfo") or "").splitlines():
        words = line.split()
        if len(words) > 2 and words[2] == name and "-" in words:
            if words[words.index("-") + 1] in IN_MEMORY:
                return "in memory"
            break
    try:
        block = (root / "sys/dev/block" / name).resolve(strict=True)
    except OSError:
        return ""
    disk = block.parent if (block / "partition").exists() else block
    if disk.name.startswith("mmcblk"):
        return "an SD card" if text_of(disk / "device/type") == "SD" else "an eMMC"
    if disk.name.startswith(("vd", "xvd")):
        return "a virtual disk"
    rotates = text_of(disk / "queue/rotational")
    return {"0": "an SSD", "1": "a hard disk"}.get(rotates or "", "")
