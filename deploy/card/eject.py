"""Lets a card go, as far as this computer knows how."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.card.disks import Disk
from deploy.card.errors import CardError
from deploy.card.program import run


def eject(path: Path) -> bool:
    """Whether the card may be pulled out without another word; one that cannot be ejected may be, too, after a moment."""
    for program, words in (("udisksctl", ("power-off", "--no-user-interaction", "-b")), ("eject", ())):
        if shutil.which(program):
            try:
                run(program, *words, path)
            except CardError:
                continue
            return True
    return False


def unmount(disk: Disk) -> None:
    """Raises CardError where something on it is still open."""
    for mount in disk.mounts:
        try:
            run("umount", mount)
        except CardError:
            raise CardError(f"{mount}: cannot be unmounted; close what has files on it open, and try again") from None
