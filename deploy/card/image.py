"""An image as it is downloaded: xz, gzip, zip or plain, read as a stream and hashed on the way."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from deploy.card.errors import CardError
from deploy.card.xz import Source, Xz, xz_size

MAGIC = {b"\xfd7zXZ\x00": "xz", b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip"}
CUT = "is damaged or was not downloaded to its end; download it again"
BROKEN = (lzma.LZMAError, EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile)


class Hashing:
    """A binary file that hashes what is read from it, once and in order."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sum = file, hashlib.sha256()
        self.taken = 0

    def read(self, amount: int = -1) -> bytes:
        chunk = self._file.read(amount)
        self._sum.update(chunk)
        self.taken += len(chunk)
        return chunk

    def rest(self) -> str:
        """Reads what is left; the SHA-256 of the whole file, in hexadecimal."""
        while self.read(1 << 20):
            pass
        return self._sum.hexdigest()


@dataclass(frozen=True, slots=True)
class Image:
    """`size` is that of the disk in it, None where the file does not tell; `sha256` what the file must have, '' where nobody said."""

    path: Path
    kind: str
    packed: int
    size: int | None
    sha256: str

    @contextlib.contextmanager
    def open(self) -> Iterator[Stream]:
        """Raises CardError."""
        try:
            with self.path.open("rb") as file:
                yield Stream(self, file)
        except OSError as error:
            if isinstance(error, CardError):
                raise
            raise CardError(f"{self.path}: cannot be read ({error.strerror})") from None


class Stream:
    """The disk in an image, from its beginning to its end."""

    def __init__(self, image: Image, file: BinaryIO) -> None:
        self._image, self._file = image, file
        self._hashing = Hashing(file)
        self._unpacked = self._open()
        self._given = 0

    def _open(self) -> Source:
        if self._image.kind == "xz":
            return Xz(self._hashing)
        if self._image.kind == "gzip":
            return gzip.GzipFile(fileobj=cast(BinaryIO, self._hashing), mode="rb")
        if self._image.kind == "zip":
            pack = zipfile.ZipFile(self._file)
            return cast(BinaryIO, pack.open(_member(pack, self._image.path)))
        return self._hashing

    @property
    def taken(self) -> int:
        """Bytes of the packed file that were read so far; 0 for zip, which is read twice."""
        return self._hashing.taken

    def read(self, amount: int) -> bytes:
        """Exactly so many bytes, fewer at the end only. Raises CardError."""
        parts, left = [], amount
        try:
            while left and (chunk := self._unpacked.read(left)):
                parts.append(chunk)
                left -= len(chunk)
        except BROKEN:
            raise CardError(f"{self._image.path}: {CUT}") from None
        self._given += amount - left
        return b"".join(parts)

    def finish(self) -> None:
        """After the last byte. Raises CardError where the file is not the one that was promised."""
        if self._image.size not in (None, self._given):
            raise CardError(f"{self._image.path}: {CUT}")
        if not self._image.sha256:
            return
        if self._image.kind == "zip":
            self._file.seek(0)
        if (found := self._hashing.rest()) != self._image.sha256:
            raise CardError(
                f"{self._image.path}: is not the file that its checksum tells of (SHA-256 {found[:12]}..., not {self._image.sha256[:12]}...); download it again"
            )


def look(path: Path, sha256: str = "") -> Image:
    """The image; `sha256` a value or a file, '' takes IMAGE.sha256 where it is there. Raises CardError."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
            kind = next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "plain")
            packed = path.stat().st_size
            size = xz_size(file, packed) if kind == "xz" else None
            if kind == "xz" and size is None:
                raise CardError(f"{path}: {CUT}")
            if kind == "gzip" and packed < 1 << 30:  # its own note of the size wraps at 4 GiB
                file.seek(-4, 2)
                size = int.from_bytes(file.read(4), "little") or None
            if kind == "zip":
                with zipfile.ZipFile(file) as pack:
                    size = pack.getinfo(_member(pack, path)).file_size
    except OSError as error:
        if isinstance(error, CardError):
            raise
        raise CardError(f"{path}: cannot be read ({error.strerror}); download Raspberry Pi OS Lite (64-bit) and name the file") from None
    except zipfile.BadZipFile:
        raise CardError(f"{path}: {CUT}") from None
    if packed == 0:
        raise CardError(f"{path}: is empty; download it again")
    return Image(path, kind, packed, packed if kind == "plain" else size, expected(path, sha256))


def _member(pack: zipfile.ZipFile, path: Path) -> str:
    names = [name for name in pack.namelist() if name.endswith(".img")]
    if len(names) != 1:
        raise CardError(f"{path}: holds {len(names)} images (.img), and one is needed; unpack it and name the image")
    return names[0]


def expected(path: Path, told: str) -> str:
    """The SHA-256 that the file must have: told, from a file as `sha256sum` writes it, or from the file beside the image. Raises CardError."""
    beside = path.with_name(path.name + ".sha256")
    if re.fullmatch(r"[0-9A-Fa-f]{64}", told):
        return told.lower()
    source = Path(told) if told else beside
    if not told and not beside.is_file():
        return ""
    try:
        lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise CardError(f"--sha256: {told!r} is neither 64 hexadecimal digits nor a file that can be read ({error.strerror})") from None
    found = [(words[0].lower(), words[-1].lstrip("*")) for line in lines if (words := line.split()) and re.fullmatch(r"[0-9A-Fa-f]{64}", words[0])]
    named = [value for value, name in found if name.rpartition("/")[2] == path.name]
    if not named and len(found) != 1:
        raise CardError(f"{source}: holds no checksum for {path.name}")
    return named[0] if named else found[0][0]
