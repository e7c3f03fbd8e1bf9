"""A release in its place: unpacked, its virtual environment filled without network, tested, and marked whole as the very last thing.

Nothing that runs is touched. Until the mark is there the folder is rubbish, which the next attempt or the next start removes.
"""

from __future__ import annotations

import json
from pathlib import Path

from deploy.onboard import archive, disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import COMPLETE, USER
from deploy.onboard.site import Site
from deploy.onboard.tarball import Release

WHEELS = "wheels"
GOLDEN = ("machine", "runtime", "detector", "reader")
"""What `platewatch doctor` must find good: the models compute here, bit for bit, what they did where they were measured."""


def stage(site: Site, packed: Path, release: Release) -> str:
    """The release's id; its folder stands whole when this returns. Raises OnboardError, and then nothing of it is left."""
    layout = site.layout
    if layout.is_complete(release.id):
        return release.id
    archive.fits(release, site.machine)
    drop(site, release.id)
    make_room(site, archive.needed_bytes(packed, release))
    folder = layout.release(release.id)
    try:
        disk.make_folder(folder)
        site.step("stage-begun")
        site.say(f"Unpacking {release.id}.")
        archive.unpack(packed, folder)
        site.step("unpacked")
        _fill(site, folder, release)
        disk.take_away(folder / WHEELS)
        site.step("filled")
        self_test(site, release.id)
        site.step("tested")
        disk.sync_all()  # every byte of it, before the mark says so
        site.step("synced")
        site.write(folder / COMPLETE, b"")
        disk.sync_folder(layout.releases)
        site.step("complete")
    except (OnboardError, OSError):
        drop(site, release.id)
        raise
    return release.id


def _fill(site: Site, folder: Path, release: Release) -> None:
    """Made where it stays, since a virtual environment knows its own path; it sees the system's picamera2."""
    site.say("Installing; this takes a minute or two.")
    environment, wheels = folder / ".venv", folder / WHEELS
    site.machine.run([site.machine.python, "-m", "venv", "--without-pip", "--system-site-packages", environment])
    site.step("venv")
    pip = only(wheels, "pip-")
    words: list[str | Path] = ["--no-index", "--no-cache-dir", "--no-warn-script-location", "--ignore-installed", "--find-links", wheels]
    site.machine.run([environment / "bin/python", "-I", pip / "pip", "install", *words, only(wheels, "platewatch-")])
    found = site.machine.run([environment / "bin/python", "-I", "-c", "from importlib.metadata import version; print(version('platewatch'))"]).strip()
    if found != release.version:
        raise OnboardError(f"{release.id}: its wheel is of version {found}, not {release.version}; have the release made anew")
    site.step("installed")


def only(folder: Path, prefix: str) -> Path:
    """The one wheel of that name."""
    found = sorted(folder.glob(f"{prefix}*.whl"))
    if len(found) != 1:
        raise OnboardError(f"{folder.parent.name}: holds {len(found)} wheels {prefix}*.whl and not one; have the release made anew")
    return found[0]


def self_test(site: Site, id: str) -> None:
    """The golden self-test of the models, and the device's own configuration read by the new release; raises OnboardError in its words."""
    python = site.layout.release(id) / ".venv/bin/python"
    site.say("Testing that the models compute here what they did where they were measured.")
    said = _doctor(site, python)
    missing = [what for what in GOLDEN if what not in said]
    bad = {what: words for what, (state, words) in said.items() if state == "bad" and what in GOLDEN}
    if missing or bad:
        what, words = next(iter(bad.items()), (missing[0] if missing else "", "the self-test did not come to its end"))
        raise OnboardError(f"{id}: does not pass its self-test here ({what}: {words}); it is not used")
    if site.layout.config.is_file():
        check_config(site, id, site.layout.config)


def check_config(site: Site, id: str, config: Path, user: str = USER) -> None:
    """Raises OnboardError with the release's own sentence where it cannot use the file."""
    site.machine.run([site.layout.release(id) / ".venv/bin/python", "-m", "edge", "config", "--check", config], user=user)


def _doctor(site: Site, python: Path) -> dict[str, tuple[str, str]]:
    """{what: (state, words)}. The doctor's own exit code also speaks of what is no fault of the release, such as a weak power supply."""
    code = "import sys; from edge.cli import main; main(['doctor', '--json'])"
    found = {}
    for line in site.machine.run([python, "-c", code], user=USER).splitlines():
        try:
            told = json.loads(line)
            found[str(told["what"])] = (str(told["state"]), str(told["words"]))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def make_room(site: Site, wanted: int) -> None:
    """Where the disk is too full with the release of before, that one goes; OnboardError, and it stays, where this would not be enough either."""
    short, state = wanted - disk.free_bytes(site.layout.opt), site.state
    if short > 0 and state.previous and state.trial is None and disk.size(site.layout.release(state.previous)) >= short:
        site.say(f"Making room: {site.state.previous}, the release of before, goes.")
        disk.take_away(site.layout.previous)
        site.step("previous-forgotten")
        prune(site)
    archive.room_for(wanted, site.layout.opt)


def drop(site: Site, id: str) -> None:
    """The mark goes first: half a release is never taken for a whole one."""
    folder = site.layout.release(id)
    if folder.is_dir() and folder in site.layout.releases.iterdir():  # no name that leads elsewhere; an empty one would be all of them
        disk.take_away(folder / COMPLETE)
        site.step("unmarked")
        disk.take_away(folder)
        site.step("dropped")


def prune(site: Site) -> None:
    """Keep what runs, what ran before, and what a trial or a wish needs."""
    state = site.state
    kept = {state.current, state.previous, state.pending}
    if state.trial is not None:
        kept |= {state.trial.id, state.trial.came_from}
    for folder in sorted(site.layout.releases.iterdir()) if site.layout.releases.is_dir() else ():
        if folder.name not in kept or not site.layout.is_complete(folder.name):
            drop(site, folder.name)
