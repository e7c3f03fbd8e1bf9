"""Whether a device is as it has to be at the end: everything that could be half is looked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from tests.powercuts.device import OWN, Device

DOCTOR = ("machine", "runtime", "detector", "reader")
INTEGRITY = "import sqlite3; print(sqlite3.connect('file:/var/lib/platewatch/events.sqlite?mode=ro', uri=True).execute('PRAGMA integrity_check').fetchone()[0])"


def faults(device: Device, current: str, others: Iterable[str] = ()) -> list[str]:
    """Sentences on what is wrong with a device that has ended its work; none where `current` runs, and no release stands but it and perhaps `others`."""
    told = device.told()
    found = []
    wanted = {"current": current, "trial": None, "pending": "", "trouble": "", "page": True, "firstboot": "done"}
    found += [f"its {name} is {told[name]!r}, not {value!r}" for name, value in wanted.items() if told[name] != value]
    daemon = told["daemon"]
    if not daemon["runs"] or daemon["state"] != "watching" or not daemon["frames"]:
        found.append(f"its daemon gives no pictures: {daemon}")
    if daemon["version"] != told["version"]:
        found.append(f"its daemon is of {daemon['version']}, not {told['version']}")
    found += releases(device.root, current, set(others)) + leftovers(device.root)
    said = device("platewatch", "doctor", "--json", user="platewatch", check=False)
    states = {one["what"]: one["state"] for line in said.splitlines() if line.startswith("{") and (one := json.loads(line))}
    found += [f"its self-test finds {what} {states.get(what, 'missing')}" for what in DOCTOR if states.get(what) != "good"]
    failed = [line.split()[0] for line in device("systemctl", "--failed", "--plain", "--no-legend", check=False).splitlines()]
    found += [f"units failed: {' '.join(failed)}"] if failed else []
    if (said := device("python3", "-c", INTEGRITY, check=False).strip()) != "ok":
        found.append(f"its events: {said or 'no database'}")
    return found


def releases(root: Path, current: str, others: set[str]) -> list[str]:
    """Every release that stands is whole and wanted."""
    folder = root / "opt/platewatch/releases"
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    found = [f"the release {name} is half" for name in sorted(there) if not (folder / name / "COMPLETE").is_file()]
    found += [f"the release {name} is left over" for name in sorted(there - others - {current})]
    return found + ([] if current in there else [f"the release {current} is not there"])


def leftovers(root: Path) -> list[str]:
    """Files that were to get another name, a spool, links of units that lead nowhere."""
    found = [f"{path.relative_to(root)} is left over" for name in ("etc/platewatch", OWN, "opt/platewatch") for path in sorted((root / name).glob(".*.new"))]
    units = root / "etc/systemd/system"
    found += [f"{path.relative_to(root)} is left over" for path in sorted([*units.rglob(".*.new"), *(root / "usr/local").rglob(".*.new")])]
    found += [f"{path.relative_to(root)} leads nowhere" for path in sorted(units.rglob("*")) if path.is_symlink() and not _leads(root, path)]
    return found + ([f"{OWN}/spool is left over"] if (root / OWN / "spool").exists() else [])


def _leads(root: Path, link: Path) -> bool:
    """Whether a link of the device's own leads to something there; one through `current` is two."""
    path = os.readlink(link)
    for _ in range(8):
        if not path.startswith("/"):
            path = f"/{(link.parent / path).relative_to(root)}"
        if path.startswith("/dev/"):
            return True
        parts, at = Path(path).parts[1:], root
        for number, part in enumerate(parts):
            at = at / part
            if at.is_symlink():
                goal = os.readlink(at)
                ahead = goal if goal.startswith("/") else f"/{(at.parent / goal).relative_to(root)}"
                path = str(Path(ahead, *parts[number + 1 :]))
                break
        else:
            return at.exists()
    return False


def first_start_faults(boot: Path, image: Path, secrets: Iterable[bytes]) -> list[str]:
    """What must have happened on the boot partition, and that no byte of it says a secret any more: not in a file, not where a file was."""
    kit = boot / "platewatch"
    found = [f"{name} is still in the kit" for name in ("secrets.json", "platewatch.toml", "release.tar", "release.tar.minisig") if (kit / name).exists()]
    lines = (boot / "platewatch-log.txt").read_text(errors="replace").splitlines()
    found += [] if lines and "DONE. The page:" in lines[-1] else [f"the owner's log ends with {lines[-1:]}"]
    found += [f"the owner's log says {line!r}" for line in lines if "NOT INSTALLED" in line]
    return found + [f"the boot partition still holds a secret ({secret[:12].decode()}...)" for secret in secrets if holds(image, secret)]


def holds(image: Path, wanted: bytes, piece: int = 1 << 22) -> bool:
    """Whether the bytes stand anywhere in a file, holes left out."""
    with image.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                return False
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            kept = b""
            while at < end:
                raw = os.pread(file.fileno(), min(piece, end - at), at)
                if not raw:
                    return False
                if wanted in kept + raw:
                    return True
                kept, at = raw[-len(wanted) :], at + len(raw)
    return False
