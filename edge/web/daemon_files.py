"""What the daemon leaves for the page: the status file, the live picture and the event store. Each may be missing at any time."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge import status
from edge.config import Config
from edge.errors import StoreError
from edge.keeping.pseudonym import device_key, pseudonym
from edge.keeping.schema import SCHEMA_VERSION
from edge.labels.book import LONGEST_WHO, Labels
from edge.store import Store

PICTURE_FRESH_S = 10.0
REASONS_OF = timedelta(hours=24)
TOUCH_EVERY_S = 1.0
WRITE_WAIT_S = 10.0
Stamp = tuple[tuple[int, int, int], ...]
"""(inode, size, time of the last change) of the store's files: as long as it is the same, the store holds nothing new."""


class DaemonFiles:
    """Read-only, but for the one file whose touch says that somebody watches, and for what `writable` is asked for."""

    def __init__(self, config: Config, *, utc_now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.camera_name = config.camera.name
        self.keeps_crops = config.store.crops
        self.floor_mb = config.store.keep_at_least_mb_free
        self.config = config
        self._directory, self._store_path = Path(config.runtime.directory), Path(config.store.path)
        self.utc_now = utc_now
        self.trouble = ""
        """What is wrong with the page's own config; it is shown until the page is started with a good one."""
        self._touched_at = float("-inf")
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._writable: Store | None = None
        self._inode = 0
        self._summary: tuple[Stamp, str, dict[str, Any]] | None = None

    def status(self) -> dict[str, Any] | None:
        return status.read(self._directory)

    def is_alive(self, found: dict[str, Any] | None) -> bool:
        return found is not None and status.is_alive(found, self.utc_now())

    def watch(self) -> None:
        """Ask the daemon for the live picture; it makes one only while the page asks."""
        now = time.monotonic()
        if now - self._touched_at < TOUCH_EVERY_S:
            return
        self._touched_at = now
        try:
            (self._directory / status.WATCHED_NAME).touch()
        except OSError:  # the daemon never ran, or the folder is not ours to write: the page says that there is no picture
            return

    def picture_at(self) -> float | None:
        """When the live picture was made, in seconds since 1970, or None when there is none that may be called live."""
        try:
            made_at = (self._directory / status.LIVE_NAME).stat().st_mtime
        except OSError:
            return None
        return made_at if abs(self.utc_now().timestamp() - made_at) < PICTURE_FRESH_S else None

    def picture(self) -> bytes | None:
        try:
            return None if self.picture_at() is None else (self._directory / status.LIVE_NAME).read_bytes()
        except OSError:
            return None

    def free_bytes(self) -> int | None:
        """Where the store is; None where its folder is not there yet."""
        try:
            return shutil.disk_usage(self._store_path.parent).free
        except OSError:
            return None

    def stamp(self) -> Stamp:
        """A look at the file system alone: what the stream does every second instead of asking the store."""
        found = []
        for suffix in ("", "-wal"):
            try:
                file = os.stat(f"{self._store_path}{suffix}")
            except OSError:
                continue
            found.append((file.st_ino, file.st_size, file.st_mtime_ns))
        return tuple(found)

    def store(self) -> Store:
        """The store, opened when it is there; StoreError, in a sentence, when it is not or cannot be read."""
        with self._lock:
            inode = self._made()
            if self._store is None or inode != self._inode:  # moved away and made anew while the page stood
                if self._store is not None:
                    self._store.close()
                    self._store = None
                self._store, self._inode = Store(self._store_path, read_only=True), inode
            return self._store

    def _made(self) -> int:
        """The store's inode; StoreError where there is none."""
        try:
            return self._store_path.stat().st_ino
        except OSError:
            raise StoreError(f"{self._store_path}: there is no event store yet; the daemon makes it when it first starts") from None

    def writable(self) -> Store:
        """The store, to delete from and to label in: a second connection, opened when it is first needed. It waits long for the daemon, which waits for nobody.

        It makes no store and brings none up to date: that is the daemon's. Raises StoreError.
        """
        with self._lock:
            self._made()
            if self._writable is None:
                with Store(self._store_path, read_only=True) as found:
                    if found.rows("PRAGMA user_version")[0][0] < SCHEMA_VERSION:
                        raise StoreError(f"{self._store_path}: was written by an older Platewatch; it is brought up to date when the daemon starts")
                self._writable = Store(self._store_path, patient=True, wait_s=WRITE_WAIT_S)
            return self._writable

    def labels(self) -> Labels:
        """What people say about plates, to write."""
        return Labels(self.writable(), self.config, wall=self.utc_now)

    def note(self, who: str, did: str, events: int) -> None:
        """Into the access log, what was changed from the page: by a name or an address, never with a plate. Raises StoreError."""
        self.writable().note_access(status.utc_iso(self.utc_now()), f"{who[:LONGEST_WHO]} (page)", did, events, self.config.privacy.access_log_rows)

    def name(self) -> Callable[[str], str] | None:
        """What gives the pseudonym under which a plate is stored; None where plates are stored as they are. Raises ConfigError where its key cannot be read."""
        if not self.config.privacy.pseudonyms:
            return None
        key = device_key(Path(self.config.privacy.key_file), make=False)
        return lambda text: pseudonym(key, text)

    def summary(self) -> dict[str, Any]:
        """How many events there are and why tracks gave none, asked again only when the store changed or a minute passed."""
        stamp, minute = self.stamp(), status.utc_iso(self.utc_now())[:16]
        if self._summary is None or self._summary[:2] != (stamp, minute):
            self._summary = stamp, minute, self._summarise()
        return self._summary[2]

    def _summarise(self) -> dict[str, Any]:
        since = status.utc_iso(self.utc_now() - REASONS_OF)
        try:
            store = self.store()
            return {"readable": True, "problem": None, "events": store.count(), "reasons": store.reasons(since)}
        except StoreError as problem:
            return {"readable": False, "problem": str(problem), "events": 0, "reasons": {}}

    def close(self) -> None:
        with self._lock:
            if self._writable is not None:
                self._writable.close()
                self._writable = None
            if self._store is not None:
                self._store.close()
                self._store = None
