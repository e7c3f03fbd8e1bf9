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

from deploy.card.errors import CardError
from deploy.card.program import run


class BootFolder(Protocol):
    """A FAT file system: names are found whatever their case, files have no owner and no mode."""

    def list(self, folder: str = "") -> list[str]:
        """Names of files and folders directly in `folder`, sorted, a folder's with `/` at its end; [] where there is no such folder."""

    def read(self, name: str) -> bytes | None:
        """The content; None where there is no such file."""

    def write(self, name: str, content: bytes) -> None:
        """Whole or not at all where the file system can do that; folders are made."""

    def put(self, name: str, source: Path) -> None:
        """As `write`, of a file that may be large."""

    def remove(self, name: str) -> None:
        """A file; nothing where there is none."""

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
        """Beside the old one, then in its place."""
        path = self.root / good_name(name)
        fresh = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise CardError(f"{path}: cannot be written ({error.strerror})") from None

    def remove(self, name: str) -> None:
        try:
            (self.root / good_name(name)).unlink(missing_ok=True)
        except OSError as error:
            raise CardError(f"{self.root / name}: cannot be removed ({error.strerror})") from None

    def free(self) -> int:
        return shutil.disk_usage(self.root).free

    def flush(self) -> None:
        if hasattr(os, "sync"):
            os.sync()


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
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            self.put(name, Path(file.name))

    def put(self, name: str, source: Path) -> None:
        parent = parent_of(good_name(name))
        if parent and f"{PurePosixPath(parent).name}/" not in self.list(parent_of(parent)):
            run("mmd", "-i", self._where, f"::/{parent}")
        run("mcopy", "-i", self._where, "-o", "-Q", source, f"::/{name}")

    def remove(self, name: str) -> None:
        if self._found(name):
            run("mdel", "-i", self._where, f"::/{name}")

    def free(self) -> int:
        shown = run("mdir", "-i", self._where, "-a", "::/").decode(errors="replace")
        found = re.search(r"([\d ]+) bytes free", shown)
        return int(found[1].replace(" ", "")) if found else 0

    def flush(self) -> None:
        with self.image.open("rb+") as file:
            os.fsync(file.fileno())
            forget(file.fileno())
