"""Release archives: made here, byte for byte the same from the same parts; what may stand in one is said and checked by `deploy/onboard/tarball.py`."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from deploy.onboard import disk, tarball
from deploy.onboard.tarball import File, Release, release_id
from deploy.release.errors import ReleaseError, in_words

MACHINE = "aarch64"
CHUNK = 1 << 20
DAY_S = 86_400
LATEST = 253_402_300_799
"""The last second that a calendar here knows."""


def build(
    out: Path,
    files: Mapping[str, Path | bytes],
    *,
    version: str,
    serial: int,
    commit: str,
    pythons: tuple[str, ...] = (),
    model: str = "",
    machine: str = MACHINE,
) -> Path:
    """Write `platewatch-<id>.tar` into the folder `out` and return its path; with `model` (detector, reader) it is a bundle's archive.

    `files`: name in the archive -> file or contents. `serial`: UTC seconds of the commit. The archive appears whole or not at all.
    """
    _dated(serial)
    with in_words():
        about = {name: _file(source) for name, source in files.items()}
        plan = Release("bundle" if model else "release", release_id(version, serial, commit), version, serial, commit, machine, tuple(pythons), about, model)
        path = out / f"platewatch-{plan.id}.tar"
        tarball.parse(plan.text.encode(), path.name)  # what the device would refuse is not made
        out.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        try:
            with disk.named(fresh), fresh.open("wb") as stream:
                for name, source in ((tarball.NAME, plan.text.encode()), *sorted(files.items())):
                    size = len(source) if isinstance(source, bytes) else about[name].size
                    stream.write(tarball.header(name, size, serial))
                    for piece in _pieces(source):
                        stream.write(piece)
                    stream.write(bytes(-size % tarball.BLOCK))
                stream.write(bytes(2 * tarball.BLOCK))
                stream.flush()
                os.fsync(stream.fileno())
            tarball.check(fresh)  # a part that changed meanwhile is found here
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    return path


def inspect(archive: Path) -> Release:
    """What is in it; raises ReleaseError where it is not exactly what its release.json says, or lacks what a device needs."""
    with in_words():
        release = tarball.check(archive)
    if lacking := lacks(release):
        raise ReleaseError(f"{archive.name}: lacks {', '.join(lacking)}")
    return release


def lacks(release: Release) -> list[str]:
    """What a device could not do without, by name."""
    if release.kind == "bundle":
        return [name for name in ("bundle/manifest.json", "bundle/model.tflite") if name not in release.files] + ([] if release.model else ["its model's kind"])
    wheels = [name.split("/")[1].split("-")[0].lower() for name in release.files if name.startswith("wheels/")]
    lacking = [f"the one wheel of {name} (it holds {wheels.count(name)})" for name in ("pip", "platewatch") if wheels.count(name) != 1]
    lacking += ["onboard.pyz"] if "onboard.pyz" not in release.files else []
    lacking += ["units"] if not any(name.startswith("units/") for name in release.files) else []
    return lacking + (["the Pythons that it is for"] if not release.pythons else [])


def _dated(serial: int) -> None:
    """Raises ReleaseError for a time to come: a device that has taken such a release refuses all that follow as older, until that time."""
    if serial > time.time() + DAY_S:
        told, now = (f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}" for seconds in (min(serial, LATEST), time.time()))
        raise ReleaseError(f"it would be dated {told}, and here it is {now}; set the clock that is wrong, and commit once more where the commit's time is")


def _file(source: Path | bytes) -> File:
    hashed, size = hashlib.sha256(), 0
    for piece in _pieces(source):
        hashed.update(piece)
        size += len(piece)
    return File(hashed.hexdigest(), size)


def _pieces(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as stream:
        while piece := stream.read(CHUNK):
            yield piece
