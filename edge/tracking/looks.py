"""What became of a single look at a plate, for counting: finer than the reasons of a whole pass, which may get over many a bad look."""

from __future__ import annotations

from edge.records import Sighting
from edge.tracking.reasons import Reason

UNREAD: tuple[Reason, ...] = ("excluded", "too small", "low detection")
"""Flaws that are known before the reader is asked, and spare it the work."""
LOOKS = ("text", "nothing", "no vote: blurred", *(f"not read: {flaw}" for flaw in UNREAD))


def became(look: Sighting, flaw: Reason | None) -> str:
    """One of LOOKS."""
    if flaw in UNREAD:
        return f"not read: {flaw}"
    if not look.read.text:
        return "nothing"
    return "text" if flaw is None else f"no vote: {flaw}"
