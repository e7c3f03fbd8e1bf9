"""Files that people and Platewatch both write: read with a mark of what was read, replaced whole or not at all, the one of before kept beside."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ConfigError, PlatewatchError

PREVIOUS = ".previous"


class Changed(ConfigError):
    """Somebody else has written the file since it was read."""


class Unwritable(PlatewatchError, OSError):
    """The file or its folder cannot be written, in words."""


@dataclass(frozen=True, slots=True)
class Content:
    """What was read. `etag` is '' where there is no file."""

    raw: bytes
    etag: str


def etag_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:24]


def read(path: Path, most_bytes: int = 4_000_000, *, may_lack: bool = False) -> Content:
    """Raises ConfigError where it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path}: is no file")
        if path.stat().st_size > most_bytes:
            raise ConfigError(f"{path}: is larger than {most_bytes // 1000} kB, which none of its kind is")
        raw = path.read_bytes()
    except FileNotFoundError:
        if may_lack:
            return Content(b"", "")
        raise ConfigError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from None
    return Content(raw, etag_of(raw))


def previous(path: Path) -> Path:
    """Where the file of before lies; beside the file itself, not beside a link to it."""
    real = _real(path)
    return real.with_name(real.name + PREVIOUS)


def replace(path: Path, raw: bytes, etag: str, *, keep: bool = True) -> str:
    """The new content in one step, of the same mode and owner; a symbolic link goes on pointing there. Returns the new etag.

    `etag` is that of what was read ('': there was no file). Raises Changed where that is no longer there, Unwritable where it cannot be done.
    """
    real = _real(path)
    try:
        with _alone(real.parent):
            there = read(real, 1 << 30, may_lack=True)
            if there.etag != etag:
                said = "is gone" if not there.etag else "was changed by somebody else" if etag else "exists already"
                raise Changed(f"{path}: {said} since it was read; nothing was written: look at it again")
            if keep and there.etag:
                _write(real.with_name(real.name + PREVIOUS), there.raw, real)
            _write(real, raw, real if there.etag else None)
    except OSError as error:
        if isinstance(error, PlatewatchError):
            raise
        raise Unwritable(_mend(path, real, error)) from None
    return etag_of(raw)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time in a folder; OSError where it is not there."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        os.fsync(file)  # the new name is on the disk too
    finally:
        os.close(file)


def _write(path: Path, raw: bytes, like: Path | None) -> None:
    """With the mode and the owner of `like`; a new file is its owner's alone."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(raw)
            stream.flush()
            if like is not None:
                about = like.stat()
                if (about.st_uid, about.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(stream.fileno(), about.st_uid, about.st_gid)
                os.fchmod(stream.fileno(), stat.S_IMODE(about.st_mode))
            os.fsync(stream.fileno())
        os.replace(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def _mend(path: Path, real: Path, error: OSError) -> str:
    """One sentence for the owner."""
    with contextlib.suppress(OSError):
        if isinstance(error, PermissionError) and real.exists() and real.stat().st_uid != os.geteuid() and os.access(real.parent, os.W_OK):
            return f"{path}: belongs to another user, who alone can keep it; sudo chown platewatch {real}"
    if error.errno == 30:  # EROFS, also in the sandbox of a unit
        return f"{path}: {real.parent} can only be read here; put the file into a folder of its own, such as /etc/platewatch, and make the units anew"
    if isinstance(error, PermissionError):
        return f"{path}: this user may not write in {real.parent}; sudo chown platewatch {real.parent}"
    return f"{path}: cannot be written ({error.strerror}); nothing was changed"
