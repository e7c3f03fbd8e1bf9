"""From one release to another: written down, then one rename, then watched. Each function may be begun again after a cut and ends the same.

`current` is the only truth about what runs. The trial in the state file is written before it is turned and taken out after all else is done, so that
between the two every start knows what was meant.
"""

from __future__ import annotations

import contextlib

from deploy.onboard import disk, install, trial, units
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import SERVICES
from deploy.onboard.site import Site
from deploy.onboard.state import Trial
from deploy.onboard.watch import Verdict


def begin(site: Site, id: str, kind: str) -> None:
    """`id` runs from now on, on trial. What does not work now is not asked of it; of one that was pending this was noted: early in a start nothing runs."""
    state = site.state
    works = state.works if state.pending else works_now(site)
    frames, page = works.get("frames", True), works.get("page", True)
    site.note(trial=Trial(id, state.current, kind, frames, page, boot=site.machine.boot_id, since=site.machine.utc()), pending="", works={})
    site.step("trial-noted")
    try:
        turn(site, id)
    except (OnboardError, OSError) as error:
        if not state.current:
            raise
        reject(site, f"it could not be started ({error})")
        raise OnboardError(f"{id}: could not be started ({error}); {state.current} runs again") from None


def works_now(site: Site) -> dict[str, bool]:
    """Whether pictures come and the page answers before an update, which may be what mends the camera. Of a first installation everything is asked."""
    frames, page = trial.works_now(site) if site.state.current else (True, True)
    return {"frames": frames, "page": page}


def turn(site: Site, id: str) -> None:
    """The one rename, and what runs follows it."""
    if not site.layout.is_complete(id):
        raise OnboardError(f"{id}: is not there as a whole; what runs stays")
    before = units.services(site.layout)
    site.machine.stop(*(before or SERVICES))
    trial.forget_status(site.layout)
    site.step("stopped")
    disk.point(site.layout.current, f"releases/{id}")
    site.step("turned")
    start(site)


def start(site: Site) -> None:
    """The units as `current` has them, started without waiting for them."""
    units.settle(site)
    if wanted := units.services(site.layout):
        site.machine.start(*wanted)
    site.step("started")


def decide(site: Site) -> Verdict:
    """Watch what is on trial and do what follows from it. The owner's words are in the report."""
    state = site.state
    if state.trial is None:
        raise OnboardError("nothing is on trial")
    on_trial = state.trial
    site.say(f"Watching {on_trial.id} for a minute.")
    verdict = trial.watch(site, trial.wanted_of(site, on_trial.id, frames=on_trial.frames, page=on_trial.page))
    if verdict.good or on_trial.kind != "update" or not on_trial.came_from:
        accept(site, verdict)
    else:
        reject(site, verdict.words)
    return verdict


def accept(site: Site, verdict: Verdict) -> None:
    """It stays: the one of before is `previous`, and its zipapp judges the next."""
    state = site.state
    assert state.trial is not None
    on_trial = state.trial
    if on_trial.came_from and site.layout.is_complete(on_trial.came_from):
        disk.point(site.layout.previous, f"releases/{on_trial.came_from}")
        site.step("previous")
    if verdict.good and (site.layout.current / "onboard.pyz").is_file():
        site.write(site.layout.judge, (site.layout.current / "onboard.pyz").read_bytes(), 0o700)
        site.step("judge")
    failed = {} if state.failed.get("id") == on_trial.id else state.failed
    site.note(trial=None, serial=trial.serial_of(site.layout, on_trial.id), failed=failed)
    site.step("accepted")
    install.prune(site)
    site.report(f"{on_trial.id} runs: {verdict.words}." if verdict.good else f"{on_trial.id} runs, but {verdict.words}.")


def reject(site: Site, words: str) -> None:
    """Back to the one of before, as if nothing had been; what it was that failed is remembered. Also on a disk that the failed one has filled."""
    state = site.state
    assert state.trial is not None
    on_trial = state.trial
    goal = next((id for id in (on_trial.came_from, state.previous) if id != on_trial.id and site.layout.is_complete(id)), "")
    if not goal:
        _stay(site, on_trial, words)
        return
    site.say(f"{on_trial.id} does not work here: {words}. Going back to {goal}.")
    with contextlib.suppress(OSError):  # without this note a cut would only have it watched once more
        site.note(trial=_failed(on_trial, words))
    site.step("rejected")
    turn(site, goal)
    if on_trial.id != state.previous:
        install.drop(site, on_trial.id)  # before the note that ends it all: that one needs room
    site.note(trial=None, serial=trial.serial_of(site.layout, goal), failed={"id": on_trial.id, "words": words})
    site.step("taken-back")
    install.prune(site)
    site.report(f"{on_trial.id} was rolled back: {words}. {goal} runs again.")


def _stay(site: Site, on_trial: Trial, words: str) -> None:
    """Nothing that could run instead is there as a whole, as on a damaged card. What is undecided for ever would keep out the update that mends it."""
    whole = site.layout.is_complete(on_trial.id)
    site.note(trial=None, failed={"id": on_trial.id, "words": words} if whole else {})
    site.step("nothing-to-go-back-to")
    if not whole:
        site.report(f"Neither {on_trial.id} nor {on_trial.came_from or 'another release'} is there as a whole; is the card damaged? Install again.")
        return
    site.report(f"{on_trial.id} does not work here: {words}. It stays, since no other release is there as a whole; bring a newer one.")


def _failed(on_trial: Trial, words: str) -> Trial:
    return Trial.of(on_trial.as_json() | {"failed": words})


def back(site: Site, meant: str = "") -> None:
    """The owner's wish: what ran before runs again, and what runs now is `previous`, so that a second time takes that back.

    `meant`: what ran when the wish was uttered. Where another one runs by now, say because the trial ended badly in the meantime, nothing is done.
    """
    state = site.state
    if meant and state.current != meant:
        site.say(f"While this waited {state.current or 'nothing'} came to run in place of {meant}; nothing more was done.")
        return
    if state.trial is not None and state.trial.came_from:
        reject(site, "the owner took it back")
        return
    if not state.previous:
        raise OnboardError("there is no release of before to go back to")
    site.say(f"Going back from {state.current} to {state.previous}.")
    begin(site, state.previous, "rollback")
