"""Writing so that a power cut at any moment leaves the old or the new, whole: content first, then its name, each waited for (fsync)."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from deploy.onboard.errors import OnboardError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
GONE = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM)
CHUNK = 1 << 20


def plainly(error: OSError) -> OnboardError:
    """What the system refused, as a sentence."""
    name = error.filename or "a file"
    if error.errno in GONE:
        return OnboardError(f"{name}: cannot be read or written any more ({error.strerror}); the card or stick is damaged, or was pulled: try another one")
    if error.errno in FULL:
        return OnboardError(f"{name}: the disk is full; nothing that runs was changed: delete other files and try again")
    if error.errno == errno.EROFS:
        return OnboardError(f"{name}: can only be read; is the card worn out or locked, or is the root file system mounted read-only?")
    if error.errno in (errno.EACCES, errno.EPERM):
        return OnboardError(f"{name}: permission denied; run it with sudo")
    return OnboardError(f"{name}: {error.strerror or error}")


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """What goes wrong within is about `path`: the system names the file only where it is opened, not where a read or a write of it fails."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def in_words(path: Path) -> Iterator[None]:
    """The same, as an OnboardError: where an OSError would be taken for the network's."""
    try:
        with named(path):
            yield
    except OSError as error:
        raise plainly(error) from None


def write_whole(path: Path, content: bytes, mode: int = 0o644, own: Callable[[Path], None] = lambda path: None) -> None:
    """Readers, and whoever comes after a power cut, see the old file or the new one. `own` gives it to its owner before it has its name."""
    if _is(path, content, mode):
        own(path)
        return
    with named(path), _fresh(path, mode) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    _name(path, own)


def copy_whole(source: Path, goal: Path, mode: int = 0o644, own: Callable[[Path], None] = lambda path: None) -> None:
    """As `write_whole`, of a file that may be large."""
    with source.open("rb") as stream, named(goal), _fresh(goal, mode) as made:
        while piece := read(stream, source):
            made.write(piece)
        made.flush()
        os.fsync(made.fileno())
    _name(goal, own)


def point(link: Path, goal: str) -> None:
    """`link` leads to `goal` from now on, in one rename."""
    if link.is_symlink() and os.readlink(link) == goal:
        sync_folder(link.parent)
        return
    fresh = _beside(link)
    fresh.unlink(missing_ok=True)
    make_folder(link.parent)
    os.symlink(goal, fresh)
    os.replace(fresh, link)
    sync_folder(link.parent)


def make_folder(path: Path, mode: int = 0o755) -> None:
    """With its parents; the names of the new ones are on the disk when it returns."""
    missing = []
    at = path
    while not at.is_dir():
        missing.append(at)
        at = at.parent
    for folder in reversed(missing):
        os.mkdir(folder, mode if folder == path else 0o755)
        sync_folder(folder.parent)


def read(stream: BinaryIO, path: Path) -> bytes:
    """The next piece, b"" at the end; where the card or the stick fails, the error names the file."""
    with named(path):
        return stream.read(CHUNK)


def contents(path: Path) -> bytes:
    """Nothing where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def take_away(path: Path) -> None:
    """A file, a link or a whole tree; nothing there is fine. A folder at which a file system of its own is mounted is emptied and stays."""
    if os.path.ismount(path):
        for inner in list(path.iterdir()):
            take_away(inner)
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()
    else:
        return
    sync_folder(path.parent)


def size(path: Path) -> int:
    """Bytes that a tree takes up on its disk."""
    return sum(os.lstat(one).st_blocks * 512 for one in path.rglob("*"))


def sync_folder(path: Path) -> None:
    """The names in it are on the disk."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_all() -> None:
    """Everything that any program has written: the thousands of files of a virtual environment in one sweep, not a flush of the card for each."""
    os.sync()


def free_bytes(path: Path) -> int:
    """Of the file system that `path` is on or would be on."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def _is(path: Path, content: bytes, mode: int) -> bool:
    """A second run writes nothing: each write wears the card."""
    try:
        if path.is_symlink() or path.stat().st_mode & 0o7777 != mode or path.stat().st_size != len(content) or path.read_bytes() != content:
            return False
    except OSError:
        return False
    return True


def _fresh(path: Path, mode: int) -> BinaryIO:
    """A new file beside `path`, open for writing; a half one of an earlier attempt goes."""
    make_folder(path.parent)
    fresh = _beside(path)
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.fchmod(file, mode)
    return os.fdopen(file, "wb")


def _name(path: Path, own: Callable[[Path], None]) -> None:
    own(_beside(path))
    os.replace(_beside(path), path)
    sync_folder(path.parent)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")
