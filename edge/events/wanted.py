"""Which events are meant, and the words for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from edge.errors import ConfigError
from edge.lists.entry import spelt
from edge.status import utc_iso

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
NO_LIST = "none"
LABELS = ("any", "corrected", "confirmed", "not a plate", "none")
DIRECTIONS = ("approaching", "leaving", "left", "right", "unknown")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`plate` is a plate, or a pattern with `*` (any characters) and `?` (one); `fuzzy` accepts texts within that lookalike distance of a plate.

    `since` and `until` are UTC, ISO 8601; an event is dated by when it was last seen. `list` "none" means the plates of no list. `below` is a
    confidence (0: any). `label` is one of LABELS. `before` is the `seq` of the last event already seen (0: from the newest on).
    """

    plate: str = ""
    fuzzy: float = 0.0
    since: str = ""
    until: str = ""
    camera: str = ""
    list: str = ""
    limit: int = -1
    country: str = ""
    direction: str = ""
    below: float = 0.0
    label: str = ""
    before: int = 0

    @property
    def filters(self) -> bool:
        """Is anything but a plate and a place in the list asked for?"""
        return bool(self.since or self.until or self.camera or self.list or self.country or self.direction or self.below or self.label)

    @property
    def everything(self) -> bool:
        return not (self.plate or self.filters)


def plate_of(words: str, fuzzy: float) -> str:
    """A plate or pattern as the store spells it; raises ConfigError."""
    pattern = bool(set(words) & set("*?"))
    if pattern and fuzzy:
        raise ConfigError(f"--plate {words}: a pattern has no distance; leave out --fuzzy, or the * and ?")
    if pattern:
        kept = "".join(char for char in words.upper() if char in "*?" or (char.isascii() and char.isalnum()))
        if not kept.strip("*?"):
            raise ConfigError(f"--plate {words}: names no character; leave --plate out for all plates")
        return kept
    try:
        return spelt(words)
    except ValueError as error:
        raise ConfigError(f"--plate: {error}") from None


def zone_of(words: str, option: str = "--zone") -> tzinfo | None:
    """A time zone by its name, "Europe/Berlin"; None, this device's own, for ''. Raises ConfigError."""
    if not words:
        return None
    try:
        return ZoneInfo(words)
    except (OSError, ValueError, LookupError):
        raise ConfigError(f"{option} {words[:40]}: is no time zone known here; write Europe/Berlin, or UTC") from None


def moment(words: str, option: str, zone: tzinfo | None = None) -> str:
    """UTC, ISO 8601, of a date or a time of a zone (None: this device's); raises ConfigError."""
    try:
        found = datetime.fromisoformat(words)
        return utc_iso((found.replace(tzinfo=zone) if found.tzinfo is None and zone else found).astimezone(UTC))
    except (ValueError, OverflowError):
        raise ConfigError(f"{option} {words}: is no time; write 2026-11-22, or 2026-11-22T21:05") from None


def day(words: str, option: str, zone: tzinfo | None = None) -> tuple[str, str]:
    """From and to, UTC, ISO 8601, of a day of a zone: it may have 23 or 25 hours. Raises ConfigError."""
    try:
        first = date.fromisoformat(words)
        following = first + timedelta(days=1)
        ends = [datetime.combine(one, time.min, zone).astimezone(UTC) for one in (first, following)]
    except (ValueError, OverflowError):
        raise ConfigError(f"{option} {words}: is no day; write 2026-11-22") from None
    return utc_iso(ends[0]), utc_iso(ends[1])


def ago(words: str, now: datetime) -> str:
    """UTC, ISO 8601, of "30min", "24h", "7d" before now; raises ConfigError."""
    found = re.fullmatch(r"(\d{1,6})\s*(s|min|h|d|w)", words.strip())
    if found is None:
        raise ConfigError(f"--last {words}: is no span of time; write 30min, 24h, 7d or 2w")
    try:
        return utc_iso(now - timedelta(seconds=int(found[1]) * UNITS[found[2]]))
    except OverflowError:
        raise ConfigError(f"--last {words}: is longer than time") from None
