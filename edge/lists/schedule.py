"""When an entry counts: dates, and hours of the week. All times are local wall-clock times, so that 07:00 stays 07:00 when the clocks change.

    "Mon-Fri 07:00-18:00"   "Sat 22:00-02:00" (into Sunday)   "Sun"   "07:00-09:30" (every day)

In the hour that comes twice in autumn a time counts both times; of a span that begins in the hour that spring leaves out, what is left counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?)?\s*(?:(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d))?")
EXAMPLE = "such as 'Mon-Fri 07:00-18:00', 'Sat 22:00-02:00' or 'Sun'"


@dataclass(frozen=True, slots=True)
class Span:
    """Hours of some days of the week. `start` and `end` are minutes of the day, 0..1440; an `end` that is not after `start` is on the next day."""

    days: frozenset[int]
    start: int = 0
    end: int = 1440

    def covers(self, local: datetime) -> bool:
        minute, day = 60 * local.hour + local.minute, local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Schedule:
    """From the first day to the last, both included, and at the times of the week; without times, always."""

    first: date | None = None
    last: date | None = None
    spans: tuple[Span, ...] = ()

    def covers(self, moment: datetime, where: tzinfo | None) -> bool:
        """Whether it counts at `moment`, which must know its zone; `where` None is the device's own zone.

        The night after the last day still belongs to it, as far as one of its spans runs on.
        """
        local = moment.astimezone(where)
        if not self.spans:
            return self._dated(local.date())
        for span in self.spans:
            if span.covers(local):
                runs_on = span.start >= span.end and 60 * local.hour + local.minute < span.end and (local.weekday() - 1) % 7 in span.days
                begun = local.date() - timedelta(days=1) if runs_on else local.date()
                if self._dated(begun):
                    return True
        return False

    def _dated(self, day: date) -> bool:
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def parse_span(text: str) -> Span:
    """Raises ValueError, which says how it is written."""
    found = _SPAN.fullmatch(text.strip().lower())
    if not found or not any(found.groupdict().values()):
        raise ValueError(f"{text!r} is no time of the week; write it {EXAMPLE}")
    first, last = found["first"], found["last"] or found["first"]
    for name in (first, last):
        if name is not None and name not in DAYS:
            raise ValueError(f"{name!r} is no day; days are Mon, Tue, Wed, Thu, Fri, Sat, Sun")
    days = frozenset(range(7))
    if first is not None and last is not None:
        a, b = DAYS.index(first), DAYS.index(last)
        days = frozenset((a + step) % 7 for step in range((b - a) % 7 + 1))
    if found["start"] is None:
        return Span(days)
    start, end = _minutes(found["start"]), _minutes(found["end"], last=True)
    if start == end:
        raise ValueError(f"{text!r} begins when it ends; leave the times out for a whole day")
    return Span(days, start, end)


def _minutes(clock: str, last: bool = False) -> int:
    hours, minutes = int(clock[:2]), int(clock[3:])
    if last and (hours, minutes) == (24, 0):
        return 1440
    try:
        time(hours, minutes)
    except ValueError:
        raise ValueError(f"{clock!r} is no time of day; write 00:00 to 23:59" + (" or, as an end, 24:00" if last else "")) from None
    return 60 * hours + minutes


def zone(name: str) -> tzinfo | None:
    """The zone of that name, None (the device's own) for an empty one. Raises ValueError for one that does not exist."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time zone {name!r} is not known; write it like 'Europe/Berlin', or leave it out for that of the device") from None
