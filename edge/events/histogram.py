"""How many events there were, by the day and by the hour of the day, as the clocks of a place have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from edge.events.wanted import Wanted
from edge.events.where import where
from edge.store import Store

QUARTER = "substr(events.last_seen, 1, 14) || printf('%02d', substr(events.last_seen, 15, 2) / 15 * 15)"
"""All zones of today differ from UTC by whole quarters of an hour."""
HOUR = "substr(events.last_seen, 1, 13)"
MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Histogram:
    """`days` has every day from the first to the last one with an event (of the newest MOST_DAYS), `hours` the 24 hours of the day."""

    days: dict[str, int]
    hours: tuple[int, ...]
    events: int

    def as_json(self) -> dict[str, Any]:
        return {"days": self.days, "hours": list(self.hours), "events": self.events}


def histogram(store: Store, wanted: Wanted, zone: tzinfo | None = None, name: Callable[[str], str] | None = None) -> Histogram:
    """Of the events that are wanted, all pages together; `zone` None is this device's own. Counted by SQLite, so that no event is read."""
    asked = where(store, wanted, name)
    slot = HOUR if zone is not None and _whole_hours(store, zone) else QUARTER
    rows = store.rows(f"SELECT {slot} AS slot, count(*) FROM events {asked.hint} WHERE {asked.sql} GROUP BY slot", *asked.values)
    days, hours = Counter[str](), [0] * 24
    for start, many in rows:
        local = datetime.fromisoformat(f"{start}+00:00" if slot is QUARTER else f"{start}:00+00:00").astimezone(zone)
        days[local.date().isoformat()] += many
        hours[local.hour] += many
    return Histogram(_without_gaps(days), tuple(hours), sum(hours))


def _whole_hours(store: Store, zone: tzinfo) -> bool:
    """Is the zone whole hours away from UTC, in winter and in summer, around the newest event? Hours are fewer than quarters."""
    newest = datetime.fromisoformat(store.newest() or "2026-01-01T00:00:00+00:00")
    offsets = [(newest - timedelta(days=days)).astimezone(zone).utcoffset() for days in range(0, 3650, 61)]
    return all(offset is not None and offset % timedelta(hours=1) == timedelta(0) for offset in offsets)


def _without_gaps(days: Counter[str]) -> dict[str, int]:
    if not days:
        return {}
    last, first = datetime.fromisoformat(max(days)), datetime.fromisoformat(min(days))
    span = min((last - first).days, MOST_DAYS - 1)
    names = [(last - timedelta(days=back)).date().isoformat() for back in range(span, -1, -1)]
    return {one: days.get(one, 0) for one in names}
