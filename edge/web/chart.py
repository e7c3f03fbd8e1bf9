"""Days and hours as bars that lead to what they count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from edge.errors import ConfigError
from edge.events.histogram import histogram
from edge.events.wanted import Wanted, day, moment, zone_of
from edge.store import Store

DAYS = 31
Name = Callable[[str], str] | None


@dataclass(frozen=True, slots=True)
class Bar:
    """`height` in percent of the highest; `start` and `end` are what the filters `from` and `to` take, on the zone's clocks."""

    label: str
    count: int
    height: float
    start: str
    end: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """`day` is the day whose hours are shown, '' where they are those of all days (and lead nowhere)."""

    days: tuple[Bar, ...]
    hours: tuple[Bar, ...]
    day: str

    @property
    def most(self) -> int:
        return max((bar.count for bar in self.days), default=0)

    @property
    def busiest_hour(self) -> int:
        return max((bar.count for bar in self.hours), default=0)


def zone_named(name: str) -> tzinfo | None:
    """None, the device's own, for a name that nobody knows."""
    try:
        return zone_of(name)
    except ConfigError:
        return None


def chart(store: Store, wanted: Wanted, arguments: Mapping[str, str], zone: tzinfo | None, now: datetime, name: Name = None) -> Chart:
    """The newest days, or those around what is asked for, whose other filters hold; the hours of the day that is asked for, else of those days."""
    chosen, hour = focus(arguments)
    last = (now.astimezone(zone)).date()
    if chosen and (last - date.fromisoformat(chosen)).days >= DAYS:
        last = date.fromisoformat(chosen) + timedelta(days=DAYS // 2)
    names = [(last - timedelta(days=back)).isoformat() for back in range(DAYS - 1, -1, -1)]
    span = replace(wanted, since=moment(names[0], "from", zone), until=day(names[-1], "day", zone)[1])
    by_day = histogram(store, span, zone, name)
    hours: Sequence[int] = by_day.hours
    if chosen:
        since, until = day(chosen, "day", zone)
        hours = histogram(store, replace(wanted, since=since, until=until), zone, name).hours
    top, peak = max((by_day.days.get(one, 0) for one in names), default=0), max(hours)
    days = tuple(Bar(one, by_day.days.get(one, 0), _height(by_day.days.get(one, 0), top), one, _later(one, days=1), one == chosen) for one in names)
    return Chart(days, tuple(_hour(chosen, at, many, peak, hour) for at, many in enumerate(hours)), chosen)


def focus(arguments: Mapping[str, str]) -> tuple[str, int | None]:
    """The day, and the hour of it, that the time filters mean; '' where they mean more than a day or nothing."""
    one, since, until = (arguments.get(key, "") for key in ("day", "from", "to"))
    try:
        if one:
            return date.fromisoformat(one).isoformat(), None
        start, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
        length = end - start
        if not timedelta(0) < length <= timedelta(days=1) or (start.date() != (end - timedelta(seconds=1)).date()):
            return "", None
        return start.date().isoformat(), start.hour if length == timedelta(hours=1) and not start.minute else None
    except (ValueError, TypeError, OverflowError):
        return "", None


def _hour(chosen: str, at: int, many: int, peak: int, hour: int | None) -> Bar:
    start = f"{chosen}T{at:02}:00" if chosen else ""
    return Bar(f"{at:02}", many, _height(many, peak), start, _later(start, hours=1) if start else "", at == hour)


def _later(start: str, **span: int) -> str:
    moved = datetime.fromisoformat(start) + timedelta(**span)
    return moved.date().isoformat() if "T" not in start else moved.strftime("%Y-%m-%dT%H:%M")


def _height(many: int, most: int) -> float:
    """A bar that counts something is always seen."""
    return round(max(4.0, 100 * many / most), 1) if many else 0.0
