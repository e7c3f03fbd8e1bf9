"""What is done to one device. Each act ends with an Outcome or raises DeviceError; each can be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from deploy.fleet.errors import ConnectionLost, DeviceError
from deploy.fleet.payload import Parcel, Release
from deploy.fleet.remote import Facts, Remote, unfit
from deploy.fleet.ssh import Done
from deploy.onboard.errors import BUSY

TRIAL_S = 300.0
"""So long a device may take to judge an update."""
BUSY_S = 900.0
"""So long what is at work there already is waited for: an installation and its trial, on a slow card."""
POLL_S = 3.0
UNKNOWN = 2
"""argparse's exit code for a command that it does not know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went on one device. `state`: ok, failed, or held (not begun, because others failed)."""

    device: str
    state: str
    words: str
    release: str = ""
    seconds: float = 0.0
    log: tuple[str, ...] = field(default=(), repr=False)
    told: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        return self.state == "ok"


@dataclass(frozen=True, slots=True)
class Said:
    """An act's good end, before it is known how long it took."""

    words: str
    release: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)


class Act(Protocol):
    def __call__(self, remote: Remote, tell: Callable[[str], None]) -> Said: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """Injected, so that no test waits."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Install:
    """Carry the kit there and install it; what is older is updated, what runs already is left. `configs` has a device's own configuration, by its name."""

    release: Release
    onboard: Parcel
    trusted: Parcel
    clock: Clock = Clock()
    configs: Mapping[str, Parcel] = field(default_factory=dict)

    def __call__(self, remote: Remote, tell: Callable[[str], None]) -> Said:
        if said := there_already(remote, fit(remote, self.release), self.release.id, tell, self.clock):
            return said
        config = self.configs.get(remote.device.name)
        parcels = [self.onboard, self.trusted, *([config] if config else []), self.release.signature, self.release.archive]
        folder = sent(remote, parcels, tell)
        tell("installing")
        words = ["python3", f"{folder}/{self.onboard.name}", "install", f"{folder}/{self.release.archive.name}", "--trusted", f"{folder}/{self.trusted.name}"]
        words += ["--config", f"{folder}/{config.name}"] if config else []
        return finished(remote, words, self.release.id, tell, self.clock)


@dataclass(frozen=True, slots=True)
class Update:
    """By a carried archive, or from a `source` that the device reaches itself (http, https, or a path there)."""

    release: Release | None = None
    source: str = ""
    downgrade: bool = False
    again: bool = False
    clock: Clock = Clock()

    def __call__(self, remote: Remote, tell: Callable[[str], None]) -> Said:
        facts = installed(remote, self.release, "; use `python -m deploy install`")
        source, wanted = self.source, self.release.id if self.release and self.release.kind == "release" else ""
        if said := there_already(remote, facts, wanted, tell, self.clock):
            return said
        if self.release:
            source = f"{sent(remote, [self.release.signature, self.release.archive], tell)}/{self.release.archive.name}"
        tell("updating")
        words = [facts.deploy, "update", source, *(["--downgrade"] if self.downgrade else []), *(["--again"] if self.again else [])]
        return finished(remote, words, wanted, tell, self.clock)


def roll_back(remote: Remote, tell: Callable[[str], None]) -> Said:
    """To the release before this one."""
    facts = installed(remote, more=", so there is nothing to go back to")
    tell("rolling back")
    return finished(remote, [facts.deploy, "rollback"], "", tell, Clock())


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose releases it takes: one file of keys more, keys of these names less. The device says afterwards whom it trusts."""

    add: Parcel | None = None
    remove: tuple[str, ...] = ()
    clock: Clock = Clock()

    def __call__(self, remote: Remote, tell: Callable[[str], None]) -> Said:
        words = [installed(remote).deploy, "trust", *(word for name in self.remove for word in ("--remove", name))]
        if self.add:
            words += ["--add", f"{sent(remote, [self.add], tell)}/{self.add.name}"]
        done = in_turn(remote, words, tell, self.clock)
        remote.tidy()
        if done.code == UNKNOWN:
            raise DeviceError("what is installed there does not know `trust` yet; bring it a newer release first, signed with a key that it trusts")
        if done.code:
            raise refused(done)
        return Said(done.last)


def ask(remote: Remote, tell: Callable[[str], None]) -> Said:
    """How it is."""
    installed(remote)
    told = remote.told()
    if not healthy(told) and not told.get("trial"):
        raise DeviceError(in_words(told))
    return Said(in_words(told), current(told), told)


def fit(remote: Remote, release: Release | None) -> Facts:
    facts = remote.facts()
    if reason := unfit(facts, release, remote.password):
        raise DeviceError(reason)
    return facts


def installed(remote: Remote, release: Release | None = None, more: str = "") -> Facts:
    facts = fit(remote, release)
    if not facts.deploy:
        raise DeviceError(f"Platewatch is not installed there{more}")
    return facts


def there_already(remote: Remote, facts: Facts, wanted: str, tell: Callable[[str], None], clock: Clock) -> Said | None:
    """How it is, where `wanted` is what runs there and has proved itself: then nothing is carried. None where that is not so, or it does not say."""
    if not facts.deploy or not wanted:
        return None
    try:
        told = judged(remote, tell, clock)
    except ConnectionLost:
        raise
    except DeviceError:  # what is broken there may be mended by what is brought
        return None
    return ended(remote, told, "installed already; ") if current(told) == wanted else None


def sent(remote: Remote, parcels: list[Parcel], tell: Callable[[str], None]) -> str:
    """Carry files; the folder in which they lie there."""
    whole, here, shown = sum(parcel.size for parcel in parcels), 0, -1

    def count(size: int) -> None:
        nonlocal here, shown
        here += size
        if (percent := 100 * here // max(whole, 1)) != shown:
            shown = percent
            tell(f"copying, {percent} % of {whole / 1e6:.0f} MB")

    return remote.send(parcels, count)


def finished(remote: Remote, words: list[str], wanted: str, tell: Callable[[str], None], clock: Clock) -> Said:
    """Run the installer; wait until the device has judged what it got, and see that it runs what it should."""
    done = in_turn(remote, words, tell, clock)
    if done.code:
        raise refused(done)
    told = judged(remote, tell, clock)
    now = current(told)
    if wanted and now != wanted:
        failed = told.get("failed") or {}
        raise DeviceError(f"it went back to {now or 'nothing'} by itself: {failed.get('words') or done.last or 'the new release did not do'}")
    return ended(remote, told)


def in_turn(remote: Remote, words: list[str], tell: Callable[[str], None], clock: Clock) -> Done:
    """How the installer ended, after another one that is at work there."""
    give_up_at = clock.now() + BUSY_S
    while (done := remote.as_root(words, lasting=True)).code == BUSY and clock.now() < give_up_at:
        tell("waiting for what is at work there already")
        clock.sleep(POLL_S)
    return done


def refused(done: Done) -> DeviceError:
    return DeviceError(done.last.removeprefix("platewatch-deploy: ") or f"the installer ended with exit code {done.code}")


def ended(remote: Remote, told: Mapping[str, Any], before: str = "") -> Said:
    """Nothing of the copy stays. Raises DeviceError where the device is not well, though it has what it should."""
    remote.tidy()
    if not healthy(told):
        raise DeviceError(in_words(told))
    return Said(before + in_words(told), current(told), told)


def judged(remote: Remote, tell: Callable[[str], None], clock: Clock) -> Mapping[str, Any]:
    """What it says of itself once no trial is on."""
    give_up_at = clock.now() + TRIAL_S
    while (told := remote.told()).get("trial"):
        if clock.now() >= give_up_at:
            raise DeviceError(f"it could not judge the new release within {TRIAL_S:g} s")
        tell("watching whether it works")
        clock.sleep(POLL_S)
    return told


def healthy(told: Mapping[str, Any]) -> bool:
    """The daemon runs, the page answers, nothing is undecided."""
    return bool((told.get("daemon") or {}).get("runs") and told.get("page") and not told.get("trouble") and not told.get("trial"))


def current(told: Mapping[str, Any]) -> str:
    return str(told.get("current") or "")


def in_words(told: Mapping[str, Any]) -> str:
    """The first thing that is wrong, else what its daemon says."""
    daemon = told.get("daemon") or {}
    if told.get("trial"):
        return "a new release is on trial"
    if told.get("trouble"):
        return str(told["trouble"])
    if not daemon.get("runs"):
        return "its daemon does not run; `sudo journalctl -u platewatch` on it tells why"
    if not told.get("page"):
        return "its page does not answer; `sudo journalctl -u platewatch-web` on it tells why"
    return f"{daemon.get('state') or 'running'}, {daemon.get('frames', 0)} pictures"
