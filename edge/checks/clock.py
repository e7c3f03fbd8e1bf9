"""The clock: a Pi has no battery for it, and an event is worth no more than its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge.checks.outcome import Device, Outcome
from edge.firmware import ask

BUILT = 2025
"""An earlier year is a clock that was never set."""
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")


def check_clock(_: Device, *, wall: Callable[[], datetime] = lambda: datetime.now(UTC), ask: Callable[..., str | None] = ask) -> Outcome:
    now = wall()
    if now.year < BUILT:
        return Outcome("bad", f"the clock says {now:%Y-%m-%d}: events would be dated wrongly", "connect it to a network, then: sudo timedatectl set-ntp true")
    said = ask("timedatectl", "show", "--property=NTPSynchronized", "--value")
    shown = f"{now.astimezone():%Y-%m-%d %H:%M} {time.tzname[time.localtime().tm_isdst > 0]}"
    if said == "yes" or SYNCHRONISED.exists():
        return Outcome("good", f"{shown}, synchronised")
    if said == "no":
        mend = "connect it to a network (sudo timedatectl set-ntp true), or give it a clock with a battery"
        return Outcome("note", f"{shown}, not synchronised: after a power cut it may be wrong", mend)
    return Outcome("good", f"{shown}; this machine does not tell whether it is synchronised")
