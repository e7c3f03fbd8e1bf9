"""Fetch, verify, stage, switch, watch: five plain steps, of which each leaves a device that works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deploy.onboard import archive, bundle, disk, ground, install, sources, switch, trial
from deploy.onboard.errors import BusyError, OnboardError
from deploy.onboard.layout import RESUME
from deploy.onboard.site import Site
from deploy.onboard.tarball import Release
from deploy.onboard.watch import LIMIT_S


@dataclass(frozen=True, slots=True)
class Wish:
    """What the owner lets pass knowingly."""

    downgrade: bool = False
    again: bool = False
    """A release that was rolled back here may try once more."""


def update(site: Site, source: str, wish: Wish = Wish(), stream: BinaryIO | None = None) -> str:
    """Bring the archive's release, or its model, to run. What it is called; raises OnboardError, and then what ran before runs."""
    check_idle(site)
    packed = None
    try:
        packed = sources.fetch(site, source, stream)
        release = archive.open_signed(packed, site.layout.trusted)
        site.say(f"{release.id}: its signature is good.")
        if release.kind == "bundle":
            bundle.take(site, packed, release, wish.downgrade)
        else:
            bring(site, packed, release, wish)
    except (OnboardError, OSError):
        if packed is not None or not source.startswith("http"):  # a download that broke off is gone on with; what was refused is not
            sources.clear(site)
        raise
    sources.clear(site)
    site.step("spool-cleared")
    return release.id


def bring(site: Site, packed: Path, release: Release, wish: Wish = Wish()) -> None:
    """A verified archive to the point where it runs on trial; `settle` then waits for the verdict."""
    state = site.state
    # The release itself says how new it is too: a state that was lost with its sector opens no door to an old archive.
    check(release, state.current, max(state.serial, trial.serial_of(site.layout, state.current)), state.failed, wish)
    if release.id == state.current:
        site.say(f"{release.id} runs already; nothing to do.")
        return
    id = install.stage(site, packed, release)
    ground.put_tools(site, site.layout.release(id) / "onboard.pyz")
    site.note(pending=id, works=switch.works_now(site))
    site.step("pending")
    switch.begin(site, id, "update" if state.current else "first")


def check(release: Release, current: str, serial: int, failed: dict[str, str], wish: Wish) -> None:
    """Raises OnboardError for what is older than what runs, or has failed here."""
    if current and release.serial < serial and not wish.downgrade:
        raise OnboardError(f"{release.id}: is older than {current}, which runs; platewatch-deploy rollback goes back, --downgrade lets an older one in")
    if release.id == failed.get("id") and not wish.again:
        raise OnboardError(f"{release.id}: was rolled back here ({failed.get('words')}); --again tries it once more")


def check_idle(site: Site) -> None:
    """Raises BusyError while something else is not decided."""
    state = site.state
    if state.trial is not None or state.pending or state.restoring or state.removing:
        raise BusyError("something is not finished yet; platewatch-deploy resume goes on with it, platewatch-deploy status tells what it is")


def settle(site: Site) -> int:
    """The verdict on the trial, by the unit that also outlives a broken connection, else by this process: 0 where the new release stays."""
    on_trial = site.state.trial
    if on_trial is None:
        return 0
    if site.machine.hand_over(RESUME):
        site.say(f"Watching {on_trial.id} for a minute; it goes on by itself when this connection breaks.")
        until = site.machine.now() + LIMIT_S + 120
        while site.state.trial is not None:
            if site.machine.now() > until:
                raise OnboardError("there is no verdict yet; platewatch-deploy status tells, and the next start decides")
            site.machine.sleep(1.0)
        if not site.layout.report.is_file():
            raise OnboardError(f"{on_trial.id}: there is no verdict, since Platewatch was uninstalled meanwhile")
        site.say(disk.contents(site.layout.report).decode(errors="replace").strip())
        return 0 if site.state.current == on_trial.id else 1
    with site.alone(wait=True):
        return 0 if switch.decide(site).good else 1
