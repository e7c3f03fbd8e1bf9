"""How many events there are, of whom, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from edge.events.histogram import histogram
from edge.events.wanted import NO_LIST, Wanted
from edge.events.where import where
from edge.store import Store


def figures(store: Store, wanted: Wanted, zone: tzinfo | None = None, name: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Counts, ready for JSON; days and hours are those of a zone (None: this device's). Nothing is counted that is not asked for."""
    asked = where(store, wanted, name)
    found = f"FROM events {asked.hint} WHERE {asked.sql}"
    texts = f"SELECT count(DISTINCT text) FROM events WHERE seq IN (SELECT events.seq {found})" if wanted.filters or wanted.plate else _ALL_TEXTS
    (oldest, newest), spread = store.rows(f"SELECT min(last_seen), max(last_seen) {found}", *asked.values)[0], histogram(store, wanted, zone, name)

    def by(column: str) -> dict[str, int]:
        rows = store.rows(f"SELECT events.{column}, count(*) AS n {found} GROUP BY 1 ORDER BY n DESC, 1", *asked.values)
        return {str(value): many for value, many in rows}

    return {
        "events": spread.events,
        "plates": store.rows(texts, *(asked.values if texts is not _ALL_TEXTS else ()))[0][0],
        "oldest": oldest,
        "newest": newest,
        "cameras": by("camera"),
        "lists": {value or NO_LIST: many for value, many in by("list").items()},
        "days": {one: many for one, many in spread.days.items() if many},
        "hours": {hour: many for hour, many in enumerate(spread.hours) if many},
    }


_ALL_TEXTS = "SELECT count(DISTINCT text) FROM events WHERE NOT preview"
