"""The three kinds of life, each from a copy of a card to a device that is as it has to be. What is wrong is a NotBack."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.powercuts import verdict
from tests.powercuts.card import Card
from tests.powercuts.course import BAD, FIRST, UPDATE, Cut, Life, Told
from tests.powercuts.device import BOOT_S, Device, last_line
from tests.powercuts.errors import NotBack
from tests.powercuts.parts import Parts

FIRST_S, TRIAL_S, BAD_S = 900.0, 600.0, 900.0
"""Longest wait for a first start's end, for a good verdict, for a bad one."""
IDLE_S = 3.0
"""So long after its end a course that is shorter than its moment is cut all the same."""
REFUSED = "was rolled back"
MANY_STARTS = "the machine started"
"""What three cuts in one watch end in, as the updater's README says: the old release, and the new one asks for --again."""
ARCHIVES = {UPDATE: "newer", BAD: "bad"}
Say = Callable[[str], None]


def live(parts: Parts, life: Life, card: Card, say: Say) -> Told:
    """One life on a fresh copy of a card; the card stays where `wrong` says something."""
    told = Told(life.number, life.kind)
    begun = time.monotonic()
    device = Device((parts.bare if life.kind == FIRST else parts.installed).copy(card.folder), parts.folder / "releases")
    try:
        (_first if life.kind == FIRST else _update)(parts, life, device, told, say)
    except (NotBack, AssertionError) as error:
        told.wrong = " ".join(str(error).split())[:2000]
    finally:
        device.off()
    told.card = str(card.folder) if told.wrong else ""
    told.took_s = round(time.monotonic() - begun, 1)
    if not told.wrong:
        card.remove()
    return told


def _first(parts: Parts, life: Life, device: Device, told: Told, say: Say) -> None:
    done = _is_set_up(device)
    for number, moment in enumerate(life.moments):
        say(f"cut {number + 1} of {len(life.moments)} at {moment:.1f} s")
        device.on()
        _wait(device, device.since, moment, done, told)
        _cut(device, device.since, moment, told, lambda: last_line(device.card.boot) or "before the kit began")
    device.on()
    say("to its end")
    _note_back(told, device.until("an answer", device.answers, BOOT_S))
    device.until("the end of the first start", done, FIRST_S)
    check_first(parts, device)


def check_first(parts: Parts, device: Device) -> None:
    """Raises NotBack for the first thing that is not as after an uncut first start."""
    device.until("pictures", device.well, BOOT_S)
    found = verdict.faults(device, parts.id("first"))
    found += [
        f"{name} is left over"
        for name in ("platewatch-firstboot.service", "platewatch-failure.service")
        if (device.root / "etc/systemd/system" / name).exists()
    ]
    secrets = [path for path in (device.root / "etc/platewatch/secrets").iterdir() if path.read_bytes()]
    found += [] if secrets else ["no secret is in its place"]
    subprocess.run(["sync", "-f", str(device.card.boot)], check=True)
    wanted = (parts.folder / "secrets.txt").read_bytes().split(b"\n")
    found += verdict.first_start_faults(device.card.boot, device.card.images[1], wanted)
    if found:
        raise NotBack("; ".join(found))


def _update(parts: Parts, life: Life, device: Device, told: Told, say: Say) -> None:
    old, new = parts.id("first"), parts.id(ARCHIVES[life.kind])
    name = f"/releases/{ARCHIVES[life.kind]}/{parts.archive(ARCHIVES[life.kind]).name}"
    for number, moment in enumerate(life.moments):
        say(f"cut {number + 1} of {len(life.moments)} at {moment:.1f} s")
        begun = _given(device, told, name, old)
        _wait(device, begun, moment, lambda: _is_decided(device, new), told)
        _cut(device, begun, moment, told, lambda: doing(device, old, new))
    say("to its end")
    device.on()
    _note_back(told, device.until("the old or the new release", device.well if life.kind == UPDATE else device.answers, BOOT_S))
    device.until("the verdict", device.settled, BAD_S if life.kind == BAD else TRIAL_S)
    device.until("pictures", device.well, BOOT_S)
    if device.state()["current"] not in (old, new):
        raise NotBack(f"neither the old nor the new release runs, but {device.state()['current']!r}")
    often = MANY_STARTS in str((device.state().get("failed") or {}).get("words"))
    again = device("sh", "-c", f"platewatch-deploy update {name} {'--again' if often and life.kind == UPDATE else ''} 2>&1", check=False)
    device.until("the verdict", device.settled, BAD_S)
    device.until("pictures", device.well, BOOT_S)
    stays = old if life.kind == BAD else new
    found = verdict.faults(device, stays, {old} if life.kind == UPDATE else set())
    if life.kind == BAD and REFUSED not in again:
        found.append(f"given again, the bad release is answered {again[-200:]!r}")
    if found:
        raise NotBack("; ".join(found))


def _given(device: Device, told: Told, name: str, old: str) -> float:
    """Power on; where the old one runs and nothing is under way the owner gives the command. When the course began (monotonic)."""
    device.on()
    device.until("the system", device.awake, BOOT_S, 0.2)
    if not device.settled() or device.state().get("current") != old:
        _note_back(told, device.until("the old or the new release", device.answers, BOOT_S))
        return device.since
    _note_back(told, device.until("pictures", device.well, BOOT_S))
    device.order("platewatch-deploy", "update", name)
    return time.monotonic()


def _wait(device: Device, begun: float, moment: float, done: Callable[[], bool], told: Told) -> None:
    """Until the moment, or a little past the end of the work. On the way it is noted when the device answers again after the cut before."""
    ended = 0.0
    while (left := begun + moment - time.monotonic()) > 0:
        if left > 2.0 and told.cuts and told.cuts[-1].back_s is None and device.answers():
            _note_back(told, device.age_s)
        if not ended and done():
            ended = time.monotonic()
        if ended and time.monotonic() - ended > IDLE_S:
            return
        time.sleep(max(0.0, min(begun + moment - time.monotonic(), 0.5)))


def _cut(device: Device, begun: float, moment: float, told: Told, doing: Callable[[], str]) -> None:
    at = time.monotonic() - begun
    device.cut()
    device.card.mount()
    try:
        told.cuts.append(Cut(moment, round(at, 3), doing()))
    finally:
        device.card.unmount()


def _note_back(told: Told, seconds: float) -> None:
    if told.cuts and told.cuts[-1].back_s is None:
        last = told.cuts[-1]
        told.cuts[-1] = Cut(last.drawn_s, last.at_s, last.doing, round(seconds, 1))


def doing(device: Device, old: str, new: str) -> str:
    """What an update was at, by what the cut left on the disk."""
    state = device.state()
    trial = state.get("trial")
    if trial:
        return f"{'going back' if trial.get('failed') else 'on trial'}, {'the new' if state_current(device.root) == new else 'the old'} one is current"
    if state.get("pending"):
        return "the new one stands whole, not yet switched to"
    if (folder := device.root / "opt/platewatch/releases" / new).is_dir():
        if state_current(device.root) == new:
            return "the new one runs and has proved itself"
        return "the new one stands whole" if (folder / "COMPLETE").is_file() else "a half new one"
    if (device.root / "var/lib/platewatch-deploy/spool").exists():
        return "fetching, or looking at what was fetched"
    return "rolled back" if state.get("failed", {}).get("id") == new else "before the first byte"


def state_current(root: Path) -> str:
    """The id to which the link leads."""
    with contextlib.suppress(OSError):
        return (root / "opt/platewatch/current").readlink().name
    return ""


def _is_decided(device: Device, new: str) -> bool:
    """The new release has proved itself, or was taken back."""
    return device.settled() and new in (state_current(device.root), (device.state().get("failed") or {}).get("id"))


def _is_set_up(device: Device) -> Callable[[], bool]:
    def done() -> bool:
        unit = device.root / "etc/systemd/system/platewatch-firstboot.service"
        return device.state().get("firstboot") == "done" and not unit.exists()

    return done


def measure(parts: Parts, card: Card, kind: str, say: Say) -> float:
    """Seconds of a course without a cut. That of the first start leaves the installed card behind, which the others begin with. Raises NotBack."""
    say(f"{kind} without a cut")
    device = Device((parts.bare if kind == FIRST else parts.installed).copy(card.folder), parts.folder / "releases")
    try:
        device.on()
        length = _first_uncut(parts, device) if kind == FIRST else _update_uncut(parts, device, kind)
    finally:
        device.off()
    if kind == FIRST:
        card.copy(parts.installed.folder)
    card.remove()
    return round(length, 1)


def _first_uncut(parts: Parts, device: Device) -> float:
    length = device.until("the end of the first start", _is_set_up(device), FIRST_S)
    check_first(parts, device)
    device.shut_down()
    return length


def _update_uncut(parts: Parts, device: Device, kind: str) -> float:
    device.until("pictures", device.well, BOOT_S)
    begun, name = time.monotonic(), ARCHIVES[kind]
    device("platewatch-deploy", "update", f"/releases/{name}/{parts.archive(name).name}", check=False)
    device.until("the verdict", device.settled, BAD_S)
    length = time.monotonic() - begun
    if state_current(device.root) != parts.id("first" if kind == BAD else name):
        raise NotBack(f"{kind} without a cut: {state_current(device.root)} runs; {device.told()['report']}")
    return length
