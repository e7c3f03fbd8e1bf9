"""What the serial line tells: a log of the kernel and of systemd, with colours and carriage returns."""

from __future__ import annotations

import re

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\x00-\x08\x0b-\x1f\x7f]")
ENDS = re.compile(r"Kernel panic - not syncing: .*|You are in emergency mode.*|platewatch-emulate: the card's root is missing")
"""After these nothing comes any more."""
STEP = re.compile(r"(\d) of 6: ([^\n]*)")


def plain(text: str) -> str:
    """Without colours and control characters; a carriage return ends a line."""
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def last(text: str) -> str:
    """The last line that says something, '' where none does."""
    return next((" ".join(line.split()) for line in reversed(plain(text[-4000:]).splitlines()) if line.strip()), "")


def trouble(text: str) -> str:
    """The line after which nothing will come, '' as long as there is hope."""
    found = ENDS.search(plain(text[-20000:]))
    return found[0].strip() if found else ""


def steps(text: str) -> list[int]:
    """Of the first start, as the log on the boot partition numbers them, in the order in which they came."""
    return [int(found[1]) for found in STEP.finditer(plain(text))]
