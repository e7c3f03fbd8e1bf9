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
from pathlib import Path
from typing import Any

from edge.errors import StoreError
from edge.publish.base import Parcel
from edge.publish.dialects import DIALECTS
from edge.publish.filters import wants
from edge.publish.settings import OutboxConfig, TargetConfig
from edge.publish.tables import ORPHAN, ORPHANS, SCHEMA, Counts, counts
from edge.publish.told import stage as stage_of
from edge.publish.told import withdrawal
from edge.records import Event


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
                db.execute("DELETE FROM outbox_previews WHERE target = ?", (gone,))
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
        if not event.preview:
            db.execute("DELETE FROM outbox_previews WHERE event = ?", (event.id,))
        wanting = [target for target in self._targets if wants(target, row, bool(event.crop_jpeg))]
        if not wanting:
            return
        jpeg = event.crop_jpeg if event.crop_jpeg and any(target.picture != "none" for target in wanting) else None
        self._put(db, row, jpeg, [target.name for target in wanting])

    def withdraw(self, db: sqlite3.Connection, id: str) -> None:
        """Within the store's own transaction, before the event is deleted there: who has its preview, or may have it at this moment, hears that it was none."""
        told = {name for (name,) in db.execute("SELECT target FROM outbox_previews WHERE event = ?", (id,))}
        under_way = "SELECT event, stage FROM outbox WHERE target = ? AND refused IS NULL ORDER BY seq LIMIT 1"
        told |= {target.name for target in self._targets if db.execute(under_way, (target.name,)).fetchone() == (id, "preview")}
        hearing = [target.name for target in self._targets if target.name in told and (DIALECTS[target.dialect].takes_back or target.picture == "file")]
        if hearing and (found := db.execute("SELECT json_extract(json, '$.camera') FROM events WHERE id = ?", (id,)).fetchone()):
            self._put(db, withdrawal(id, str(found[0])), None, hearing)

    def _put(self, db: sqlite3.Connection, row: dict[str, Any], jpeg: bytes | None, targets: Sequence[str]) -> None:
        id, stage, text = row["id"], stage_of(row), json.dumps(row, default=float)
        size = len(text) + len(jpeg or b"")
        db.execute("INSERT OR IGNORE INTO outbox_bodies (event, stage, bytes, json, jpeg) VALUES (?, ?, ?, ?, ?)", (id, stage, size, text, jpeg))
        db.executemany("INSERT OR IGNORE INTO outbox (target, event, stage) VALUES (?, ?, ?)", [(target, id, stage) for target in targets])
        self._bound(db)

    def _bound(self, db: sqlite3.Connection) -> None:
        """The oldest rows go until what waits is within its bounds."""
        rows = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        size = db.execute("SELECT total(bytes) FROM outbox_bodies").fetchone()[0]
        while rows and (rows > self._bounds.max_events or size > self._bounds.max_mb * 1e6):
            seq, target, event, stage = db.execute("SELECT seq, target, event, stage FROM outbox ORDER BY seq LIMIT 1").fetchone()
            freed = db.execute("SELECT total(bytes) FROM outbox_bodies WHERE event = ? AND stage = ?", (event, stage)).fetchone()[0]
            db.execute("DELETE FROM outbox WHERE seq = ?", (seq,))
            db.execute("UPDATE outbox_targets SET dropped = dropped + 1 WHERE name = ?", (target,))
            rows -= 1
            size -= freed if db.execute(ORPHAN, (event, stage)).rowcount else 0

    def next(self, target: str, skip: int = 0) -> Parcel | None:
        """The oldest event that waits for a target, with `skip` the one so many behind it; or None."""
        sql = "SELECT seq, json, jpeg FROM outbox JOIN outbox_bodies USING (event, stage) WHERE target = ? AND refused IS NULL ORDER BY seq LIMIT 1 OFFSET ?"
        rows = self._rows(sql, target, skip)
        return Parcel(rows[0][0], target, json.loads(rows[0][1]), bytes(rows[0][2] or b"")) if rows else None

    def delivered(self, parcel: Parcel) -> None:
        """The target has it."""
        self._ready()
        with self._transaction() as db:
            for event, stage in db.execute("DELETE FROM outbox WHERE seq = ? RETURNING event, stage", (parcel.seq,)).fetchall():
                db.execute(ORPHAN, (event, stage))
                if stage == "preview":
                    db.execute("INSERT OR IGNORE INTO outbox_previews (event, target) VALUES (?, ?)", (event, parcel.target))
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

    def _rows(self, sql: str, *values: str | int) -> list[Any]:
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
