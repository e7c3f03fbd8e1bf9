"""The boot folder of a card: one interface, mounted or inside an image. Names are relative, with `/` between; no name is ever absolute."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from deploy.card import fat
from deploy.card.errors import CardError
from deploy.card.program import run

MOST_SECRET = 1 << 20
"""What is replaced or removed is overwritten with zeros, since FAT leaves it readable. Larger files hold no secrets, and to overwrite them wears the card."""


class BootFolder(Protocol):
    """A FAT file system: names are found whatever their case, files have no owner and no mode."""

    def list(self, folder: str = "") -> list[str]:
        """Names of files and folders directly in `folder`, sorted, a folder's with `/` at its end; [] where there is no such folder."""

    def read(self, name: str) -> bytes | None:
        """The content; None where there is no such file."""

    def write(self, name: str, content: bytes) -> None:
        """Whole or not at all where the file system can do that; folders are made. Of a small file that was there no byte stays."""

    def put(self, name: str, source: Path) -> None:
        """As `write`, of a file that may be large."""

    def remove(self, name: str) -> None:
        """A file, of which no byte stays if it is small; nothing where there is none."""

    def free(self) -> int:
        """Bytes that are free."""

    def flush(self) -> None:
        """Returns when everything is on the card."""


def good_name(name: str) -> str:
    """The name; ValueError for one that would lead out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not name.isprintable():
        raise ValueError(f"{name!r} is no name in a boot folder")
    return name


def parent_of(name: str) -> str:
    """The folder of a name; '' is the root."""
    parent = str(PurePosixPath(name).parent)
    return "" if parent == "." else parent


def blank(file: BinaryIO) -> None:
    """Zeros over all of an open file and the rest of its last cluster, on the card when it returns; it may have lost its name already."""
    about = os.fstat(file.fileno())
    if 0 < about.st_size <= MOST_SECRET:
        file.seek(0)
        file.write(bytes(-(-about.st_size // about.st_blksize) * about.st_blksize))
        file.flush()
        os.fsync(file.fileno())


def forget(file: int) -> None:
    """What is read next comes from the card, not from this computer's memory, as far as it was written."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


@dataclass(frozen=True, slots=True)
class MountedFolder:
    """A boot partition that is mounted, or any folder that stands for one."""

    root: Path

    def list(self, folder: str = "") -> list[str]:
        try:
            return sorted(f"{path.name}/" if path.is_dir() else path.name for path in (self.root / good_name(folder)).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise CardError(f"{self.root}: cannot be read ({error.strerror})") from None

    def read(self, name: str) -> bytes | None:
        try:
            with (self.root / good_name(name)).open("rb") as file:
                forget(file.fileno())
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CardError(f"{self.root / name}: cannot be read ({error.strerror})") from None

    def write(self, name: str, content: bytes) -> None:
        self._whole(name, io.BytesIO(content))

    def put(self, name: str, source: Path) -> None:
        with source.open("rb") as file:
            self._whole(name, file)

    def _whole(self, name: str, source: BinaryIO) -> None:
        """Beside the old one, then in its place; only then the old one is overwritten, so that whoever stops it finds the one or the other."""
        path = self.root / good_name(name)
        fresh = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _gone(fresh)  # what an earlier attempt left half
            with fresh.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            with path.open("r+b") if path.is_file() else contextlib.nullcontext() as old:
                os.replace(fresh, path)
                if old:
                    blank(old)
        except OSError as error:
            raise CardError(f"{path}: cannot be written ({error.strerror})") from None
        finally:
            with contextlib.suppress(OSError):
                _gone(fresh)  # where it was stopped or failed

    def remove(self, name: str) -> None:
        try:
            _gone(self.root / good_name(name))
        except OSError as error:
            raise CardError(f"{self.root / name}: cannot be removed ({error.strerror})") from None

    def free(self) -> int:
        return shutil.disk_usage(self.root).free

    def flush(self) -> None:
        if hasattr(os, "sync"):
            os.sync()


def _gone(path: Path) -> None:
    """Overwritten, then removed."""
    if path.is_file():
        with path.open("r+b") as file:
            blank(file)
    path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class FatPartition:
    """A FAT file system `offset` bytes into a file or a disk, by mtools: no mount, and in a file no root."""

    image: Path
    offset: int = 0

    @property
    def _where(self) -> str:
        return f"{self.image}@@{self.offset}"

    def list(self, folder: str = "") -> list[str]:
        if folder and folder.rstrip("/") + "/" not in self.list(parent_of(folder)):
            return []
        shown = run("mdir", "-i", self._where, "-b", "-a", f"::/{good_name(folder)}").decode(errors="replace")
        # Folders end in a slash; hidden files are shown too.
        names = [line.strip().removesuffix("/").rpartition("/")[2] + ("/" if line.strip().endswith("/") else "") for line in shown.splitlines()]
        return sorted(name for name in names if name not in ("", "./", "../"))

    def _found(self, name: str) -> bool:
        path = PurePosixPath(good_name(name))
        return path.name.lower() in (known.lower() for known in self.list(parent_of(name)))

    def read(self, name: str) -> bytes | None:
        return run("mtype", "-i", self._where, f"::/{name}") if self._found(name) else None

    def write(self, name: str, content: bytes) -> None:
        try:
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                self.put(name, Path(file.name))
        except OSError as error:
            if isinstance(error, CardError):
                raise
            raise CardError(f"{tempfile.gettempdir()}: {name} cannot be put there for a moment ({error.strerror}); make room there") from None

    def put(self, name: str, source: Path) -> None:
        parent = parent_of(good_name(name))
        if parent and f"{PurePosixPath(parent).name}/" not in self.list(parent_of(parent)):
            run("mmd", "-i", self._where, f"::/{parent}")
        self.remove(name)  # as mcopy -o would, and overwritten; mren, for doing it the other way round, loses small letters
        run("mcopy", "-i", self._where, "-o", "-Q", source, f"::/{name}")

    def remove(self, name: str) -> None:
        if self._found(name):
            before = self._table()
            run("mdel", "-i", self._where, f"::/{name}")
            runs = list(fat.freed(before, self._table()))
            if sum(length for _, length in runs) <= MOST_SECRET:
                with self.image.open("rb+") as file:
                    fat.overwrite(file, runs)

    def _table(self) -> fat.Table:
        with self.image.open("rb") as file:
            return fat.read(file, self.offset)

    def free(self) -> int:
        shown = run("mdir", "-i", self._where, "-a", "::/").decode(errors="replace")
        found = re.search(r"([\d ]+) bytes free", shown)
        return int(found[1].replace(" ", "")) if found else 0

    def flush(self) -> None:
        with self.image.open("rb+") as file:
            os.fsync(file.fileno())
            forget(file.fileno())
