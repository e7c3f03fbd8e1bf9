"""Does the release on trial work? A pure verdict on what was seen of the daemon and the page, so that its tests need neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EVERY_S = 2.0
WATCH_S = 60.0
"""So long everything must be well without a break."""
LIMIT_S = 300.0
"""And that must have come about by then; a Pi that just started needs a minute to get going."""
STALL_S = 15.0
"""No new picture, or no word of the daemon, for so long is a standstill."""
MOST_STARTS = 5
"""A daemon that begins anew so often will not settle."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at the device."""

    at: float
    """Seconds, monotonic."""
    pid: int = 0
    """The daemon's, 0 where none runs."""
    spoke: str = ""
    """Its own time of its last word; only compared with itself."""
    version: str = ""
    state: str = ""
    detail: str = ""
    frames: int = 0
    models: bool = False
    """Detector and reader are loaded, and neither was refused."""
    page: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of a release on trial. What was not there before the update either is not asked for."""

    version: str
    frames: bool = True
    page: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    good: bool
    words: str


def judge(sights: Sequence[Sight], wanted: Wanted) -> Verdict | None:
    """None while it is too early to tell; `sights` are all since the start, in order."""
    if not sights:
        return None
    starts = _starts(sights)
    if starts > MOST_STARTS:
        return Verdict(False, f"the daemon began anew {starts} times ({_why(sights, wanted)})")
    well = len(sights)
    while well and sights[well - 1].pid == sights[-1].pid and not trouble(sights[:well], wanted):
        well -= 1
    if well < len(sights) and sights[-1].at - sights[well].at >= WATCH_S:
        return Verdict(True, f"{WATCH_S:.0f} seconds without a fault, {sights[-1].frames - sights[well].frames} pictures")
    if sights[-1].at - sights[0].at >= LIMIT_S:
        return Verdict(False, _why(sights, wanted))
    return None


def trouble(sights: Sequence[Sight], wanted: Wanted) -> str:
    """What is wrong at the last of these sights; '' for nothing."""
    last = sights[-1]
    if not last.pid:
        return "the daemon does not run"
    if _since_change(sights, "spoke") >= STALL_S:
        return "the daemon says nothing any more"
    if last.version != wanted.version:
        return f"the daemon that runs is {last.version or 'unknown'}, not {wanted.version}"
    if last.state == "safe mode":
        return f"the daemon is in safe mode: {last.detail or 'it cannot use the configuration'}"
    if not last.models:
        return "the models are not loaded"
    if wanted.page and not last.page:
        return "the page does not answer"
    if wanted.frames and (not last.frames or _since_change(sights, "frames") >= STALL_S):
        return f"the camera gives no pictures ({last.detail or last.state or 'no word why'})"
    return ""


def _since_change(sights: Sequence[Sight], field: str) -> float:
    """Seconds for which a field of the same daemon has stood still."""
    last = sights[-1]
    since = last.at
    for sight in reversed(sights):
        if sight.pid != last.pid or getattr(sight, field) != getattr(last, field):
            break
        since = sight.at
    return last.at - since


def _starts(sights: Sequence[Sight]) -> int:
    pids = [sight.pid for sight in sights if sight.pid]
    return sum(one != other for one, other in zip([0, *pids], pids, strict=False))


def _why(sights: Sequence[Sight], wanted: Wanted) -> str:
    """The newest trouble; a daemon that comes and goes may be well at this very moment."""
    for index in range(len(sights), 0, -1):
        if words := trouble(sights[:index], wanted):
            return words
    return "it was never well for long enough"
