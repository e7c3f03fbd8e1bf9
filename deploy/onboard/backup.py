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

from deploy.onboard import disk, trial
from deploy.onboard.belongings import ABOUT, EVENTS, files, is_secret
from deploy.onboard.errors import OnboardError
from deploy.onboard.site import Site

FORMAT = 1


def backup(site: Site, goal: Path, *, secrets: bool = False) -> int:
    """Writes the file, 0600, whole or not at all; how many files are in it. The daemon goes on meanwhile: SQLite hands out a consistent copy."""
    layout = site.layout
    if not layout.config.is_file():
        raise OnboardError(f"{layout.config}: is not there, so there is nothing to back up")
    disk.make_folder(layout.own, 0o700)
    copy = layout.own / "events.copy"
    copy.unlink(missing_ok=True)
    try:
        found = {name: path for name, path in files(layout, trial.settings(layout)).items() if secrets or not is_secret(name)}
        schema = 0
        if EVENTS in found:
            schema = _copy_store(found[EVENTS], copy)
            found[EVENTS] = copy
        told = {"format": FORMAT, "kind": "backup", "made": site.machine.utc(), "release": site.state.current, "schema": schema, "secrets": secrets}
        told["files"] = {name: {"sha256": sha256_of(path), "size": path.stat().st_size} for name, path in sorted(found.items())}
        _roll(goal, json.dumps(told, indent=1).encode(), found)
    except sqlite3.Error as error:
        raise OnboardError(f"the event store cannot be copied ({error})") from None
    finally:
        copy.unlink(missing_ok=True)
    site.say(f"{goal}: {len(found)} files{'' if secrets else ', without secrets (--with-secrets takes them too)'}.")
    return len(found)


def _copy_store(store: Path, copy: Path) -> int:
    """SQLite's own backup of a file that others write; its schema."""
    with open(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"):
        pass
    source = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)
    goal = sqlite3.connect(copy)
    try:
        source.backup(goal, pages=2000)
        goal.execute("PRAGMA journal_mode = DELETE")
        return int(goal.execute("PRAGMA user_version").fetchone()[0])
    finally:
        source.close()
        goal.close()


def _roll(goal: Path, told: bytes, found: dict[str, Path]) -> None:
    fresh = goal.with_name(f".{goal.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w") as roll:
                member = tarfile.TarInfo(ABOUT)
                member.size = len(told)
                roll.addfile(member, io.BytesIO(told))
                for name, path in sorted(found.items()):
                    roll.add(path, name, recursive=False)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(fresh, goal)
        disk.sync_folder(goal.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
