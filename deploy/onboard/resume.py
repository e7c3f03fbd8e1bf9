"""At each start: finish what a power cut left, count the start of a release on trial, and judge it. Nothing left over: nothing is done."""

from __future__ import annotations

from deploy.onboard import disk, ground, install, restore, sources, switch, uninstall, units
from deploy.onboard.layout import FAILURE, FIRSTBOOT
from deploy.onboard.site import Site
from deploy.onboard.state import Trial
from deploy.onboard.watch import Verdict

MOST_STARTS = 3
"""A release that did not come to its verdict in so many starts of the machine is the reason for them."""


def resume(site: Site) -> Verdict | None:
    """The verdict on what was on trial, None where nothing was. The services start as soon as the disk is in order."""
    try:
        order(site)
    finally:
        site.machine.ready()
    if site.state.trial is None:
        return None
    return switch.decide(site)


def order(site: Site) -> None:
    """All that is quick. Afterwards `current` leads to a whole release, and its units are in their places."""
    state = site.state
    began_with = state.current
    if state.removing:
        uninstall.finish(site)
        return
    sources.clear(site)
    if state.restoring:
        restore.put_back(site)
    disk.take_away(site.layout.restoring)
    if state.firstboot == "done":
        _tidy(site)
    if state.pending and not site.layout.is_complete(state.pending):  # damaged since: nobody waits for it any more
        site.note(pending="", works={})
        site.step("pending-forgotten")
    elif state.trial is None and state.pending:
        site.say(f"Going on with {state.pending}, which a power cut kept from its start.")
        switch.begin(site, state.pending, "update" if state.current else "first")
    if state.trial is not None:
        _go_on(site, state.trial)
    if not site.state.current and site.state.previous:  # a link that was lost with its sector
        switch.turn(site, site.state.previous)
    if site.state.current:
        if site.state.trial is None:
            units.settle(site, read=site.state.current == began_with)
        else:
            switch.start(site)  # new units are in nobody's plan for this start yet
        install.prune(site)


def _go_on(site: Site, on_trial: Trial) -> None:
    if on_trial.failed:
        switch.reject(site, on_trial.failed)
    elif not site.layout.is_complete(on_trial.id):
        switch.reject(site, "it is no longer there as a whole")
    elif site.state.current != on_trial.id:
        switch.turn(site, on_trial.id)
    elif on_trial.boot != site.machine.boot_id:
        boots = on_trial.boots + 1
        if boots >= MOST_STARTS and on_trial.kind == "update" and on_trial.came_from:
            switch.reject(site, f"the machine started {boots} times before it had proved itself")
            return
        site.note(trial=Trial.of(on_trial.as_json() | {"boots": boots, "boot": site.machine.boot_id}))
        site.step("start-counted")


def _tidy(site: Site) -> None:
    """The first start's own unit disables itself, then goes; a cut between leaves the file."""
    for name in (FIRSTBOOT, FAILURE):
        if (site.layout.units / name).is_file() and not (site.layout.units / "multi-user.target.wants" / FIRSTBOOT).is_symlink():
            ground.take_unit(site, name)
