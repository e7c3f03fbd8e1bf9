"""The event store's tables, how older files become newer ones, and SQLite's complaints in plain words."""

from __future__ import annotations

import sqlite3

from edge.errors import StoreError, plain

FIRST = """
CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL, last_seen TEXT NOT NULL, json TEXT NOT NULL);
CREATE INDEX events_by_time ON events (last_seen);
CREATE TABLE crops (event TEXT PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE, jpeg BLOB NOT NULL);
CREATE TABLE reasons (minute TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (minute, reason)) WITHOUT ROWID;
"""
SECOND = """
ALTER TABLE events ADD COLUMN list TEXT NOT NULL DEFAULT '';
UPDATE events SET list = coalesce(json_extract(json, '$.match.list'), '');
CREATE INDEX events_by_text ON events (text);
CREATE TABLE frames (event TEXT PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE, jpeg BLOB NOT NULL);
CREATE TABLE accesses (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, did TEXT NOT NULL, events INTEGER NOT NULL);
"""
THIRD = """
ALTER TABLE events ADD COLUMN camera TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN direction TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE events ADD COLUMN confidence REAL NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN preview INTEGER NOT NULL DEFAULT 0;
UPDATE events SET camera = coalesce(json_extract(json, '$.camera'), ''), country = coalesce(json_extract(json, '$.country'), ''),
    direction = coalesce(json_extract(json, '$.direction'), 'unknown'), confidence = coalesce(json_extract(json, '$.confidence'), 0),
    preview = coalesce(json_extract(json, '$.preview'), 0);
DROP INDEX events_by_time;
DROP INDEX events_by_text;
CREATE INDEX events_by_time ON events (last_seen, preview, list, camera, country, direction, confidence);
CREATE INDEX events_by_text ON events (text, preview, last_seen);
ALTER TABLE crops ADD COLUMN x INTEGER;
ALTER TABLE crops ADD COLUMN y INTEGER;
CREATE TABLE looks (seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE, packed BLOB NOT NULL);
CREATE TABLE labels (seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL UNIQUE, origin TEXT NOT NULL, verdict TEXT NOT NULL, text TEXT NOT NULL,
    lines INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, read TEXT NOT NULL, confidence REAL NOT NULL, camera TEXT NOT NULL, last_seen TEXT NOT NULL,
    list TEXT NOT NULL, country TEXT NOT NULL, direction TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, corners TEXT, jpeg BLOB);
CREATE INDEX labels_by_text ON labels (text, verdict, event);
"""
"""The two indexes hold all that is searched by, so that no search reads the events themselves; more indexes would be more writes to the card."""
STEPS = (FIRST, SECOND, THIRD)
"""The n-th makes a file of schema n of one of schema n - 1; a file that ships never changes its step."""
SCHEMA_VERSION = len(STEPS)
TRANSIENT = ("readonly", "read-only", "disk I/O error", "unable to open", "ermission denied")
"""After one of these the file is opened anew: SQLite goes on believing what it found when it opened it."""


class Damaged(StoreError):
    """The file is no database, or no whole one."""


class Newer(StoreError):
    """The file was written by a later version."""


def migrate(db: sqlite3.Connection, path: object, *, change: bool) -> None:
    """Bring the file to `SCHEMA_VERSION`, whole or not at all. Newer when it is beyond; without `change` only that is looked at."""
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        edition = f"schema {found}, this one knows {SCHEMA_VERSION}"
        raise Newer(f"{path}: was written by a newer Platewatch ({edition}); update Platewatch, or name another store.path")
    if found == SCHEMA_VERSION or not change:
        return
    if found == 0:
        db.executescript("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
    db.execute("BEGIN IMMEDIATE")
    try:
        found = db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been first
        for number, step in enumerate(STEPS[found:], start=found + 1):
            for statement in filter(str.strip, step.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def plainly(path: object, error: Exception) -> StoreError:
    """The error as one sentence with its mend."""
    message = str(error)
    damaged = "not a database" in message or "malformed" in message
    return (Damaged if damaged else StoreError)(f"{path}: {_mend(message)}")


def _mend(message: str) -> str:
    known = {
        "decode": "holds an event that is damaged; move it away, and a new one will be made",  # SQLite repeats its bytes
        "not a database": "is not an event store; move it away or name another store.path",
        "malformed": "is damaged; move it away, and a new one will be made",
        "disk is full": "the disk is full; delete other files or lower store.retention_days",
        "No space left": "the disk is full; delete other files or lower store.retention_days",
        "readonly": "cannot be written; check who owns the file and its folder, and whether the disk is read-only",
        "read-only": "cannot be written; check who owns the file and its folder, and whether the disk is read-only",
        "Read-only": "cannot be written; the disk is read-only",
        "ermission denied": "cannot be written; check who owns the file and its folder",
        "unable to open": "cannot be opened; check that its folder exists, who owns it, and whether the disk is read-only",
        "no such table: l": "was written by an older Platewatch; it is brought up to date when the daemon starts",  # looks and labels
        "no such table": "holds no events yet, or is not an event store",
        "no such column": "was written by an older Platewatch; it is brought up to date when the daemon starts",
        "locked": "another program holds it; try again",
        "disk I/O error": "the disk does not work as it should (input/output error); check the card and its space",
    }
    return next((mend for part, mend in known.items() if part in message), f"cannot be used ({plain(message, 150)})")
