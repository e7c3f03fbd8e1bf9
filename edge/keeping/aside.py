"""A damaged store is moved out of the way, never overwritten: somebody may still save what is in it."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from edge.keeping.belief import FAR

KEPT = 3
"""So many damaged stores are kept; a card that dies makes one after the other."""
SUFFIXES = ("", "-wal", "-shm")
log = logging.getLogger(__name__)


def move_aside(path: Path, now: datetime) -> Path:
    """Rename the store and what SQLite keeps beside it to `NAME.corrupt-DATE`; the new path. Raises OSError where the folder cannot be written."""
    fresh = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%SZ}")
    number = 1
    while fresh.exists():
        fresh, number = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%SZ}-{number}"), number + 1
    for suffix in reversed(SUFFIXES):  # the file itself last: until then another try finds it still damaged
        with suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{fresh}{suffix}")
    log.error("%s is damaged and was set aside as %s; a new one is begun", path, fresh.name)
    for old in set_aside(path)[:-KEPT]:
        discard(old)
    return fresh


def set_aside(path: Path) -> list[Path]:
    """The damaged stores beside a store, the oldest first."""
    with suppress(OSError):
        return sorted(found for found in path.parent.glob(f"{path.name}.corrupt-*") if not found.name.endswith(("-wal", "-shm")))
    return []


def discard(aside: Path) -> None:
    """Delete one. Raises OSError."""
    for suffix in SUFFIXES:
        Path(f"{aside}{suffix}").unlink(missing_ok=True)


def grow_old(path: Path, older_than: datetime, now: datetime | None = None) -> int:
    """Damaged stores hold plates too: those last written before a time go; how many. One that a wrong clock has dated after tomorrow counts as of `now`."""
    for found in set_aside(path):
        if now is not None and found.stat().st_mtime > (now + FAR).timestamp():
            os.utime(found, (now.timestamp(), now.timestamp()))
    old = [found for found in set_aside(path) if found.stat().st_mtime < older_than.timestamp()]
    for found in old:
        discard(found)
    return len(old)


def words(path: Path) -> str:
    """For the status; empty where there is none."""
    found = set_aside(path)
    if not found:
        return ""
    more = f" (and {len(found) - 1} before it)" if len(found) > 1 else ""
    return f"the event store was damaged and set aside as {found[-1].name}{more}; a new one was begun, delete the old one when you need it no more"
