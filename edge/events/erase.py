"""Forgetting: of what was erased no byte is left in the store's files."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from edge.keeping.aside import set_aside
from edge.store import Store

AT_ONCE = 200
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Erased:
    """`complete` is false where a copy stays in the write-ahead log for as long as another program reads it; `unsearched` cannot be searched."""

    events: int
    pictures: int
    complete: bool
    unsearched: tuple[Path, ...]


def erase(store: Store, path: Path, gallery: Path, ids: Collection[str], texts: Collection[str]) -> Erased:
    """Events by id, with crops and all that waits for targets; and of the gallery what was read as one of the texts."""
    wanted, complete = list(ids), True
    for start in range(0, len(wanted), AT_ONCE):
        complete = store.erase(wanted[start : start + AT_ONCE])
    end = time.monotonic() + PATIENCE_S
    while not complete and time.monotonic() < end:
        time.sleep(0.1)
        complete = store.erase([])
    return Erased(len(wanted), _from_gallery(gallery, texts), complete, tuple(set_aside(path)))


def _from_gallery(gallery: Path, texts: Collection[str]) -> int:
    gone = 0
    for path in gallery.glob("2*-*.json"):
        try:
            text = json.loads(path.read_bytes()).get("text")
        except (OSError, ValueError, AttributeError):
            continue
        if text in texts:
            for suffix in (".jpg", ".json"):
                path.with_suffix(suffix).unlink(missing_ok=True)
            gone += 1
    return gone
