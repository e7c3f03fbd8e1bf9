"""The command line of the power cuts."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.entry import ended

if TYPE_CHECKING:
    from rich.console import Console

    from tests.powercuts.course import Told
    from tests.powercuts.parts import Parts

NEEDED = ("systemd-nspawn", "nsenter", "mke2fs", "e2fsck", "losetup", "mount", "openssl")
ROOM = 6_000_000_000
"""Bytes: parts, one life's card, and what a device writes to it."""
ROOM_EACH = 3_000_000_000
"""Bytes: each further life's."""
MOST_AT_ONCE = 16
STATE = "state.json"


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.powercuts", description="Power cuts at random moments of first start and update, on a real file system."
    )
    parser.add_argument("--lives", type=int, default=50, help="devices, each with one to three cuts; a half begin as a fresh card (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other moments (default: %(default)s)")
    parser.add_argument(
        "--at-once", type=int, default=1, metavar="N", help="so many devices side by side; each keeps a fifth of a core busy (default: %(default)s)"
    )
    parser.add_argument("--only", choices=("first", "update", "bad"), help="lives of one kind alone")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write every cut and what became of it as JSON, too")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="work there (default: in the cache, beside the Debian that is cut)")
    parser.add_argument("--fresh", action="store_true", help="make releases and cards anew, and begin with the first life; else a stopped run goes on")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    options = arguments(words)
    return ended(lambda: run(options), "stopped; the same command goes on with the life that was under way")


def check(options: argparse.Namespace) -> None:
    """Raises CutsError for what is missing here, before anything is made."""
    from tests import nspawn
    from tests.powercuts.errors import CutsError

    if not 1 <= options.lives <= 10_000:
        raise CutsError(f"--lives {options.lives}: from 1 to 10000")
    if not 1 <= options.at_once <= MOST_AT_ONCE:
        raise CutsError(f"--at-once {options.at_once}: from 1 to {MOST_AT_ONCE}")
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise CutsError("the power cuts take root on Linux: they mount file systems and start a container with its own systemd")
    needed = (*NEEDED, *(("mmdebstrap",) if not (nspawn.CACHE / nspawn.SUITE).is_dir() else ()))
    if missing := [name for name in needed if shutil.which(name) is None]:
        raise CutsError(f"{', '.join(missing)}: not on this machine; sudo apt-get install systemd-container mmdebstrap e2fsprogs openssl")
    if options.folder and options.folder.exists() and not options.folder.is_dir():
        raise CutsError(f"{options.folder}: is a file; name a folder with --folder")
    if options.out and not options.out.parent.is_dir():
        raise CutsError(f"{options.out}: its folder is not there; make it first")


def run(options: argparse.Namespace) -> int:
    """0 where every device came back."""
    check(options)
    from rich.console import Console

    from tests import nspawn
    from tests.powercuts.card import apart
    from tests.powercuts.course import BAD, FIRST, UPDATE
    from tests.powercuts.errors import CutsError
    from tests.powercuts.parts import Parts

    console = Console(highlight=False, stderr=True)
    parts = Parts(options.folder or nspawn.CACHE / "powercuts")
    parts.folder.mkdir(parents=True, exist_ok=True)
    lock = _alone(parts.folder)
    if options.fresh:
        _clear(parts)
    free = shutil.disk_usage(parts.folder).free
    if free < (room := (0 if parts.mark.is_file() else ROOM) + (options.at_once - 1) * ROOM_EACH):
        raise CutsError(f"{parts.folder}: {free / 1e9:.1f} GB are free and {room / 1e9:.0f} GB are needed; name a roomier --folder")
    apart()
    try:
        kind = {"first": FIRST, "update": UPDATE, "bad": BAD, None: ""}[options.only]
        found = _live_all(parts, options.lives, options.seed, kind, options.at_once, console)
    finally:
        os.close(lock)
    return _told(found, _lengths(parts), options, console)


def _live_all(parts: Parts, lives: int, seed: int, kind: str, at_once: int, console: Console) -> list[Told]:
    """Those of an earlier run with the same seed are taken as they were."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tests.powercuts.card import Card
    from tests.powercuts.course import FIRST, KINDS, life
    from tests.powercuts.errors import CutsError, NotBack
    from tests.powercuts.lives import measure
    from tests.powercuts.parts import make
    from tests.powercuts.side import all_of

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("making the parts", total=lives)

        def say(words: str) -> None:
            progress.update(task, description=words)

        for left in parts.folder.glob("life*"):  # what a run that was killed left
            shutil.rmtree(left, ignore_errors=True)
        if not parts.mark.is_file():
            _clear(parts)
        make(parts, say)
        lengths, before = _lengths(parts), _before(parts, seed, kind)
        for one_kind in (FIRST, *sorted({kind} if kind else set(KINDS))):  # an installed card is what the first leaves
            if one_kind not in lengths:
                try:
                    lengths[one_kind] = measure(parts, Card(parts.folder / "life"), one_kind, say)
                except (NotBack, AssertionError) as error:
                    raise CutsError(f"{one_kind}: does not even end well without a cut: {' '.join(str(error).split())[:1000]}") from None
                _save(parts, lengths, list(before.values()), seed, kind)
        for one in list(before.values()):
            if one.wrong and not Path(one.card, "root.img").is_file():
                del before[one.number]  # its card was looked at and taken away: the life is tried again
        found = [before[number] for number in sorted(before) if number < lives]
        progress.update(task, completed=len(found))
        drawn = [life(seed, number, lengths, kind) for number in range(lives) if number not in before]
        for told in all_of(parts, drawn, at_once, lambda one, words: say(f"life {one.number}, {one.kind}: {words}")):
            if told.wrong:
                kept = parts.folder / f"lost-{seed}-{told.number}"
                shutil.rmtree(kept, ignore_errors=True)
                Path(told.card).rename(kept)
                told.card = str(kept)
            found.append(told)
            _save(parts, lengths, found, seed, kind)
            progress.advance(task)
            console.print(_line(told), style="red" if told.wrong else "", soft_wrap=True)
    return sorted(found, key=lambda one: one.number)


def _line(told: Told) -> str:
    cuts = "; ".join(f"{cut.at_s:.1f} s ({cut.doing[:60]}), back after {'?' if cut.back_s is None else f'{cut.back_s:.0f} s'}" for cut in told.cuts)
    return f"life {told.number}, {told.kind}, {told.took_s:.0f} s: {cuts or 'no cut'}: {told.wrong or 'came back'}"


def _told(found: list[Told], lengths: dict[str, float], options: argparse.Namespace, console: Console) -> int:
    from tests.powercuts.course import spread, summary

    console.print(summary(found), style="bold")
    for one in found:
        if one.wrong:
            console.print(f"life {one.number}: its card is kept in {one.card}", soft_wrap=True)
    if options.out:
        tenths = {kind: spread(found, lengths, kind) for kind in sorted(lengths)}
        whole = {"seed": options.seed, "course_s": lengths, "cuts_in_each_tenth": tenths, "summary": summary(found), "lives": [one.as_json() for one in found]}
        options.out.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if any(one.wrong for one in found) else 0


def _alone(folder: Path) -> int:
    """One run at a time in a folder. Raises CutsError where another is at it."""
    import fcntl

    from tests.powercuts.errors import CutsError

    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise CutsError(f"{folder}: another run is at work there; wait for it, or name another --folder") from None
    return file


def _clear(parts: Parts) -> None:
    """Parts, measurements and lives of before; cards that are kept stay."""
    for name in (STATE, parts.mark.name):
        (parts.folder / name).unlink(missing_ok=True)


def _state(parts: Parts) -> dict[str, Any]:
    from tests.powercuts.errors import CutsError

    path = parts.folder / STATE
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        raise CutsError(f"{path}: is damaged; --fresh begins anew") from None


def _lengths(parts: Parts) -> dict[str, float]:
    return dict(_state(parts).get("course_s", {}))


def _before(parts: Parts, seed: int, kind: str) -> dict[int, Told]:
    from tests.powercuts.course import Told
    from tests.powercuts.errors import CutsError

    state = _state(parts)
    if (state.get("seed"), state.get("kind")) != (seed, kind):
        return {}
    try:
        return {one.number: one for one in map(Told.of, state["lives"])}
    except (KeyError, TypeError):
        raise CutsError(f"{parts.folder / STATE}: is damaged; --fresh begins anew") from None


def _save(parts: Parts, lengths: dict[str, float], found: list[Told], seed: int | None = None, kind: str = "") -> None:
    path = parts.folder / STATE
    fresh = path.with_suffix(".new")
    whole = {"course_s": lengths, "seed": seed, "kind": kind, "lives": [one.as_json() for one in found]}
    fresh.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(fresh, path)
