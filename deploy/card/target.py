"""Where the kit goes: onto a whole card, onto one that was written already, or into the boot folder of one that is mounted."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.card import disks, pick
from deploy.card.boot import MountedFolder
from deploy.card.detect import SYSTEMS, System, detect
from deploy.card.disks import Disk
from deploy.card.eject import unmount
from deploy.card.errors import CardError
from deploy.card.flash import Work, image_onto, onto_folder, onto_written, written_boot
from deploy.card.image import Image, look
from deploy.device.ask import Asker

DESKTOP = (("/media", "*/bootfs*"), ("/run/media", "*/bootfs*"), ("/media", "bootfs*"), ("/Volumes", "bootfs*"))
"""Where desktops mount the small partition of a card."""


class Target(Protocol):
    """`disk` is None for a folder. `python` is that of the system on it, where it can be told without root."""

    @property
    def disk(self) -> Disk | None: ...

    @property
    def python(self) -> str: ...

    def write(self, work: Work) -> None:
        """Raises CardError."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An image onto a disk; `unmounts` where a desktop shows it and somebody typed its name. One that was named twice is unmounted, too."""

    image: Image
    disk: Disk
    told_again: str
    unmounts: bool = False

    @property
    def python(self) -> str:
        """By the name that Raspberry Pi gives its files; '' for another one."""
        return next((python for name, python in SYSTEMS.values() if name.lower() in self.image.path.name.lower()), "")

    def write(self, work: Work) -> None:
        disk = disks.free(self.disk) if self.unmounts else self.disk
        disks.allow(disk, self.image.size or self.image.packed, self.told_again)
        _let_go(self.disk, work)
        image_onto(work, self.image, disks.unmounted(self.disk), self.told_again)


@dataclass(frozen=True, slots=True)
class Written:
    """A disk with a system on it, which only root can look into as a rule."""

    disk: Disk
    told_again: str
    python: str = ""

    def write(self, work: Work) -> None:
        boot = written_boot(self.disk, self.told_again)
        _let_go(self.disk, work)
        onto_written(work, self.disk, boot)


@dataclass(frozen=True, slots=True)
class Folder:
    """The boot partition, mounted."""

    path: Path
    system: System
    disk: Disk | None = None

    @property
    def python(self) -> str:
        return self.system.python

    def write(self, work: Work) -> None:
        onto_folder(work, MountedFolder(self.path), str(self.path))


def _let_go(disk: Disk, work: Work) -> None:
    """Of one that may be written: by now its mounts were agreed on. Raises CardError where something on it is still open."""
    if disk.mounts:
        work.telling.step(f"{'would unmount' if work.dry else 'unmounting'} {', '.join(disk.mounts)}")
        if not work.dry:
            unmount(disk)


def chosen(options: argparse.Namespace, asker: Asker | None, *, as_root: bool = False, unmounts: bool = False) -> Whole | Written:
    """By the arguments, asked for where they do not say; looked at before anything else is asked.

    `as_root`: root will write it, whoever asks now. `unmounts`: a card that a desktop shows is offered, too. Raises CardError.
    """
    if options.onto_written:
        if options.image:
            raise CardError("--image and --onto-written do not go together: a card that is written already needs no image")
        disk = disks.find(options.onto_written, as_root=as_root)
        if disks.may_write(disk):
            written_boot(disk, options.yes_really)
        return Written(disk, options.yes_really)
    image = look(options.image or pick.image(asker), options.sha256)
    needed = image.size or image.packed
    picked = "" if options.disk else pick.card(asker, needed, shown_too=unmounts)
    unmounts = unmounts and bool(picked)
    disk = _disk(options.disk or picked, needed, options, as_root)
    disks.allow(disks.free(disk) if unmounts else disk, needed, options.yes_really)
    return Whole(image, disk, options.yes_really, unmounts)


def looked(options: argparse.Namespace) -> System:
    """What is on a card that was written already. Raises CardError."""
    return detect(written_boot(disks.find(options.onto_written), options.yes_really), options.first_boot)


def _disk(name: str, needed: int, options: argparse.Namespace, as_root: bool) -> Disk:
    """The card; a file that was named twice and is not there yet is made, of a size that emulators take (a power of two)."""
    path = Path(name)
    if path.exists() or options.yes_really != name or name.startswith("/dev/"):
        return disks.find(name, as_root=as_root)
    length = 1 << (needed - 1).bit_length()
    if options.dry_run:
        return Disk(name, length, "a file", file=True)
    try:
        with path.open("xb") as file:
            file.truncate(length)
    except OSError as error:
        raise CardError(f"{name}: cannot be made ({error.strerror})") from None
    return disks.find(name)


def folder(path: Path, way: str | None = None) -> Folder:
    """Raises CardError where it is no boot folder."""
    if not path.is_dir():
        raise CardError(f"{path}: is no folder; put the card in and name the folder of its small partition, bootfs")
    try:
        return Folder(path, detect(MountedFolder(path), way))  # type: ignore[arg-type]  # argparse knows the ways
    except CardError as error:
        raise CardError(f"{path}: {error}") from None


def mounted(roots: tuple[tuple[str, str], ...] = DESKTOP) -> Iterator[Path]:
    """Boot folders of cards that a desktop has mounted."""
    for root, pattern in roots:
        found: list[Path] = []
        with contextlib.suppress(OSError):
            found = sorted(Path(root).glob(pattern))
        for path in found:
            with contextlib.suppress(CardError, OSError):
                yield folder(path).path
