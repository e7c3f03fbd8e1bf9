"""Which events are there: newest first, a page at a time, with what people said about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from edge.errors import ConfigError, StoreError
from edge.events.wanted import Wanted
from edge.events.where import Where, where
from edge.labels.label import TOLD, Told, told_of
from edge.records import Event
from edge.store import JSON, Store, event_of

RECENT = 2000
"""So many of the newest events are looked through first: what is not rare is found among them."""


@dataclass(frozen=True, slots=True)
class Found:
    """An event without its picture, how far its text is from the plate that was asked for, its place in the store, and what a person said about it."""

    event: Event
    distance: float = 0.0
    seq: int = 0
    label: Told | None = None

    @property
    def text(self) -> str:
        """What the plate says, as far as is known: '' where somebody said that it is none."""
        return self.event.text if self.label is None else self.label.text

    def as_json(self) -> dict[str, Any]:
        """The event as it is told to targets, and beside it `text_corrected` and `label` where a person said something, and a `distance`."""
        told = self.event.as_json()
        if self.label is not None:
            told["label"] = self.label.as_json()
            if self.label.judgement == "corrected":
                told["text_corrected"] = self.label.text
        return told | ({"distance": round(self.distance, 2)} if self.distance else {})


@dataclass(frozen=True, slots=True)
class Broken:
    """An event that cannot be read any more: its place in the store, and its id as far as that is whole."""

    seq: int
    id: str


class Findings(list[Found]):
    """Events, and beside them those that stand among them and are `damaged`."""

    def __init__(self, found: Iterable[Found] = (), damaged: Iterable[Broken] = ()) -> None:
        super().__init__(found)
        self.damaged = tuple(damaged)


def find(store: Store, wanted: Wanted, name: Callable[[str], str] | None = None, *, previews: bool = False) -> Findings:
    """Newest first; without `previews` of events that are still to come. The next page is what is wanted `before` the last one's `seq`.

    A damaged event takes no whole one's place. `name` gives the pseudonym under which a plate may be stored; a pattern or a distance knows none. Raises
    ConfigError for one.
    """
    if name is not None and wanted.plate and (wanted.fuzzy or set(wanted.plate) & set("*?")):
        raise ConfigError("with privacy.pseudonyms only a whole plate can be looked for; leave out * and ? and --fuzzy")
    found, damaged = list[Found](), list[Broken]()
    while True:
        asked = where(store, wanted, name, previews=previews)
        rows, left = _rows(store, wanted, asked), wanted.limit
        for row in rows:
            try:
                found.append(_found(row, asked.near))
                left -= 1
            except StoreError:
                damaged.append(Broken(row[0], _id(store, row[0])))
        if wanted.limit < 0 or len(rows) < wanted.limit or left == 0:
            return Findings(found, damaged)
        wanted = replace(wanted, before=rows[-1][0], limit=left)


def _id(store: Store, seq: int) -> str:
    """Of a damaged event, as bytes: they may be damaged too."""
    rows = store.rows("SELECT CAST(id AS BLOB) FROM events WHERE seq = ?", seq)
    return bytes(rows[0][0]).decode("utf-8", "replace") if rows else ""


def _rows(store: Store, wanted: Wanted, asked: Where) -> list[Any]:
    select = f"SELECT events.seq, {JSON}, {TOLD} FROM events LEFT JOIN labels ON labels.event = events.id WHERE"
    order = "ORDER BY events.seq DESC LIMIT ?"
    if asked.led or not wanted.filters:
        return store.rows(f"{select} {asked.sql} {order}", *asked.values, wanted.limit)
    if wanted.limit > 0 and not (wanted.since or wanted.until):
        newest = wanted.before or store.rows("SELECT coalesce(max(seq), 0) + 1 FROM events")[0][0]
        rows = store.rows(f"{select} events.seq >= ? AND {asked.sql} {order}", newest - RECENT, *asked.values, wanted.limit)
        if len(rows) == wanted.limit or newest <= RECENT:
            return rows
    chosen = f"SELECT seq FROM events {asked.hint} WHERE {asked.sql} ORDER BY seq DESC LIMIT ?"
    return store.rows(f"{select} events.seq IN ({chosen}) ORDER BY events.seq DESC", *asked.values, wanted.limit)


def count(store: Store, wanted: Wanted, name: Callable[[str], str] | None = None) -> int:
    """How many there are, on all pages together."""
    asked = where(store, wanted, name)
    return int(store.rows(f"SELECT count(*) FROM events {asked.hint} WHERE {asked.sql}", *asked.values)[0][0])


def find_one(store: Store, id: str) -> Found | None:
    """One event, by its id, without its picture."""
    rows = store.rows(f"SELECT events.seq, {JSON}, {TOLD} FROM events LEFT JOIN labels ON labels.event = events.id WHERE id = ?", id)
    return _found(rows[0], None) if rows else None


def _found(row: Any, near: dict[str, float] | None) -> Found:
    seq, told, *columns = row
    event, label = event_of(told), told_of(columns)
    texts = {event.text, label.text if label else event.text}
    return Found(event, min((near[text] for text in texts if text in near), default=0.0) if near else 0.0, seq, label)
