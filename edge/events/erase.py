"""Forgetting: of what was erased no byte is left in the store's files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.events.query import find
from edge.events.wanted import Wanted
from edge.keeping.aside import set_aside
from edge.labels.book import erase_labels, labels
from edge.store import Store

if TYPE_CHECKING:
    from edge.config import Config

AT_ONCE = 200
"""No writer waits longer than for so many."""
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Doomed:
    """What is to go: events by id, labels by their place in the store, and of the gallery what was read as one of `texts`. `plates` are told to people."""

    ids: tuple[str, ...]
    labels: tuple[int, ...] = ()
    texts: frozenset[str] = frozenset()
    plates: int = 0


@dataclass(frozen=True, slots=True)
class Erased:
    """`complete` is false where a copy stays in the write-ahead log for as long as another program reads it; `unsearched` cannot be searched."""

    events: int
    labels: int
    pictures: int
    complete: bool
    unsearched: tuple[Path, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "deleted": self.events,
            "labels": self.labels,
            "unread_pictures": self.pictures,
            "complete": self.complete,
            "not_searched": [str(path) for path in self.unsearched],
        }


def doomed(store: Store, wanted: Wanted, name: Callable[[str], str] | None = None, *, damaged: bool = False) -> Doomed:
    """What a search finds, previews among it, with the labels that fit it, also those whose events are gone; and the gallery's where a plate is named.

    Of what is `damaged` alone, if that is wanted: events that nobody can look at any more, and nothing else.
    """
    found = find(store, wanted, name, previews=True)
    if damaged:
        return Doomed(tuple(one.id for one in found.damaged))
    ids = {one.event.id for one in found} | {one.id for one in found.damaged}
    said = [one for one in labels(store, wanted) if wanted.limit < 0 or one.event in ids]
    texts = {one.event.text for one in found} | {one.text for one in found} | {one.read for one in said} | {one.told.text for one in said}
    plates = len(({one.text for one in found} | {one.told.text for one in said}) - {""})
    gallery = frozenset((texts | {wanted.plate}) - {""}) if wanted.plate else frozenset[str]()
    return Doomed(tuple(ids), tuple(one.seq for one in said), gallery, plates)


def erase(store: Store, config: Config, what: Doomed, *, patience_s: float = PATIENCE_S) -> Erased:
    """Events with crops, frames, looks, labels and all that waits for targets. Waits `patience_s` for those who read, so that the log can be emptied."""
    ids, seqs = json.dumps(what.ids), json.dumps(what.labels)
    gone = store.rows("SELECT count(*) FROM events WHERE id IN (SELECT value FROM json_each(?))", ids)[0][0]
    of_them = "event IN (SELECT value FROM json_each(?)) OR seq IN (SELECT value FROM json_each(?))"
    labelled = store.rows(f"SELECT count(*) FROM labels WHERE {of_them}", ids, seqs)[0][0]
    erase_labels(store, what.labels)
    complete = store.erase([])
    for start in range(0, len(what.ids), AT_ONCE):
        complete = store.erase(what.ids[start : start + AT_ONCE])
    end = time.monotonic() + patience_s
    while not complete and time.monotonic() < end:
        time.sleep(0.1)
        complete = store.erase([])
    gallery = Path(config.unread.directory or Path(config.runtime.directory) / "unread")
    return Erased(gone, labelled, _from_gallery(gallery, what.texts), complete, tuple(set_aside(Path(config.store.path))))


def _from_gallery(gallery: Path, texts: Collection[str]) -> int:
    gone = 0
    for path in gallery.glob("[12]*-*.json"):
        try:
            text = json.loads(path.read_bytes()).get("text")
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
        if text in texts:
            for suffix in (".jpg", ".json"):
                path.with_suffix(suffix).unlink(missing_ok=True)
            gone += 1
    return gone
