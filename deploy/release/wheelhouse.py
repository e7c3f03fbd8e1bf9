"""A folder of wheels from which a Raspberry Pi installs everything offline, and the proof that nothing is missing.

`wheelhouse.json` in it records each wheel's hash and which Python takes it. A second run fetches nothing where the set is whole.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.release import licences, own, pins, pip, wheels
from deploy.release.closure import close
from deploy.release.errors import ReleaseError
from deploy.release.source import Source
from deploy.release.wheels import Target, Wheel, packaging

RECORD = "wheelhouse.json"
ROUNDS = 5
"""pip reads markers with the Python that it runs in; what the device's Python needs beyond that is fetched by name, and its needs after it."""


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    folder: Path
    sets: dict[str, tuple[Wheel, ...]]
    """Python -> the wheels that it takes, by name."""
    tools: dict[str, str]
    """What built our own wheel: file name -> sha256."""

    @property
    def wheels(self) -> list[Wheel]:
        """All, each once."""
        return sorted({wheel.path.name: wheel for chosen in self.sets.values() for wheel in chosen}.values(), key=lambda wheel: wheel.path.name)


def make(
    source: Source, pythons: Sequence[str], folder: Path, say: pip.Say, *, offline: bool = False, refresh: bool = False, like: Path | None = None
) -> Wheelhouse:
    """Build our wheel, fetch what is missing (with `refresh` also what is newer), prove the set for each Python, and record it.

    Raises ReleaseError which names what is missing or wrong. `offline` fetches nothing. `like`: the record of an earlier one, whose very wheels are taken.
    """
    pinned = None if like is None else pins.read(like)
    targets = [wheels.target(python) for python in dict.fromkeys(pythons)]
    _writable(folder)
    _faithful(folder, source, mend=not offline, say=say)
    tools = own.tools(source, folder, say, offline=offline, pinned=pinned.tools if pinned else None)
    ours = own.build(source, folder, tools)
    roots = [f"{ours.name}=={ours.version}", "pip"]
    if pinned is None:
        sets = {target.python: _complete(target, [*source.requirements, "pip"], roots, folder, say, offline, refresh) for target in targets}
    else:
        sets = {target.python: (*_pinned(target, pinned, folder, say, offline), ours) for target in targets}
    made = Wheelhouse(folder, sets, {path.name: wheels.sha256(path) for path in sorted(tools.glob("*.whl"))})
    licences.check(made.wheels)
    for wheel in made.wheels:
        _intact(wheel)
    for target in targets:
        prove(target, roots, sets[target.python])
    _record(made)
    return made


def prove(target: Target, roots: Sequence[str], chosen: Sequence[Wheel]) -> None:
    """Two witnesses: our own walk with the device's markers, and pip itself, offline, over exactly these files. Raises ReleaseError."""
    closure = close(chosen, roots, target)
    if closure.missing:
        raise ReleaseError(f"the set for Python {target.python} is not complete: {closure.sentence}")
    with TemporaryDirectory(prefix="platewatch-prove-") as folder:
        for wheel in chosen:
            Path(folder, wheel.path.name).symlink_to(wheel.path.resolve())
        found = pip.resolve(roots, target, Path(folder))
    ours = {wheel.name: str(wheel.version) for wheel in closure.chosen}
    differing = [name for name, version in found.items() if packaging("version").Version(ours.get(name, "0")) != packaging("version").Version(version)]
    if differing:
        raise ReleaseError(f"pip would install another set for Python {target.python} than the one that was checked: {', '.join(sorted(differing))} differ")


def _complete(target: Target, requirements: Sequence[str], roots: Sequence[str], folder: Path, say: pip.Say, offline: bool, refresh: bool) -> tuple[Wheel, ...]:
    closure = close(wheels.read_all(folder), roots, target)
    asked: set[str] = set()
    for turn in range(ROUNDS):
        if offline or not (closure.missing or (refresh and turn == 0)):
            break
        lacking = [requirement for requirement, _ in closure.missing]
        if turn and asked >= set(lacking):
            break
        asked |= set(lacking)
        say(f"fetching for Python {target.python}")
        pip.download([*requirements, *(lacking if turn else ())], target, folder, say)
        closure = close(wheels.read_all(folder), roots, target)
    if closure.missing:
        raise ReleaseError(f"the set for Python {target.python} is not complete: {closure.sentence}{'; run once with a network' if offline else ''}")
    return closure.chosen


def _pinned(target: Target, pinned: pins.Pins, folder: Path, say: pip.Say, offline: bool) -> tuple[Wheel, ...]:
    """The very wheels of the earlier set, by name and hash."""
    files = pinned.sets.get(target.python)
    if files is None:
        raise ReleaseError(f"--python {target.python}: the earlier release was not made for it, but for {' and '.join(pinned.sets)}")
    lacking = {name: sha256 for name, sha256 in files.items() if not (folder / name).is_file()}
    if lacking and offline:
        raise ReleaseError(f"the set for Python {target.python} is not complete: {', '.join(lacking)} is missing; run once with a network")
    if lacking:
        say(f"fetching for Python {target.python}")
        pip.download_pinned(pins.lines(lacking), target.pip, folder, say)
    found = [wheels.read(folder / name) for name in sorted(files)]
    if differing := [wheel.path.name for wheel in found if wheel.sha256 != files[wheel.path.name]]:
        raise ReleaseError(f"{', '.join(differing)}: is not what the earlier release was made of (its hash differs); delete it and run with a network")
    return tuple(found)


def _intact(wheel: Wheel) -> None:
    """Raises ReleaseError where a file in it is not what its own RECORD states, or cannot be unpacked."""
    name = ""
    try:
        with zipfile.ZipFile(wheel.path) as packed:
            record = next(name for name in packed.namelist() if name.count("/") == 1 and name.endswith(".dist-info/RECORD"))
            for name, stated, *_ in csv.reader(io.StringIO(packed.read(record).decode())):
                method, _, wanted = stated.partition("=")
                if method and base64.urlsafe_b64encode(hashlib.new(method, packed.read(name)).digest()).rstrip(b"=").decode() != wanted:
                    raise ReleaseError(f"{wheel.path.name}: {name} in it is not what its RECORD states; delete it and fetch it again")
    except ReleaseError:
        raise
    except (StopIteration, KeyError, ValueError, EOFError, csv.Error, zlib.error, zipfile.BadZipFile) as error:
        raise ReleaseError(f"{wheel.path.name}: {name or 'its RECORD'} in it cannot be unpacked ({error}); delete it and fetch it again") from None


def _faithful(folder: Path, source: Source, *, mend: bool, say: pip.Say) -> None:
    """Wheels open, and still have the hash that was recorded; others are deleted to be fetched again (`mend`), or named. Ours is made anew each time."""
    recorded = _recorded(folder)
    for path in sorted(folder.glob("*.whl")):
        if path.name.startswith("platewatch-"):
            if not path.name.startswith(f"platewatch-{source.version}-"):
                path.unlink()  # of another version of ours
            continue
        try:
            found = wheels.read(path).sha256
            if found != recorded.get(path.name, found):
                raise ReleaseError(f"{path.name}: was changed since it was fetched (its hash is not the recorded one); delete it and fetch it again")
        except ReleaseError as error:
            if not mend:
                raise
            say(str(error))
            path.unlink()


def _recorded(folder: Path) -> dict[str, str]:
    """File name -> sha256; nothing where there is no record."""
    path = folder / RECORD
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(about["sha256"]) for name, about in plain["wheels"].items() if Path(name).name == name}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ReleaseError(f"{path}: cannot be used; delete it, and the set is checked as if it were new") from None


def _record(made: Wheelhouse) -> None:
    about = {
        wheel.path.name: {"name": wheel.name, "version": str(wheel.version), "licence": wheel.licence, "texts": list(wheel.texts)}
        | {"sha256": wheel.sha256, "size": wheel.size}
        for wheel in made.wheels
    }
    pythons = {python: sorted(wheel.path.name for wheel in chosen) for python, chosen in made.sets.items()}
    fresh = made.folder / f".{RECORD}.new"
    fresh.write_text(json.dumps({"format": 1, "pythons": pythons, "tools": made.tools, "wheels": about}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(fresh, made.folder / RECORD)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReleaseError(f"{folder}: cannot be made ({(error.strerror or '').lower()})") from None
    if not os.access(folder, os.W_OK):
        raise ReleaseError(f"{folder}: cannot be written; name another folder with --out")
