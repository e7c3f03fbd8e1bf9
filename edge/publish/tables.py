"""The outbox's tables in the event store's file, and what can be asked of them by any connection."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.errors import StoreError

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
CREATE TABLE IF NOT EXISTS outbox_previews (event TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (event, target)) WITHOUT ROWID;
DROP TRIGGER IF EXISTS outbox_forgets;
CREATE TRIGGER IF NOT EXISTS outbox_lets_go AFTER DELETE ON events BEGIN
    UPDATE outbox_targets SET dropped = dropped + (SELECT count(*) FROM outbox WHERE event = OLD.id AND target = name AND stage = 'final')
        WHERE name IN (SELECT target FROM outbox WHERE event = OLD.id);
    DELETE FROM outbox WHERE event = OLD.id AND stage <> 'withdrawn';
    DELETE FROM outbox_bodies WHERE event = OLD.id AND stage <> 'withdrawn';
    DELETE FROM outbox_previews WHERE event = OLD.id;
END;
COMMIT;
"""
"""`outbox_previews`: who has a preview whose event has not come yet; such a one has to hear when it is withdrawn."""
TRIGGERS = ("outbox_forgets", "outbox_lets_go")
TABLES = ("outbox", "outbox_bodies", "outbox_targets", "outbox_notes", "outbox_previews")
ORPHANS = "DELETE FROM outbox_bodies WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.event = outbox_bodies.event AND outbox.stage = outbox_bodies.stage)"
ORPHAN = "DELETE FROM outbox_bodies WHERE event = ?1 AND stage = ?2 AND NOT EXISTS (SELECT 1 FROM outbox WHERE event = ?1 AND stage = ?2)"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one target: waiting, set aside, and (since the target was first named) delivered and dropped.

    Dropped: it was never told, because there was no room for it or it was deleted.
    """

    pending: int = 0
    refused: int = 0
    delivered: int = 0
    dropped: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def counts(db: sqlite3.Connection) -> dict[str, Counts]:
    """By target."""
    waiting = {name: (pending, refused) for name, pending, refused in db.execute(
        "SELECT target, sum(refused IS NULL), sum(refused IS NOT NULL) FROM outbox GROUP BY target"
    )}  # fmt: skip
    return {
        name: Counts(*waiting.get(name, (0, 0)), delivered, dropped)
        for name, delivered, dropped in db.execute("SELECT name, delivered, dropped FROM outbox_targets")
    }


def set_aside(db: sqlite3.Connection, target: str) -> list[tuple[str, int, str]]:
    """(reason, how many, id of the oldest) of what a target refused, the most frequent first."""
    sql = "SELECT refused, count(*), min(seq), event FROM outbox WHERE target = ? AND refused IS NOT NULL GROUP BY refused ORDER BY 2 DESC, 3"
    return [(str(reason), int(many), str(event)) for reason, many, _, event in db.execute(sql, (target,))]


def forget_all(path: str | Path) -> None:
    """No target is named any more: what waited for one is deleted, and nothing of the outbox is left in the file."""
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    try:
        if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'outbox'").fetchone()[0]:
            db.executescript("PRAGMA secure_delete = ON; BEGIN IMMEDIATE;")
            for trigger in TRIGGERS:
                db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            for table in TABLES:
                db.execute(f"DROP TABLE IF EXISTS {table}")
            db.execute("COMMIT")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: the outbox cannot be emptied ({error})") from None
    finally:
        db.close()
