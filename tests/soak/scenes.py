"""What may be shown to the daemon: a day at a drive, or an hour without plates. Each is a sequence of moments with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from edge.records import Luma
from tests.soak.street import Street
from tests.soak.tally import seconds, tally
from tests.soak.timetable import REGULARS, Visit, timetable

BUSY_FPS, STANDING_FPS, EMPTY_FPS = 7.0, 1.5, 0.5
"""Frames a second while something moves, while a vehicle stands, and while there is none."""


@dataclass(frozen=True, slots=True)
class Moment:
    """`at_s` is seconds since midnight of the first day."""

    at_s: float
    luma: Luma


class Scenes(Protocol):
    """`allow`, `deny` and `ignore` are what stands on the lists."""

    allow: list[str]
    deny: list[str]
    ignore: list[str]

    def moments(self) -> Iterator[Moment]: ...

    def truth(self, events: list[dict[str, Any]], midnight_s: float, until_s: float) -> dict[str, Any]:
        """The figures of what was told (final events) about what was shown before `until_s`."""
        ...


class Day:
    """Traffic at a drive."""

    def __init__(self, from_h: float, hours: float, seed: int, traffic: float = 1.0) -> None:
        self._from_s, self._end_s = 3600.0 * from_h, 3600.0 * (from_h + hours)
        self.street, self.visits = Street(seed), timetable(3600.0 * from_h, hours, seed, traffic)
        regulars = [self.street.text_of(number) for number in range(REGULARS)]
        self.allow, self.deny, self.ignore = regulars[:-2], regulars[-2:-1], regulars[-1:]

    def moments(self) -> Iterator[Moment]:
        now, first, visits = self._from_s, 0, self.visits
        while now < self._end_s:
            while first < len(visits) and visits[first].to_s < now:
                first += 1
            # One that stands may be overtaken by hours of others.
            here = [visit for visit in visits[first : first + 200] if visit.from_s <= now <= visit.to_s]
            yield Moment(now, self.street.at(now, here))
            coming = next((visit.from_s for visit in visits[first : first + 200] if visit.from_s > now), self._end_s)
            step_s = 1 / (BUSY_FPS if any(visit.moves(now) for visit in here) else STANDING_FPS if here else EMPTY_FPS)
            now = min(now + step_s, max(coming, now + 1 / BUSY_FPS))

    def truth(self, events: list[dict[str, Any]], midnight_s: float, until_s: float) -> dict[str, Any]:
        shown = [visit for visit in self.visits if visit.to_s < until_s]
        going_on = {self.street.text_of(visit.vehicle): visit.from_s for visit in self.visits if visit.from_s < until_s <= visit.to_s}
        # Whether those that are still there give one event is not known yet.
        over = [event for event in events if seconds(event["last_seen"], midnight_s) < going_on.get(event["text"], float("inf"))]
        told = tally(over, shown, self.street.text_of, midnight_s).as_json()
        return {"visits": len(shown), "kinds": _by_kind(shown), "hours_stood": round(sum(visit.stands_s for visit in shown) / 3600, 2)} | told


def _by_kind(visits: list[Visit]) -> dict[str, int]:
    kinds = [visit.kind for visit in visits]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
