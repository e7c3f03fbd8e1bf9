"""Events on disk: one SQLite file that the daemon writes and the page reads at the same time (WAL).

An event and its crop are one transaction, so a power cut leaves both or neither. Times are UTC in ISO 8601, which sorts as text.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from edge.errors import StoreError, plain
from edge.evidence import Evidence, pack, unpack
from edge.keeping.file import StoreFile
from edge.records import Character, Event, Match, Quad, Rule

PREVIEW = "events.preview"
JSON = "CAST(json AS BLOB)"
"""As bytes: where a bit turned that makes them no text any more, SQLite's adapter would fail, and with it all other rows."""
INSERT = "INSERT OR IGNORE INTO events (id, text, last_seen, json, list, camera, country, direction, confidence, preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
log = logging.getLogger(__name__)
MINUTE = len("2026-11-22T21:05")


class Store(StoreFile):
    """The event store at `path`, as `StoreFile` says."""

    def __init__(self, path: str | Path, *, read_only: bool = False, patient: bool = False, wait_s: float = 2.0) -> None:
        self.also: Callable[[sqlite3.Connection, Event], None] = lambda db, event: None
        """What else a new event's transaction writes: the outbox."""
        self.unsaid: Callable[[sqlite3.Connection, str], None] = lambda db, id: None
        """What is written when a preview is withdrawn, before it is deleted."""
        super().__init__(path, read_only=read_only, patient=patient, wait_s=wait_s)

    def add(self, event: Event) -> bool:
        """Keep an event and its crop; False when its id is already there, which changes nothing. Only a preview makes room for the event of its id.

        The event is then as new as if there had been no preview, so that whoever waits for news gets it.
        """
        with self._transaction() as db:
            if not event.preview:
                db.execute(f"DELETE FROM events WHERE id = ? AND {PREVIEW}", (event.id,))
            made = db.execute(INSERT, _row(event))
            new = made.rowcount == 1
            if new and event.evidence is not None:
                db.execute("INSERT INTO looks (seq, packed) VALUES (?, ?)", (made.lastrowid, pack(event.evidence)))
            if new and event.crop_jpeg:
                db.execute("INSERT INTO crops (event, jpeg, x, y) VALUES (?, ?, ?, ?)", (event.id, event.crop_jpeg, *(event.crop_at or (None, None))))
            if new and event.frame_jpeg:
                db.execute("INSERT INTO frames (event, jpeg) VALUES (?, ?)", (event.id, event.frame_jpeg))
            if new:
                self.also(db, event)
            return new

    def events(self, limit: int = 50, before: str | None = None, text: str | None = None) -> list[Event]:
        """Newest first, without crops and without previews. `before` is the id of the last event of the page above; `text` is a part of the plate."""
        wanted, values = [f"NOT {PREVIEW}"], list[str | int]()
        if before is not None:
            wanted.append("seq < (SELECT seq FROM events WHERE id = ?)")
            values.append(before)
        if text:
            wanted.append("instr(text, ?) > 0")
            values.append("".join(char for char in text.upper() if char.isalnum()))
        rows = self._rows(f"SELECT {JSON} FROM events WHERE {' AND '.join(wanted)} ORDER BY seq DESC LIMIT ?", *values, max(0, limit))
        return list(whole_events(row[0] for row in rows))

    def event(self, id: str) -> Event | None:
        """One event with its crop, or None."""
        rows = self._rows(f"SELECT {JSON}, jpeg FROM events LEFT JOIN crops ON crops.event = events.id WHERE id = ?", id)
        return event_of(rows[0][0], rows[0][1] or b"") if rows else None

    def crop(self, id: str) -> bytes | None:
        """The event's picture as JPEG, or None when it has none."""
        rows = self._rows("SELECT jpeg FROM crops WHERE event = ?", id)
        return bytes(rows[0][0]) if rows else None

    def frame(self, id: str) -> bytes | None:
        """The whole picture of the event's best look as JPEG, or None when none was kept."""
        rows = self._rows("SELECT jpeg FROM frames WHERE event = ?", id)
        return bytes(rows[0][0]) if rows else None

    def looks(self, id: str) -> Evidence | None:
        """The looks behind the event's text, or None where none were kept."""
        rows = self._rows("SELECT packed FROM looks JOIN events USING (seq) WHERE id = ?", id)
        return unpack(rows[0][0]) if rows else None

    def count(self) -> int:
        return int(self._rows(f"SELECT count(*) FROM events INDEXED BY events_by_time WHERE NOT {PREVIEW}")[0][0])

    def settle_previews(self) -> int:
        """Previews whose event never came, because the daemon was killed, are the events now; how many."""
        with self._transaction() as db:
            found = db.execute(f"UPDATE events SET preview = 0, json = json_set(json, '$.preview', json('false')) WHERE {PREVIEW} RETURNING id").fetchall()
            for (id,) in found:
                self.also(
                    db, event_of(*db.execute("SELECT json, coalesce(jpeg, x'') FROM events LEFT JOIN crops ON event = id WHERE id = ?", (id,)).fetchone())
                )
            return len(found)

    def delete(self, id: str) -> bool:
        """Forget an event, its crop and its label; False when there is none."""
        with self._transaction() as db:
            gone = db.execute("DELETE FROM events WHERE id = ?", (id,)).rowcount == 1
            gone |= db.execute("DELETE FROM labels WHERE event = ?", (id,)).rowcount == 1
        if gone:
            self._give_back()  # else the plate would stand in the write-ahead log for a while
        return gone

    def withdraw(self, id: str) -> None:
        """Forget a preview that should not have been, and tell those who were told."""
        with self._transaction() as db:
            self.unsaid(db, id)
            gone = db.execute(f"DELETE FROM events WHERE id = ? AND {PREVIEW}", (id,)).rowcount
        if gone:
            self._give_back()

    def erase(self, ids: Sequence[str]) -> bool:
        """Forget many at once, with crops, labels and what waits for a target; False where a copy stays in the log until somebody else stops reading."""
        with self._transaction() as db:
            db.executemany("DELETE FROM events WHERE id = ?", [(id,) for id in ids])
            db.executemany("DELETE FROM labels WHERE event = ?", [(id,) for id in ids])
        return self._give_back()

    def note_access(self, at: str, who: str, did: str, events: int, keep: int) -> None:
        """Write down who looked events up, exported or deleted them; the newest `keep` lines stay."""
        if keep == 0:
            return
        with self._transaction() as db:
            db.execute("INSERT INTO accesses (at, who, did, events) VALUES (?, ?, ?, ?)", (at, who, did, events))
            db.execute("DELETE FROM accesses WHERE seq <= (SELECT max(seq) FROM accesses) - ?", (keep,))

    def accesses(self, limit: int = 50) -> list[tuple[str, str, str, int]]:
        """(at, who, did, how many events, 0 where that is not known), newest first."""
        return [tuple(row) for row in self._rows("SELECT at, who, did, events FROM accesses ORDER BY seq DESC LIMIT ?", limit)]

    def add_reason(self, reason: str, at: str, count: int = 1) -> None:
        """Count why a track gave no event; kept by the minute, without a plate."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO reasons (minute, reason, count) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                (at[:MINUTE], reason, count),
            )

    def reasons(self, since: str) -> dict[str, int]:
        """{reason: count} since a time (its minute included), most frequent first."""
        rows = self._rows("SELECT reason, sum(count) AS n FROM reasons WHERE minute >= ? GROUP BY reason ORDER BY n DESC, reason", since[:MINUTE])
        return {str(reason): int(count) for reason, count in rows}

    def purge(self, older_than: str, known_older_than: str | None = None, *, limit: int = -1) -> int:
        """Forget events last seen before a time, those of known plates before another, and reasons of before; how many events went, at most `limit`."""
        known = known_older_than or older_than
        with self._transaction() as db:
            old = "SELECT seq FROM events WHERE last_seen < max(?1, ?2) AND last_seen < iif(list = '', ?1, ?2) ORDER BY last_seen LIMIT ?3"
            gone = db.execute(f"DELETE FROM events WHERE seq IN ({old})", (older_than, known, limit)).rowcount
            db.execute("DELETE FROM reasons WHERE minute < ?", (older_than[:MINUTE],))
        if gone:
            self._give_back()
        return gone

    def trim(self, most: int, *, limit: int = -1) -> int:
        """Of more events than `most` forget the oldest; how many went, at most `limit`."""
        if (over := self._rows("SELECT count(*) FROM events")[0][0] - most) <= 0:
            return 0
        with self._transaction() as db:
            many = over if limit < 0 else min(over, limit)
            gone = db.execute("DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?)", (many,)).rowcount
        self._give_back()
        return gone

    def newest(self) -> str:
        """When something was last seen, '' where nothing was."""
        return str(self._rows("SELECT coalesce(max(last_seen), '') FROM events")[0][0])

    def make_room(self, keep_mb_free: int, *, free_bytes: Callable[[], int] | None = None, step: int = 100, limit: int = -1) -> int:
        """Forget the oldest events until the disk has `keep_mb_free` megabytes; how many went, at most about `limit`.

        When even an empty store would not make that room, something else fills the disk: nothing is deleted, StoreError says so.
        """
        free = free_bytes or (lambda: shutil.disk_usage(self._path.parent).free)
        missing = keep_mb_free * 1_000_000 - free()
        if missing <= 0:
            return 0
        if missing > self._bytes():
            raise StoreError(f"{self._path.parent}: only {free() / 1e6:.0f} MB are free and the events hold {self._bytes() / 1e6:.0f} MB; delete other files")
        gone = 0
        while free() < keep_mb_free * 1_000_000 and not 0 <= limit <= gone:
            with self._transaction() as db:
                batch = db.execute("DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?)", (step,)).rowcount
            if not batch:
                break
            gone += batch
            self._give_back()
        return gone


def _row(event: Event) -> tuple[str | float | bool, ...]:
    listed = event.match.list if event.match else ""
    told = json.dumps(event.as_json(), default=float)
    return event.id, event.text, event.last_seen, told, listed, event.camera, event.country or "", event.direction, float(event.confidence), event.preview


def whole_events(texts: Iterable[str | bytes]) -> Iterator[Event]:
    """Without those that are damaged: one is no reason not to show the others."""
    for text in texts:
        try:
            yield event_of(text)
        except StoreError as error:
            log.warning("%s", error)


def event_of(text: str | bytes, crop_jpeg: bytes = b"") -> Event:
    """Inverse of `Event.as_json`; StoreError where it is none: a bit that turns on the card is in no checksum of SQLite's."""
    try:
        return _event_of(text, crop_jpeg)
    except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise StoreError(f"an event in the store is damaged ({plain(str(error), 150)}); delete it, or take the store from a backup") from None


def _event_of(text: str | bytes, crop_jpeg: bytes) -> Event:
    row = json.loads(text)
    row["characters"] = tuple(Character(**character) for character in row["characters"])
    row["quad"] = Quad.from_array(row["quad"])
    row["rule"] = Rule(**row["rule"]) if row.get("rule") else None
    row["match"] = Match(**row["match"]) if row.get("match") else None
    row.setdefault("raw_text", row["text"])
    return Event(**row, crop_jpeg=crop_jpeg)
