"""What was told against what was there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from edge.plates.text import edit_distance
from tests.soak.timetable import Visit

SLACK_S = 3.0
"""An event's times may lie so far outside the visit."""


@dataclass(slots=True)
class Tally:
    """`per_visit` counts, of the visits that must give one event, how many gave none, one, two...; `wrong_text` of those with one how many misread."""

    per_visit: Counter[int] = field(default_factory=Counter)
    wrong_text: int = 0
    of_silent: Counter[str] = field(default_factory=Counter)
    """Events of visits that should give none, by their kind."""
    of_nobody: int = 0
    strangers: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "visits_by_events": {str(number): count for number, count in sorted(self.per_visit.items())},
            "wrong_text": self.wrong_text,
            "events_of_visits_without_one": dict(self.of_silent),
            "events_of_nobody": self.of_nobody,
            "strangers": self.strangers,
            "missed": self.missed,
            "doubled": self.doubled,
        }


def seconds(moment: str, midnight_s: float) -> float:
    """Seconds since midnight of the first day, of an ISO time."""
    return datetime.fromisoformat(moment).timestamp() - midnight_s


def finals(bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Final events, each once: a target may be told twice."""
    return list({body["id"]: body for body in bodies if not body["preview"]}.values())


def tally(events: Sequence[dict[str, Any]], visits: Sequence[Visit], text_of: Callable[[int], str], midnight_s: float) -> Tally:
    """Each event belongs to the visit that was there and whose plate is nearest to what it says."""
    found: dict[int, list[str]] = {visit.number: [] for visit in visits}
    made = Tally()
    for event in events:
        first, last = (seconds(event[key], midnight_s) for key in ("first_seen", "last_seen"))
        there = [visit for visit in visits if first <= visit.to_s + SLACK_S and last >= visit.from_s - SLACK_S]
        if not there:
            made.of_nobody += 1
            made.strangers.append(f"{event['text']} at {first / 3600:.3f} h, found with {event['detection_score']}")
            continue
        visit = min(there, key=lambda visit: (edit_distance(text_of(visit.vehicle), event["text"]), visit.number))
        found[visit.number].append(event["text"])
    for visit in visits:
        said = found[visit.number]
        if not visit.counts:
            made.of_silent[visit.kind] += len(said)
            continue
        made.per_visit[len(said)] += 1
        made.wrong_text += len(said) == 1 and said[0] != text_of(visit.vehicle)
        if len(said) != 1:
            (made.doubled if said else made.missed).append(f"{visit.kind} {text_of(visit.vehicle)} at {visit.from_s / 3600:.3f} h: {', '.join(said)}")
    return made
