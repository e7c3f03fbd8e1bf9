"""Events that wait for their targets, on disk beside the events themselves: one transaction writes both, so a power cut leaves both or neither.

Each target has its own row for each event; its oldest row is its cursor, and no target waits for another. What a target has is deleted here.
What is forgotten in the store (too old, or the owner's wish) is forgotten here too, and counted as dropped; a preview that still waits when its
event comes is no news any more and goes uncounted.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.errors import StoreError
from edge.publish.base import Parcel
from edge.publish.filters import wants
from edge.publish.settings import OutboxConfig, TargetConfig
from edge.publish.told import stage as stage_of
from edge.records import Event

SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS outbox_bodies (event TEXT NOT NULL, stage TEXT NOT NULL, bytes INTEGER NOT NULL, json TEXT NOT NULL, jpeg BLOB,
    PRIMARY KEY (event, stage));
CREATE INDEX IF NOT EXISTS outbox_sizes ON outbox_bodies (bytes);
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, event TEXT NOT NULL, stage TEXT NOT NULL, refused TEXT,
    UNIQUE (event, stage, target));
CREATE INDEX IF NOT EXISTS outbox_cursor ON outbox (target, seq) WHERE refused IS NULL;
CREATE TABLE IF NOT EXISTS outbox_targets (name TEXT PRIMARY KEY, delivered INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS outbox_notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS outbox_forgets AFTER DELETE ON events BEGIN
    UPDATE outbox_targets SET dropped = dropped + (SELECT count(*) FROM outbox WHERE event = OLD.id AND target = name AND stage = 'final' AND refused IS NULL)
        WHERE name IN (SELECT target FROM outbox WHERE event = OLD.id);
    DELETE FROM outbox WHERE event = OLD.id;
    DELETE FROM outbox_bodies WHERE event = OLD.id;
END;
COMMIT;
"""
ORPHANS = "DELETE FROM outbox_bodies WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.event = outbox_bodies.event AND outbox.stage = outbox_bodies.stage)"
ORPHAN = "DELETE FROM outbox_bodies WHERE event = ?1 AND stage = ?2 AND NOT EXISTS (SELECT 1 FROM outbox WHERE event = ?1 AND stage = ?2)"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one target: waiting, set aside, and (since the target was first named) delivered and dropped."""

    pending: int = 0
    refused: int = 0
    delivered: int = 0
    dropped: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


class Outbox:
    """The outbox in the store's file at `path`, which must exist; StoreError when it cannot serve. Safe to share between threads.

    A `patient` one may be made before the file can be opened; the store says when it can (`reopen`).
    """

    def __init__(self, path: str | Path, targets: Sequence[TargetConfig], bounds: OutboxConfig | None = None, *, patient: bool = False) -> None:
        self._path, self._targets, self._bounds = Path(path), tuple(targets), bounds or OutboxConfig()
        self._lock = threading.RLock()
        self._counted: tuple[object, dict[str, Counts]] = (None, {})
        self._opened = False
        try:
            self.reopen()
        except StoreError:
            if not patient:
                raise

    def reopen(self) -> None:
        """The store stands in another file now, or can be opened at last."""
        with self._lock, self._said_plainly():
            self.close()
            self._counted = (None, {})
            self._db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
            self._db.executescript(f"PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; {SCHEMA}")
            self._meet([target.name for target in self._targets])
            self._opened = True

    def _meet(self, names: list[str]) -> None:
        """Targets that the config no longer names are forgotten with all that waited for them; writes only where something changed."""
        before = {name for (name,) in self._db.execute("SELECT name FROM outbox_targets UNION SELECT target FROM outbox")}
        if before == set(names):
            return
        with self._transaction() as db:
            for gone in before - set(names):
                db.execute("DELETE FROM outbox WHERE target = ?", (gone,))
                db.execute("DELETE FROM outbox_targets WHERE name = ?", (gone,))
            db.execute(ORPHANS)
            db.executemany("INSERT OR IGNORE INTO outbox_targets (name) VALUES (?)", [(name,) for name in names])

    def close(self) -> None:
        with self._lock:
            if self._opened:
                self._db.close()
            self._opened = False

    def enqueue(self, db: sqlite3.Connection, event: Event) -> None:
        """Within the store's own transaction `db`: a row for every target that wants the event. The same stage twice is one."""
        row = event.as_json()
        wanting = [target for target in self._targets if wants(target, row, bool(event.crop_jpeg))]
        if not wanting:
            return
        stage, text = stage_of(row), json.dumps(row, default=float)
        jpeg = event.crop_jpeg if event.crop_jpeg and any(target.picture != "none" for target in wanting) else None
        size = len(text) + len(jpeg or b"")
        db.execute("INSERT OR IGNORE INTO outbox_bodies (event, stage, bytes, json, jpeg) VALUES (?, ?, ?, ?, ?)", (event.id, stage, size, text, jpeg))
        db.executemany("INSERT OR IGNORE INTO outbox (target, event, stage) VALUES (?, ?, ?)", [(target.name, event.id, stage) for target in wanting])
        self._bound(db)

    def _bound(self, db: sqlite3.Connection) -> None:
        """The oldest rows go until what waits is within its bounds."""
        rows = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        size = db.execute("SELECT total(bytes) FROM outbox_bodies").fetchone()[0]
        while rows and (rows > self._bounds.max_events or size > self._bounds.max_mb * 1e6):
            seq, target, event, stage, refused = db.execute("SELECT seq, target, event, stage, refused FROM outbox ORDER BY seq LIMIT 1").fetchone()
            freed = db.execute("SELECT total(bytes) FROM outbox_bodies WHERE event = ? AND stage = ?", (event, stage)).fetchone()[0]
            db.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
            if refused is None:
                db.execute("UPDATE outbox_targets SET dropped = dropped + 1 WHERE name = ?", (target,))
            rows -= 1
            size -= freed if db.execute(ORPHAN, (event, stage)).rowcount else 0

    def next(self, target: str) -> Parcel | None:
        """The oldest event that waits for a target, or None."""
        rows = self._rows(
            "SELECT seq, json, jpeg FROM outbox JOIN outbox_bodies USING (event, stage) WHERE target = ? AND refused IS NULL ORDER BY seq LIMIT 1", target
        )
        return Parcel(rows[0][0], target, json.loads(rows[0][1]), bytes(rows[0][2] or b"")) if rows else None

    def delivered(self, parcel: Parcel) -> None:
        """The target has it."""
        self._ready()
        with self._transaction() as db:
            for event, stage in db.execute("DELETE FROM outbox WHERE seq = ? RETURNING event, stage", (parcel.seq,)).fetchall():
                db.execute(ORPHAN, (event, stage))
            db.execute("UPDATE outbox_targets SET delivered = delivered + 1 WHERE name = ?", (parcel.target,))

    def set_aside(self, parcel: Parcel, reason: str) -> None:
        """The target will not have it: it stays, with the reason, out of the way of the others."""
        self._ready()
        with self._transaction() as db:
            db.execute("UPDATE outbox SET refused = ? WHERE seq = ?", (reason, parcel.seq))

    def again(self, target: str) -> int:
        """Offer a target once more what was set aside; how many events those are."""
        self._ready()
        with self._transaction() as db:
            return db.execute("UPDATE outbox SET refused = NULL WHERE target = ? AND refused IS NOT NULL", (target,)).rowcount

    def counts(self) -> dict[str, Counts]:
        """By target. Asked of the database only when it has changed."""
        with self._lock, self._said_plainly():
            self._ready()
            stamp = (self._db.execute("PRAGMA data_version").fetchone()[0], self._db.total_changes)
            if self._counted[0] != stamp:
                self._counted = stamp, counts(self._db)
            found = self._counted[1]
        return {target.name: found.get(target.name, Counts()) for target in self._targets}

    def note(self, key: str) -> str:
        """What was last written under a key, or ''."""
        rows = self._rows("SELECT value FROM outbox_notes WHERE key = ?", key)
        return str(rows[0][0]) if rows else ""

    def write_note(self, key: str, value: str) -> None:
        """Small facts that outlive a restart; the same value again writes nothing."""
        if self.note(key) != value:
            with self._transaction() as db:
                db.execute("INSERT INTO outbox_notes (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2", (key, value))

    def _rows(self, sql: str, *values: str) -> list[Any]:
        with self._lock, self._said_plainly():
            self._ready()
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._said_plainly():
            self._db.execute("BEGIN IMMEDIATE")  # _meet is in here while the outbox is being opened
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _ready(self) -> None:
        if not self._opened:
            raise StoreError(f"{self._path}: the outbox cannot be used yet; it waits for the event store")

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: the outbox cannot be used ({error}); make room on the disk, or see who owns the file") from error


def counts(db: sqlite3.Connection) -> dict[str, Counts]:
    """By target, of any connection to a store with an outbox."""
    waiting = {name: (pending, refused) for name, pending, refused in db.execute(
        "SELECT target, sum(refused IS NULL), sum(refused IS NOT NULL) FROM outbox GROUP BY target"
    )}  # fmt: skip
    return {
        name: Counts(*waiting.get(name, (0, 0)), delivered, dropped)
        for name, delivered, dropped in db.execute("SELECT name, delivered, dropped FROM outbox_targets")
    }


def forget_all(path: str | Path) -> None:
    """No target is named any more: what waited for one is deleted, and nothing of the outbox is left in the file."""
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    try:
        if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'outbox'").fetchone()[0]:
            db.executescript("PRAGMA secure_delete = ON; BEGIN IMMEDIATE; DROP TRIGGER IF EXISTS outbox_forgets;")
            for table in ("outbox", "outbox_bodies", "outbox_targets", "outbox_notes"):
                db.execute(f"DROP TABLE IF EXISTS {table}")
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: the outbox cannot be emptied ({error})") from None
    finally:
        db.close()
