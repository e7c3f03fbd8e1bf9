"""Writes a disk and reads it back, all under one hold. The first block, with the partition table, comes last of all: when everything else was read back
and found right. A card that was not finished boots nothing, and no desktop mounts one that is still being written."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.card.errors import CardError

BLOCK = 4 << 20
"""Bytes that are written, and hashed, at a time."""
SYNCED = 16
"""Blocks after which they must be on the card: else the bar would tell of this computer's memory, and whoever stops it waits for gigabytes."""
Progress = Callable[[int], None]
"""Told how many bytes more are done."""


@dataclass(slots=True)
class Written:
    """The hash of each block, how many bytes there are, and the first block, which waits."""

    digests: list[bytes] = field(default_factory=list)
    length: int = 0
    first: bytes = b""


def hashed(block: bytes) -> bytes:
    return hashlib.blake2b(block, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Target:
    """An open disk; `path` for sentences."""

    path: Path
    file: int

    def write(self, blocks: Iterator[bytes], done: Progress, most: int) -> Written:
        """Writes blocks (each of BLOCK bytes, the last may be shorter), at most `most` bytes, zeros in place of the first one. Raises CardError."""
        written = Written()
        for block in blocks:
            if written.length + len(block) > most:
                raise CardError(f"{self.path}: is too small: the image has more than {most} bytes")
            written.first = written.first or block
            self._put(block if written.digests else bytes(len(block)), written.length)
            if len(written.digests) % SYNCED == 0:
                self.sync()
            written.digests.append(hashed(block))
            written.length += len(block)
            done(len(block))
        self.sync()
        return written

    def verify(self, written: Written, done: Progress) -> None:
        """Reads everything but the first block back from the card itself, not from memory. Raises CardError, which says where it differs."""
        self._forget()
        for number, digest in enumerate(written.digests):
            amount = min(BLOCK, written.length - number * BLOCK)
            if number:
                self._compare(digest, number * BLOCK, amount)
            done(amount)

    def complete(self, written: Written) -> None:
        """Writes the first block, and reads it back. Raises CardError."""
        self._put(written.first, 0)
        self.sync()
        self._forget()
        self._compare(hashed(written.first), 0, len(written.first))

    def sync(self) -> None:
        try:
            os.fsync(self.file)
        except OSError as error:
            raise CardError(f"{self.path}: did not take what was written ({error.strerror}); take another card") from None

    def _forget(self) -> None:
        """What was written is no longer in this computer's memory."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self.file, 0, 0, os.POSIX_FADV_DONTNEED)

    def _put(self, block: bytes, at: int) -> None:
        view = memoryview(block)
        try:
            while view:
                put = os.pwrite(self.file, view, at)
                view, at = view[put:], at + put
        except OSError as error:
            said = f"writing failed {at // 1_000_000} MB from its beginning ({error.strerror}); try again, or take another card"
            raise CardError(f"{self.path}: {said}") from None

    def _compare(self, digest: bytes, at: int, amount: int) -> None:
        parts, left = [], amount
        try:
            while left and (part := os.pread(self.file, left, at + amount - left)):
                parts.append(part)
                left -= len(part)
        except OSError as error:
            raise CardError(f"{self.path}: cannot be read back at {at // 1_000_000} MB ({error.strerror}); take another card") from None
        if hashed(b"".join(parts)) != digest:
            said = f"what is read back differs from what was written, at {at // 1_000_000} MB; the card is worn out, false or not well plugged in"
            raise CardError(f"{self.path}: {said}")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Target]:
    """Held alone: the kernel refuses a disk that is mounted (O_EXCL), and udev, which a desktop's mounting waits for, keeps off a locked one.

    Raises CardError.
    """
    try:
        exclusive = os.O_EXCL if stat.S_ISBLK(path.stat().st_mode) else 0
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | exclusive)
    except OSError as error:
        mend = {errno.EACCES: "run this with sudo", errno.EBUSY: "it is mounted or in use; unmount it first"}.get(error.errno or 0, "is it still plugged in?")
        raise CardError(f"{path}: cannot be written ({error.strerror}); {mend}") from None
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Target(path, file)
    finally:
        os.close(file)
