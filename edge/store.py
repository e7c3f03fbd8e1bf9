"""Events on disk: one SQLite file that the daemon writes and the page reads at the same time (WAL).

An event and its crop are one transaction, so a power cut leaves both or neither. Times are UTC in ISO 8601, which sorts as text.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.errors import StoreError
from edge.records import Character, Event, Quad

SCHEMA_VERSION = 1
SCHEMA = f"""
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL, last_seen TEXT NOT NULL, json TEXT NOT NULL);
CREATE INDEX events_by_time ON events (last_seen);
CREATE TABLE crops (event TEXT PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE, jpeg BLOB NOT NULL);
CREATE TABLE reasons (minute TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (minute, reason)) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
MINUTE = len("2026-11-22T21:05")


class Store:
    """The event store at `path`; every method raises StoreError when the file cannot serve. Safe to share between threads.

    A `read_only` store never creates or changes anything: it is what the page opens.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self._path, self._read_only = Path(path), read_only
        self._lock = threading.RLock()
        with self._said_plainly():
            if not read_only:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            mode = "ro" if read_only else "rwc"
            self._db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=2.0, isolation_level=None, check_same_thread=False)
            try:
                self._set_up()
            except BaseException:
                self._db.close()
                raise

    def _set_up(self) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            raise StoreError(f"{self._path}: was written by a newer Platewatch (schema {found}, this one knows {SCHEMA_VERSION}); update Platewatch")
        if not self._read_only:
            # NORMAL with WAL never tears the file; a power cut may cost the last events, and spares the card a sync for each.
            self._db.executescript("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")
            if found == 0:
                self._db.executescript(SCHEMA)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, event: Event) -> bool:
        """Keep an event and its crop; False when its id is already there, which changes nothing."""
        with self._transaction() as db:
            row = (event.id, event.text, event.last_seen, json.dumps(event.as_json(), default=float))
            new = db.execute("INSERT OR IGNORE INTO events (id, text, last_seen, json) VALUES (?, ?, ?, ?)", row).rowcount == 1
            if new and event.crop_jpeg:
                db.execute("INSERT INTO crops (event, jpeg) VALUES (?, ?)", (event.id, event.crop_jpeg))
            return new

    def events(self, limit: int = 50, before: str | None = None, text: str | None = None) -> list[Event]:
        """Newest first, without crops. `before` is the id of the last event of the page above; `text` is a part of the plate."""
        wanted, values = ["1"], list[str | int]()
        if before is not None:
            wanted.append("seq < (SELECT seq FROM events WHERE id = ?)")
            values.append(before)
        if text:
            wanted.append("instr(text, ?) > 0")
            values.append("".join(char for char in text.upper() if char.isalnum()))
        rows = self._rows(f"SELECT json FROM events WHERE {' AND '.join(wanted)} ORDER BY seq DESC LIMIT ?", *values, max(0, limit))
        return [_event(row[0]) for row in rows]

    def event(self, id: str) -> Event | None:
        """One event with its crop, or None."""
        rows = self._rows("SELECT json, jpeg FROM events LEFT JOIN crops ON crops.event = events.id WHERE id = ?", id)
        return _event(rows[0][0], rows[0][1] or b"") if rows else None

    def crop(self, id: str) -> bytes | None:
        """The event's picture as JPEG, or None when it has none."""
        rows = self._rows("SELECT jpeg FROM crops WHERE event = ?", id)
        return bytes(rows[0][0]) if rows else None

    def count(self) -> int:
        return int(self._rows("SELECT count(*) FROM events")[0][0])

    def delete(self, id: str) -> bool:
        """Forget an event and its crop; False when there is none."""
        with self._transaction() as db:
            gone = db.execute("DELETE FROM events WHERE id = ?", (id,)).rowcount == 1
        if gone:
            self._give_back()  # else the plate would stand in the write-ahead log for a while
        return gone

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

    def purge(self, older_than: str) -> int:
        """Forget events last seen before a time, and reasons of before; how many events went."""
        with self._transaction() as db:
            gone = db.execute("DELETE FROM events WHERE last_seen < ?", (older_than,)).rowcount
            db.execute("DELETE FROM reasons WHERE minute < ?", (older_than[:MINUTE],))
        if gone:
            self._give_back()
        return gone

    def make_room(self, keep_mb_free: int, *, free_bytes: Callable[[], int] | None = None, step: int = 100) -> int:
        """Forget the oldest events until the disk has `keep_mb_free` megabytes; how many went.

        When even an empty store would not make that room, something else fills the disk: nothing is deleted, StoreError says so.
        """
        free = free_bytes or (lambda: shutil.disk_usage(self._path.parent).free)
        missing = keep_mb_free * 1_000_000 - free()
        if missing <= 0:
            return 0
        if missing > self._bytes():
            raise StoreError(f"{self._path.parent}: only {free() / 1e6:.0f} MB are free and the events hold {self._bytes() / 1e6:.0f} MB; delete other files")
        gone = 0
        while free() < keep_mb_free * 1_000_000:
            with self._transaction() as db:
                batch = db.execute("DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?)", (step,)).rowcount
            if not batch:
                break
            gone += batch
            self._give_back()
        return gone

    def _bytes(self) -> int:
        return sum(file.stat().st_size for suffix in ("", "-wal") if (file := Path(f"{self._path}{suffix}")).exists())

    def _give_back(self) -> None:
        """Return freed pages to the disk and empty the log; without this a purge makes no room."""
        with self._lock, self._said_plainly():
            self._db.executescript("PRAGMA incremental_vacuum")  # `execute` would stop after the first page
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _rows(self, sql: str, *values: str | int) -> list[Any]:
        with self._lock, self._said_plainly():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._said_plainly():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        """SQLite's errors as StoreError, with the mend."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{self._path}: {_mend(str(error))}") from error


def _mend(message: str) -> str:
    known = {
        "not a database": "is not an event store; move it away or name another store.path",
        "malformed": "is damaged; move it away, and a new one will be made",
        "disk is full": "the disk is full; delete other files or lower store.retention_days",
        "readonly": "cannot be written; check who owns the file and its folder",
        "read-only": "cannot be written; check who owns the file and its folder",
        "ermission denied": "cannot be written; check who owns the file and its folder",
        "unable to open": "cannot be opened; check that its folder exists and who owns it",
        "no such table": "holds no events yet, or is not an event store",
        "locked": "another program holds it; try again",
    }
    return next((mend for part, mend in known.items() if part in message), f"cannot be used ({message})")


def _event(text: str, crop_jpeg: bytes = b"") -> Event:
    """Inverse of `Event.as_json`."""
    row = json.loads(text)
    row["characters"] = tuple(Character(**character) for character in row["characters"])
    row["quad"] = Quad.from_array(row["quad"])
    return Event(**row, crop_jpeg=crop_jpeg)
