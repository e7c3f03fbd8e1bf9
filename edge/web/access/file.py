"""The file of users and tokens: read anew when it changes, written whole, readable by its owner alone."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from edge.web.access.records import AccessError, Book

log = logging.getLogger(__name__)
LARGEST = 1 << 20


class AccessFile:
    """The page and the command line may change it at once: each change is made under a lock, on what the file then holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = (-1, -1, -1)
        self._found: Book | AccessError = Book()

    def book(self) -> Book:
        """What the file holds, an empty book where there is none; AccessError, in a sentence, where it cannot be used."""
        with self._lock:
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp, self._found = stamp, self._read()
                if isinstance(self._found, AccessError):
                    log.error("%s", self._found)
            if isinstance(self._found, AccessError):
                raise AccessError(str(self._found))
            return self._found

    def change(self, edit: Callable[[Book], Book]) -> Book:
        """Writes what `edit` makes of the book; AccessError where the file cannot be used or written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
                _give_to_owner(lock.fileno(), self.path.parent)
                fcntl.flock(lock, fcntl.LOCK_EX)
                changed = edit(self.book())
                self._write(changed.model_dump_json(indent=2).encode() + b"\n")
        except OSError as error:
            raise AccessError(f"{self.path}: cannot be written ({error.strerror}); check its folder and who owns it") from None
        return changed

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _read(self) -> Book | AccessError:
        mend = "put a good copy back, or move it away to begin with no users and no tokens"
        try:
            if self.path.stat().st_size > LARGEST:
                return AccessError(f"{self.path}: is no file of users and tokens (too large); {mend}")
            content = self.path.read_bytes()
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)  # it came by a copy; nobody but its owner has business with it
            return Book.model_validate_json(content)
        except FileNotFoundError:
            return Book()
        except OSError as error:
            return AccessError(f"{self.path}: cannot be read ({error.strerror}); check who owns it")
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            return AccessError(f"{self.path}: is damaged{f' at {where}' if where else ''}; {mend}")

    def _write(self, content: bytes) -> None:
        """Whole or not at all, and on the disk when this returns."""
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            _give_to_owner(file.fileno(), self.path.parent)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)


def _give_to_owner(descriptor: int, folder: Path) -> None:
    """Root, as by `sudo platewatch web --add-user`, writes for the user that the page runs as, who owns the folder."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
