"""An uploaded archive becomes a folder: nothing of it is believed, and nothing but a bundle comes out."""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from edge.errors import BundleError
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, MOST_MANIFEST, MOST_MODEL

MOST_ENTRIES = 16
MOST_ARCHIVE = MOST_MODEL + (4 << 20)
MOST_WORDS = 256 << 10
WORDS = (".md", ".txt", ".json")
"""What may lie beside the model and its manifest: a card for people."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def unpack(file: IO[bytes], name: str, goal: Path) -> None:
    """The files of the archive, all in one folder; what else is in it refuses the whole. Declared sizes are not believed."""
    taken = set[str]()
    folders = set[str]()
    try:
        for path, stream in _members(file, name):
            pure = PurePosixPath(path)
            if pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path or len(pure.parts) > 2:
                raise BundleError(f"{name}: holds the path {path[:60]!r}; a bundle is flat, or one folder")
            most = {MODEL_FILE: MOST_MODEL, MANIFEST_FILE: MOST_MANIFEST}.get(pure.name, MOST_WORDS)
            if pure.name not in (MODEL_FILE, MANIFEST_FILE) and (pure.suffix.lower() not in WORDS or not NAME.fullmatch(pure.name)):
                raise BundleError(f"{name}: holds {pure.name[:60]!r}, which belongs to no bundle; {MODEL_FILE}, {MANIFEST_FILE} and texts do")
            if pure.name in taken or len(taken) >= MOST_ENTRIES:
                raise BundleError(f"{name}: holds {pure.name[:60]!r} twice, or more than {MOST_ENTRIES} files")
            taken.add(pure.name)
            folders.add(str(pure.parent))
            content = stream.read(most + 1)
            if len(content) > most:
                raise BundleError(f"{name}: its {pure.name} is larger than {most >> 10} KiB")
            (goal / pure.name).write_bytes(content)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{name}: is damaged, or no archive that can be read; pack the bundle again as .zip or .tar.gz") from None
    if len(folders) > 1 or not {MODEL_FILE, MANIFEST_FILE} <= taken:
        raise BundleError(f"{name}: {MODEL_FILE} and {MANIFEST_FILE} must be in it, side by side")


def _members(file: IO[bytes], name: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Path and content of every file; folders are passed over, links and devices refused."""
    file.seek(0, os.SEEK_END)
    if file.tell() > MOST_ARCHIVE:
        raise BundleError(f"{name}: is larger than {MOST_ARCHIVE >> 20} MiB, which no bundle is")
    file.seek(0)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as box:
            for entry in box.infolist():
                if entry.flag_bits & 1 or (entry.external_attr >> 16) & 0o170000 not in (0, 0o100000, 0o040000):
                    raise BundleError(f"{name}: {entry.filename[:60]!r} is no ordinary file")
                if not entry.is_dir():
                    with box.open(entry) as stream:
                        yield entry.filename, stream
        return
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:*") as roll:
        for member in roll:
            if not (member.isreg() or member.isdir()):
                raise BundleError(f"{name}: {member.name[:60]!r} is no ordinary file")
            if member.isreg() and (content := roll.extractfile(member)) is not None:
                yield member.name.removeprefix("./"), content
