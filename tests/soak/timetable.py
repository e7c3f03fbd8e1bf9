"""Who comes when, on a day that was made up: the truth of a soak. Times are seconds since midnight of its first day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["pass", "again", "parked", "illegible", "ignored"]
PER_HOUR = (0, 0, 0, 0, 1, 5, 18, 35, 30, 18, 15, 16, 20, 18, 16, 22, 32, 36, 26, 14, 8, 5, 2, 1)
"""Vehicles by the hour of the day; there is none between midnight and four."""
PASS_S, STANDS_AT_S = 6.5, 4.6
"""How long a vehicle takes to come and go, and when on its way one that parks stands still."""
APART_S = 4.0
REPEAT_S = 45.0
"""The same plate comes again no sooner: before that it would still be the same pass."""
REGULARS = 8
"""So many vehicles come several times a day; the last of them is on the list of those that are ignored, the one before on that of the unwelcome."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One vehicle from when it appears to when it is gone. `vehicle` is the same number for the same plate; `stands_s` is how long it stood."""

    number: int
    vehicle: int
    kind: Kind
    from_s: float
    front: bool
    stands_s: float = 0.0

    @property
    def to_s(self) -> float:
        return self.from_s + PASS_S + self.stands_s

    @property
    def counts(self) -> bool:
        """Whether exactly one event must come of it."""
        return self.kind in ("pass", "again", "parked")

    def on_its_way_s(self, now: float) -> float:
        """How far on its way it is, seconds from 0 to PASS_S; standing does not count."""
        gone = now - self.from_s
        return gone if gone <= STANDS_AT_S else max(STANDS_AT_S, gone - self.stands_s)

    def moves(self, now: float) -> bool:
        return self.from_s <= now <= self.to_s and not STANDS_AT_S < now - self.from_s < STANDS_AT_S + self.stands_s


def timetable(from_s: float, hours: float, seed: int, traffic: float = 1.0) -> list[Visit]:
    """In the order of their coming; all are gone before the end. At most one stands at any time, and the others pass one after the other."""
    rng, visits = np.random.default_rng((seed, 1)), list[Visit]()
    end_s, now, parked_until = from_s + 3600.0 * hours, from_s + 20.0, 0.0
    fresh = REGULARS
    while True:
        rate = max(PER_HOUR[int(now // 3600) % 24] * traffic, 0.02)
        wait_s = float(rng.exponential(3600.0 / rate))
        if int((now + wait_s) // 3600) != int(now // 3600):  # the next hour has a rate of its own
            now = 3600.0 * (now // 3600 + 1)
            if now >= end_s:
                return visits
            continue
        now += wait_s
        kind, stands_s = _kind(rng, visits), 0.0
        if kind == "parked":
            stands_s = float(rng.uniform(60, min(4 * 3600.0, max(120.0, 0.2 * 3600 * hours))))
            kind, stands_s = ("parked", stands_s) if now > parked_until else ("pass", 0.0)
        if now + PASS_S + stands_s + 10 >= end_s:
            if kind != "parked":
                return visits
            kind, stands_s = "pass", 0.0
            if now + PASS_S + 10 >= end_s:
                return visits
        vehicle = _vehicle(rng, kind, visits, now, fresh)
        if vehicle is None:
            kind, vehicle = "pass", fresh
        fresh = max(fresh, vehicle + 1)
        visits.append(Visit(len(visits), vehicle, kind, now, bool(rng.random() < 0.6), stands_s))
        parked_until = max(parked_until, visits[-1].to_s if kind == "parked" else 0.0)
        now += PASS_S + APART_S


def _kind(rng: np.random.Generator, visits: Sequence[Visit]) -> Kind:
    kinds: tuple[Kind, ...] = ("pass", "again", "parked", "illegible", "ignored")
    kind = kinds[int(rng.choice(5, p=[0.62, 0.2, 0.05, 0.1, 0.03]))]
    return "pass" if kind == "again" and not visits else kind


def _vehicle(rng: np.random.Generator, kind: Kind, visits: Sequence[Visit], now: float, fresh: int) -> int | None:
    """Its number; None where nobody who was here could come again by now."""
    if kind == "ignored":
        return REGULARS - 1
    if kind != "again":
        away = _away(visits, now, range(REGULARS - 1)) if kind == "pass" and rng.random() < 0.15 else []
        return away[int(rng.integers(len(away)))] if away else fresh
    known = [visit.vehicle for visit in visits[-30:] if visit.kind in ("pass", "parked")]
    away = _away(visits, now, known)
    return away[int(rng.integers(len(away)))] if away else None


def _away(visits: Sequence[Visit], now: float, vehicles: Sequence[int] | range) -> list[int]:
    """Those of the vehicles that are long enough gone to be a new pass."""
    here = {visit.vehicle for visit in visits if visit.to_s + REPEAT_S > now}
    return [vehicle for vehicle in vehicles if vehicle not in here]
