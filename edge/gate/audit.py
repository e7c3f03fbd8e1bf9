"""Every decision of the gate, written down before it is carried out. One SQLite file of its own, synced to the disk with each row."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from edge.errors import StoreError

SCHEMA_VERSION = 1
SCHEMA = f"""
PRAGMA journal_mode = WAL;
BEGIN;
CREATE TABLE decisions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, camera TEXT NOT NULL, event TEXT NOT NULL, plate TEXT NOT NULL, list TEXT NOT NULL,
    label TEXT NOT NULL, distance REAL, direction TEXT NOT NULL, agreeing INTEGER NOT NULL, confidence REAL NOT NULL, opens INTEGER NOT NULL,
    dry_run INTEGER NOT NULL, reason TEXT NOT NULL, why TEXT NOT NULL
);
CREATE INDEX decisions_by_time ON decisions (at);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One decision. `at` is UTC, ISO 8601; `plate`, `list` and `label` are empty where the plate is ignored: of such none is kept."""

    at: str
    camera: str
    event: str
    plate: str
    list: str
    label: str
    distance: float | None
    direction: str
    agreeing: int
    confidence: float
    opens: bool
    dry_run: bool
    reason: str
    why: str


FIELDS = tuple(Row.__dataclass_fields__)
PURGE = """
DELETE FROM decisions WHERE (at < :old OR at > :tomorrow) AND seq <= (
    SELECT max(seq) FROM decisions WHERE at < :old
        AND seq < coalesce((SELECT min(seq) FROM decisions WHERE at >= :old AND at <= :tomorrow), 9e18)
)
"""


class Audit:
    """The decisions at `path`; every method raises StoreError when the file cannot serve."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found > SCHEMA_VERSION:
                raise StoreError(f"{self._path}: was written by a newer Platewatch; update Platewatch, or name another gate.audit")
            self._db.execute("PRAGMA synchronous = FULL")  # a gate that opened has its row, whatever happens next
            if found == 0:
                self._db.executescript(SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise self._plainly(error) from None

    def add(self, row: Row) -> int:
        """The row's number, once it is on the disk."""
        sql = f"INSERT INTO decisions ({', '.join(FIELDS)}) VALUES ({', '.join('?' * len(FIELDS))})"
        try:
            with self._lock:
                return int(self._db.execute(sql, tuple(getattr(row, name) for name in FIELDS)).lastrowid or 0)
        except sqlite3.Error as error:
            raise self._plainly(error) from None

    def rows(self, limit: int = 50) -> list[Row]:
        """Newest first."""
        try:
            with self._lock:
                found = self._db.execute(f"SELECT {', '.join(FIELDS)} FROM decisions ORDER BY seq DESC LIMIT ?", (limit,)).fetchall()
        except sqlite3.Error as error:
            raise self._plainly(error) from None
        return [Row(**(dict(zip(FIELDS, row, strict=True)) | {"opens": bool(row[10]), "dry_run": bool(row[11])})) for row in found]

    def purge(self, older_than: str, tomorrow: str = "9") -> int:
        """Forget decisions of before a time; how many went.

        The order in which they were written down tells which times a wrong clock gave: what comes after a newer one is not old, and what is dated after
        `tomorrow` goes with the next one that is.
        """
        try:
            with self._lock:
                return self._db.execute(PURGE, {"old": older_than, "tomorrow": tomorrow}).rowcount
        except sqlite3.Error as error:
            raise self._plainly(error) from None

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _plainly(self, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        return StoreError(f"{self._path}: the gate's decisions cannot be written down ({error}); check the disk and who owns the file")
