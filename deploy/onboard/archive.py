"""From an archive of which nothing is believed to files whose every byte was signed for."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from deploy.onboard import disk, signature
from deploy.onboard.errors import OnboardError
from deploy.onboard.machine import Machine
from deploy.onboard.tarball import Release, members

SUFFIX = ".minisig"
ROOM = 64_000_000
"""Bytes that stay free for everybody else."""


def about(archive: Path) -> Release:
    """What the archive says of itself, before anything is proven."""
    try:
        with archive.open("rb") as stream:
            for release, _, _ in members(stream, archive.name):
                return release
    except OSError as error:
        raise OnboardError(f"{archive}: cannot be read ({error.strerror})") from None
    raise OnboardError(f"{archive.name}: holds nothing")


def open_signed(archive: Path, trusted: Path) -> Release:
    """The release in an archive that one of the trusted keys has signed as it is; raises OnboardError for any other."""
    signature.verify(archive, beside(archive), trusted)
    return about(archive)


def beside(archive: Path) -> Path:
    """Where its signature lies."""
    return archive.with_name(archive.name + SUFFIX)


def unpack(archive: Path, into: Path) -> Release:
    """Every file of it below the empty folder `into`, each checked against its hash on the way; OnboardError for the first that differs."""
    found: Release | None = None
    with archive.open("rb") as stream:
        for release, name, contents in members(stream, archive.name):
            found = release
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            with os.fdopen(file, "wb") as made:
                for piece in contents:
                    with disk.named(path):
                        made.write(piece)
    if found is None:
        raise OnboardError(f"{archive.name}: holds nothing")
    (into / "release.json").write_text(found.text, encoding="utf-8")
    return found


def fits(release: Release, machine: Machine) -> None:
    """Raises OnboardError where it was made for another computer or another Python."""
    if release.machine != machine.architecture:
        raise OnboardError(f"{release.id}: is for {release.machine}, and this is {machine.architecture}; install the 64-bit Raspberry Pi OS")
    if release.kind == "release" and machine.python_version not in release.pythons:
        known = " and ".join(release.pythons)
        raise OnboardError(f"{release.id}: is for Python {known}, and this system has {machine.python_version}; fetch a release made for it")


def needed_bytes(archive: Path, release: Release) -> int:
    """For the unpacked wheels, what they become, and Python's compiled copies; the wheels' own directories tell, so it is no guess."""
    total = sum(file.size for file in release.files.values())
    with archive.open("rb") as stream:
        offset = 0
        for _, name, contents in members(stream, archive.name):
            offset = stream.tell()
            if name.endswith(".whl"):
                total += _unpacked(archive, offset, release.files[name].size)
            for _ in contents:
                pass
    return total + ROOM


def _unpacked(archive: Path, offset: int, size: int) -> int:
    """Bytes of the files in a wheel that lies in the archive, with compiled copies and half-filled blocks."""
    try:
        with archive.open("rb") as stream, zipfile.ZipFile(_Part(stream, offset, size)) as wheel:
            return sum(entry.file_size + (entry.file_size if entry.filename.endswith(".py") else 0) + 4096 for entry in wheel.infolist())
    except (zipfile.BadZipFile, ValueError):
        return 4 * size


def room_for(wanted: int, folder: Path) -> None:
    """Raises OnboardError where the disk is too full, before anything is written."""
    free = disk.free_bytes(folder)
    if free < wanted:
        raise OnboardError(f"{folder}: {wanted / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free; nothing was changed: delete files and try again")


class _Part:
    """A piece of a file as a file of its own, for zipfile."""

    def __init__(self, stream: object, offset: int, size: int) -> None:
        self._stream, self._offset, self._size, self._at = stream, offset, size, 0

    def seekable(self) -> bool:
        return True

    def seek(self, to: int, whence: int = 0) -> int:
        self._at = max(0, to + {0: 0, 1: self._at, 2: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, many: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        many = left if many < 0 else min(many, left)
        self._stream.seek(self._offset + self._at)  # type: ignore[attr-defined]
        raw: bytes = self._stream.read(many)  # type: ignore[attr-defined]
        self._at += len(raw)
        return raw
