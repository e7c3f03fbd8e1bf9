"""A backup back into its place, also on another card: all of it checked and staged first, so that a cut leaves what was, or ends as if there had been none."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from deploy.onboard import archive, disk, install, units
from deploy.onboard.backup import FORMAT, sha256_of
from deploy.onboard.belongings import ABOUT, CONFIG, EVENTS, goals
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import SERVICES
from deploy.onboard.site import Site

MOST_ABOUT, MOST_FILES = 1 << 20, 5000


def restore(site: Site, source: Path) -> None:
    """Checks all of it, then puts it in place; raises OnboardError before anything is changed."""
    layout = site.layout
    if not site.state.current:
        raise OnboardError("no release of Platewatch runs here yet; install one first, then restore")
    disk.take_away(layout.restoring)
    disk.make_folder(layout.restoring, 0o700)
    try:
        with disk.named(source):
            told = _unroll(source, layout.restoring)
        known = _schema_of(site)
        if told["schema"] > known:
            raise OnboardError(f"{source}: its events are of schema {told['schema']}, and the release that runs here knows {known}; update first, then restore")
        _check(site, told)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError, EOFError, tarfile.TarError) as error:
        disk.take_away(layout.restoring)
        raise OnboardError(f"{source}: is damaged, or no backup of Platewatch ({error})") from None
    except (OnboardError, OSError):
        disk.take_away(layout.restoring)
        raise
    disk.sync_all()
    site.step("restore-staged")
    site.note(restoring=True)
    site.step("restore-noted")
    put_back(site)


def put_back(site: Site) -> None:
    """From the staged files to their places; each may be put there twice, so a cut is made good by doing it again."""
    layout = site.layout
    if not layout.restoring.is_dir():
        site.note(restoring=False)
        return
    try:
        places = goals(layout, layout.restoring)
        for goal in places.values():
            _leads_there(site, goal.parent)
    except (OnboardError, OSError) as error:
        site.note(restoring=False)
        disk.take_away(layout.restoring)
        words = disk.plainly(error) if isinstance(error, OSError) else error
        raise OnboardError(f"{words}; nothing was restored: give the command again, with another backup where this one is what is wrong") from None
    wanted = units.services(layout) or list(SERVICES)
    site.machine.stop(*wanted)
    try:
        for name, goal in places.items():
            _put(site, name, goal)
    except (OnboardError, OSError) as error:
        site.machine.start(*wanted)
        words = disk.plainly(error) if isinstance(error, OSError) else error
        raise OnboardError(f"only a part of the backup is in its place ({words}); mend that, then platewatch-deploy resume goes on with it") from None
    site.note(restoring=False)
    site.step("restore-done")
    disk.take_away(layout.restoring)
    site.machine.start(*wanted)
    site.report("The backup is in its place.")


def _put(site: Site, name: str, goal: Path) -> None:
    source = site.layout.restoring / name
    _leads_there(site, goal.parent)  # once more: who owns it may have had his hands in it until a moment ago
    if name == EVENTS:  # the old one's log would be played into the new one
        for suffix in ("-wal", "-shm"):
            disk.take_away(goal.with_name(goal.name + suffix))
    _make_theirs(site, goal.parent)
    disk.copy_whole(source, goal, source.stat().st_mode & 0o770, site.machine.give)
    site.step(f"restored {name}")


def _room(site: Site) -> None:
    """Raises OnboardError where a disk that something goes to is too full for it: what is in its place there stays until the new one is whole."""
    layout = site.layout
    needed: dict[int, tuple[int, Path]] = {}
    for name, goal in goals(layout, layout.restoring).items():
        there = next(folder for folder in goal.parents if folder.exists())
        before, _ = needed.get(there.stat().st_dev, (archive.ROOM, there))
        needed[there.stat().st_dev] = (before + (layout.restoring / name).stat().st_size, there)
    for wanted, there in needed.values():
        archive.room_for(wanted, there)


def _unroll(source: Path, into: Path) -> dict[str, Any]:
    """Raises what is wrong with it; every file's hash was right when it returns what backup.json says."""
    if not source.is_file():
        raise OnboardError(f"{source}: there is no such file")
    with tarfile.open(source, mode="r:") as roll:
        first = roll.next()
        if first is None or first.name != ABOUT or not 0 < first.size <= MOST_ABOUT:
            raise OnboardError(f"{source}: does not begin with a {ABOUT}, so it is no backup of Platewatch")
        raw = roll.extractfile(first).read()  # type: ignore[union-attr]
        told: dict[str, Any] = json.loads(raw)
        if not isinstance(told, dict):
            raise ValueError(f"its {ABOUT} is wrong")
        if told.get("format") != FORMAT or told.get("kind") != "backup":
            raise OnboardError(f"{source}: is of the format {str(told.get('format'))[:20]}, and this release knows the format {FORMAT} only; update first")
        left = dict(told["files"])
        if type(told["schema"]) is not int or len(left) > MOST_FILES or CONFIG not in left:
            raise ValueError(f"its {ABOUT} is wrong")
        if not all(type(about["size"]) is int and about["size"] >= 0 for about in left.values()):
            raise ValueError(f"a size in its {ABOUT} is wrong")
        archive.room_for(sum(about["size"] for about in left.values()) + archive.ROOM, into)
        while (member := roll.next()) is not None:
            pure = PurePosixPath(member.name)
            if not member.isreg() or member.name not in left or pure.is_absolute() or ".." in pure.parts or str(pure) != member.name:
                raise ValueError(f"{member.name[:60]!r} does not belong in it")
            about = left.pop(member.name)
            if member.size != about["size"]:
                raise ValueError(f"{member.name[:60]!r} was changed")
            goal = into / member.name
            goal.parent.mkdir(parents=True, exist_ok=True)
            _take(roll.extractfile(member), goal, about)  # type: ignore[arg-type]
            os.chmod(goal, member.mode & 0o700 | 0o600)
        if left:
            raise ValueError(f"{sorted(left)[0]} is missing")
    return told


def _take(stream: BinaryIO, goal: Path, about: dict[str, Any]) -> None:
    with goal.open("xb") as made:
        shutil.copyfileobj(stream, made, disk.CHUNK)
    if goal.stat().st_size != about["size"] or sha256_of(goal) != about["sha256"]:
        raise ValueError(f"{goal.name} was changed")


def _check(site: Site, told: dict[str, Any]) -> None:
    """The configuration is one that the release here can use, every file has a place, and the store is whole."""
    layout = site.layout
    _room(site)
    install.check_config(site, site.state.current, layout.restoring / CONFIG, user="")  # the folder is root's alone
    if EVENTS in told["files"]:
        store = sqlite3.connect(f"{(layout.restoring / EVENTS).as_uri()}?mode=ro", uri=True)
        try:
            if store.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise ValueError("the event store in it is damaged")
            if store.execute("PRAGMA user_version").fetchone()[0] != told["schema"]:
                raise ValueError(f"the event store in it is of another schema than its {ABOUT} says")
        except sqlite3.Error as error:
            raise ValueError(f"the event store in it is damaged: {error}") from None
        finally:
            store.close()


def _schema_of(site: Site) -> int:
    """The newest schema that the release that runs can read."""
    python = site.layout.current / ".venv/bin/python"
    return int(site.machine.run([python, "-c", "from edge.keeping.schema import SCHEMA_VERSION; print(SCHEMA_VERSION)"]).strip())


def _make_theirs(site: Site, folder: Path) -> None:
    """Folders that are not there yet, each its user's."""
    missing = [at for at in (folder, *folder.parents) if not at.exists()]
    disk.make_folder(folder, 0o750)
    for at in missing:
        site.machine.give(at)


def _leads_there(site: Site, folder: Path) -> None:
    """Raises OnboardError where a link in the path leads elsewhere: the daemon's user could have put it there, and who writes is root."""
    if folder.resolve() != site.layout.root.resolve() / folder.relative_to(site.layout.root):
        raise OnboardError(f"{folder}: a link leads elsewhere; nothing is written there")
