"""One SQLite file that one process writes and others read (WAL), and that may fail, be moved away or be damaged at any time."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from edge.errors import StoreError
from edge.keeping.aside import move_aside
from edge.keeping.schema import TRANSIENT, Damaged, Newer, migrate, plainly

log = logging.getLogger(__name__)


class StoreFile:
    """The file at `path`; every method raises StoreError when the file cannot serve. Safe to share between threads.

    A `read_only` store never creates or changes anything: it is what the page opens. A `patient` one may be made where its file cannot be opened yet
    (a full disk, a wrong owner): each call tries again. The file is opened anew too when it was moved away. While another process writes, a call
    waits `wait_s` seconds for it.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False, patient: bool = False, wait_s: float = 2.0) -> None:
        self._path, self._read_only, self._wait_s = Path(path), read_only, wait_s
        self._lock = threading.RLock()
        self.renewed: Callable[[], None] = lambda: None
        """Called when the file was opened anew: whoever else holds it must do so too."""
        self._ready = self._closed = self._suspect = False
        self._inode = 0
        try:
            with self._said_plainly():
                self._open()
        except (Damaged, Newer):
            raise
        except StoreError:
            if not patient:
                raise

    def _open(self) -> None:
        if not self._read_only:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        mode = "ro" if self._read_only else "rwc"
        self._db = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, timeout=self._wait_s, isolation_level=None, check_same_thread=False
        )
        try:
            if not self._read_only:
                # NORMAL with WAL never tears the file; a power cut may cost the last events, and spares the card a sync for each.
                self._db.executescript("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")
            migrate(self._db, self._path, change=not self._read_only)
        except BaseException:
            self._db.close()
            raise
        self._ready, self._inode = True, self._found()

    def _found(self) -> int:
        """The file's inode, 0 where there is none."""
        try:
            return self._path.stat().st_ino
        except OSError:
            return 0

    def _ensure(self) -> sqlite3.Connection:
        """The connection, to the file that stands at the path now."""
        if self._closed:
            raise StoreError(f"{self._path}: is closed")
        if self._ready and self._db.in_transaction:
            return self._db
        if self._ready and not self._read_only and self._found() != self._inode:
            log.error("%s was moved away or deleted; a new one is begun", self._path)
            self._drop()
        if self._suspect:
            self._drop()
        if not self._ready:
            self._open()
            self.renewed()
        return self._db

    def _drop(self) -> None:
        if self._ready:
            self._db.close()
        self._ready = self._suspect = False

    def check(self) -> None:
        """Raises Damaged when the file is not whole; reads all of it."""
        if (found := self._rows("PRAGMA quick_check(1)")[0][0]) != "ok":
            raise Damaged(f"{self._path}: is damaged ({str(found).splitlines()[0][:80]}); move it away, and a new one will be made")

    def set_aside(self, now: datetime) -> Path:
        """The file is damaged: move it out of the way and begin a new one; where it is now."""
        with self._lock, self._said_plainly():
            self._drop()
            aside = move_aside(self._path, now)
            self._ensure()
            return aside

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._drop()
            self._closed = True

    def _bytes(self) -> int:
        return sum(file.stat().st_size for suffix in ("", "-wal") if (file := Path(f"{self._path}{suffix}")).exists())

    def _give_back(self) -> bool:
        """Return freed pages to the disk and empty the log; without this a purge makes no room. False where somebody who reads keeps the log."""
        with self._lock, self._said_plainly():
            db = self._ensure()
            db.executescript("PRAGMA incremental_vacuum")  # `execute` would stop after the first page
            return bool(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)

    def _rows(self, sql: str, *values: str | float) -> list[Any]:
        with self._lock, self._said_plainly():
            return self._ensure().execute(sql, values).fetchall()

    def rows(self, sql: str, *values: str | float) -> list[Any]:
        """What a SELECT finds, for questions that no method answers."""
        return self._rows(sql, *values)

    def batch(self) -> AbstractContextManager[sqlite3.Connection]:
        """Everything within is one transaction: all of it or nothing, and one write to the card."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._said_plainly():
            db = self._ensure()
            if db.in_transaction:  # within a batch
                yield db
                return
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        """SQLite's errors as StoreError, with the mend."""
        try:
            yield
        except StoreError:
            raise
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # of text that is damaged, or of SQLite's own message about it
            self._suspect = self._suspect or any(part in str(error) for part in TRANSIENT)
            raise plainly(self._path, error) from error
