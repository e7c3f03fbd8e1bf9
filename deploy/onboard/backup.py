"""Everything that makes this device the owner's, in one file: configuration, lists, events, labels, models of his own; onto another card with `restore`.

A tar: `backup.json` first, with the size and SHA-256 of each file. Secrets only where asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

from deploy.onboard import archive, belongings, disk
from deploy.onboard.belongings import ABOUT, EVENTS, is_secret
from deploy.onboard.errors import OnboardError
from deploy.onboard.site import Site

FORMAT = 1
TRIES = 3


class Changed(Exception):
    """A file is another one than a moment ago: the page saved something meanwhile."""


class _Hashing:
    """A file that is read once: what goes into the backup is what was hashed."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self.stream, self.path, self.hashed = stream, path, hashlib.sha256()

    def read(self, size: int) -> bytes:
        with disk.named(self.path):
            piece = self.stream.read(size)
        if len(piece) < size:
            raise Changed(self.path)
        self.hashed.update(piece)
        return piece


def backup(site: Site, goal: Path, *, secrets: bool = False) -> int:
    """Writes the file, 0600, whole or not at all; how many files are in it. The daemon goes on meanwhile: SQLite hands out a consistent copy."""
    layout = site.layout
    if not layout.config.is_file():
        raise OnboardError(f"{layout.config}: is not there, so there is nothing to back up")
    if not goal.parent.is_dir():
        raise OnboardError(f"{goal.parent}: there is no such folder; is the stick plugged in and mounted?")
    disk.make_folder(layout.own, 0o700)
    copy = layout.own / "events.copy"
    copy.unlink(missing_ok=True)
    try:
        for left in reversed(range(TRIES)):
            try:
                found = _once(site, goal, copy, secrets)
                break
            except (Changed, FileNotFoundError) as error:
                if not left:
                    raise OnboardError(f"{error.args[0] if isinstance(error, Changed) else error.filename}: changes all the while; try again later") from None
    finally:
        copy.unlink(missing_ok=True)
    site.say(f"{goal}: {len(found)} files{'' if secrets else ', without secrets (--with-secrets takes them too)'}.")
    return len(found)


def _once(site: Site, goal: Path, copy: Path, secrets: bool) -> dict[str, Path]:
    """What went into it; raises Changed where a file was another one when it was read than when it was hashed."""
    layout = site.layout
    found = {name: path for name, path in belongings.files(layout, belongings.settings(layout.config)).items() if secrets or not is_secret(name)}
    schema = 0
    if EVENTS in found and not copy.is_file():
        archive.room_for(found[EVENTS].stat().st_size + archive.ROOM, copy.parent)  # a card filled by its backup keeps the daemon from writing
        try:
            _copy_store(found[EVENTS], copy)
        except sqlite3.Error as error:
            raise OnboardError(f"{found[EVENTS]}: the events cannot be copied ({error}); platewatch doctor looks at them") from None
    if EVENTS in found:
        found[EVENTS], schema = copy, schema_of(copy)
    told = {"format": FORMAT, "kind": "backup", "made": site.machine.utc(), "release": site.state.current, "schema": schema, "secrets": secrets}
    about = {name: {"sha256": sha256_of(path), "size": path.stat().st_size} for name, path in sorted(found.items())}
    archive.room_for(sum(int(str(one["size"])) for one in about.values()), goal.parent)
    _roll(goal, told | {"files": about}, found)
    return found


def _copy_store(store: Path, copy: Path) -> None:
    """SQLite's own backup of a file that others write."""
    with open(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"):
        pass
    source = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=30)
    goal = sqlite3.connect(copy)
    try:
        source.backup(goal, pages=2000)
        goal.execute("PRAGMA journal_mode = DELETE")
    finally:
        source.close()
        goal.close()


def schema_of(store: Path) -> int:
    db = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def _roll(goal: Path, told: dict[str, Any], found: dict[str, Path]) -> None:
    raw = json.dumps(told, indent=1).encode()
    fresh = goal.with_name(f".{goal.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with disk.named(fresh), os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w") as roll:
                member = tarfile.TarInfo(ABOUT)
                member.size = len(raw)
                roll.addfile(member, io.BytesIO(raw))
                for name, path in sorted(found.items()):
                    _add(roll, name, path, told["files"][name])
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, goal)
        disk.sync_folder(goal.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _add(roll: tarfile.TarFile, name: str, path: Path, about: dict[str, Any]) -> None:
    """As a file by itself, whatever other names it has."""
    member = tarfile.TarInfo(name)
    with path.open("rb") as stream:
        member.size, member.mode = about["size"], os.fstat(stream.fileno()).st_mode & 0o777
        reading = _Hashing(stream, path)
        roll.addfile(member, reading)  # type: ignore[arg-type]
        if stream.read(1) or reading.hashed.hexdigest() != about["sha256"]:
            raise Changed(path)


def sha256_of(path: Path) -> str:
    with disk.named(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
