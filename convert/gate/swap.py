"""A bundle's folder is replaced whole: whoever reads it sees the old one or the new one, and an interrupted or refused run leaves the old one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from edge.errors import PlatewatchError
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, aside

BUNDLE = {MODEL_FILE, MANIFEST_FILE}


class CannotWrite(PlatewatchError, OSError):
    """The bundle's folder cannot be written, or holds something else that would be lost."""


def check_out(out: Path) -> None:
    """Before minutes of work. Raises CannotWrite where a bundle could not be put, or where something other than a bundle would be replaced."""
    out = out.resolve()
    if out.exists() and not out.is_dir():
        raise CannotWrite(f"{out}: is a file; name the folder for the bundle with --out")
    others = sorted({entry.name for entry in out.iterdir()} - BUNDLE) if out.is_dir() else []
    if others:
        raise CannotWrite(f"{out}: holds {others[0]!r}, which is no part of a bundle and would be lost; name a new folder, or that of a bundle")
    above = next(folder for folder in out.parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise CannotWrite(f"{out}: cannot be made, as {above} cannot be written; name another folder")


def replace_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Put `files` (name -> content) into the folder `out` in place of what is there. Raises CannotWrite when the disk gives up; `out` is then as before.

    Staged beside it and flushed to the disk; then two renames. Killed between these, the old folder lies beside under `edge.model.manifest.aside`,
    where the device looks too, and the next call puts it back.
    """
    check_out(out)
    out = out.resolve()
    recover(out)
    staged, old = out.with_name(f".{out.name}.new"), aside(out)
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for name, content in files.items():
            _write(staged / name, content)
        _flush(staged)
        if out.exists():
            os.rename(out, old)
        os.rename(staged, out)
        _flush(out.parent)
    except OSError as error:
        recover(out)
        shutil.rmtree(staged, ignore_errors=True)
        raise CannotWrite(f"{out}: the bundle cannot be written ({error.strerror}); what was there is untouched") from None
    shutil.rmtree(old, ignore_errors=True)


def recover(out: Path) -> None:
    """After a run that was killed: the old folder back in its place where the new one never came, or away where it did."""
    old = aside(out)
    if old.is_dir() and not out.exists():
        os.rename(old, out)
    shutil.rmtree(old, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """The folder's entries to the disk: a Pi loses power without a word."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
