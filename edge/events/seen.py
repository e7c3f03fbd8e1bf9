"""Was this plate here before? The very one, and those that look like it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edge.events.query import find_one
from edge.events.where import close_texts
from edge.store import Store

ALIKE = 0.5
"""By default plates within this lookalike distance count as alike."""
MOST_ALIKE = 20
RECENT = 10
SAYING = (
    "SELECT seq FROM events WHERE text = ?1 "
    "EXCEPT SELECT events.seq FROM labels CROSS JOIN events ON events.id = labels.event WHERE labels.text <> ?1 "
    "UNION SELECT events.seq FROM labels CROSS JOIN events ON events.id = labels.event WHERE labels.text = ?1"
)
"""The events of a plate, as people corrected them."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Another text that may be the same plate."""

    text: str
    distance: float
    times: int
    last: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one plate before a time: how often, first and last (UTC, ISO 8601, '' where never), the ids and times of the last few, and what looks like it."""

    text: str
    times: int
    first: str
    last: str
    recent: tuple[tuple[str, str], ...]
    alike: tuple[Alike, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"recent": [{"id": id, "last_seen": at} for id, at in self.recent]}


def seen_before(store: Store, id: str, within: float = ALIKE) -> Seen | None:
    """Before this event; None where there is no such event. A corrected plate counts by what it was corrected to."""
    found = find_one(store, id)
    return None if found is None else seen(store, found.text, within, before=found.event.last_seen)


def seen(store: Store, text: str, within: float = ALIKE, before: str = "9") -> Seen:
    """A plate's earlier passes, previews not counted. `within` is a lookalike distance, 0 for the very plate alone."""
    if not text:
        return Seen(text, 0, "", "", (), ())
    past = f"FROM events WHERE seq IN ({SAYING}) AND last_seen < ?2 AND NOT preview"
    times, first, last = store.rows(f"SELECT count(*), coalesce(min(last_seen), ''), coalesce(max(last_seen), '') {past}", text, before)[0]
    recent = store.rows(f"SELECT id, last_seen {past} ORDER BY last_seen DESC LIMIT {RECENT}", text, before)
    return Seen(text, times, first, last, tuple((id, at) for id, at in recent), _alike(store, text, within, before))


def _alike(store: Store, text: str, within: float, before: str) -> tuple[Alike, ...]:
    if within <= 0:
        return ()
    found = []
    for other, away in sorted(close_texts(store, text, within).items(), key=lambda item: (item[1], item[0])):
        times, last = store.rows("SELECT count(*), max(last_seen) FROM events WHERE text = ? AND NOT preview AND last_seen < ?", other, before)[0]
        if other != text and times:
            found.append(Alike(other, round(away, 2), times, last))
    return tuple(found[:MOST_ALIKE])
