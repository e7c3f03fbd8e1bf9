"""Which lives there are, at which moments their power is cut, and what came of it. Pure: a seed and a number give the same life each time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FIRST, UPDATE, BAD = "first start", "update", "bad update"
KINDS = (FIRST, UPDATE, FIRST, UPDATE, FIRST, BAD)
"""Of the lives 0, 1, 2, ... and then from the beginning."""
MOST_CUTS = {FIRST: 3, UPDATE: 3, BAD: 2}
PAST = 1.1
"""Moments are drawn over the whole course and a little past its end."""
WATCHED_S = {FIRST: 60.0, UPDATE: 60.0, BAD: 300.0}
"""Of each course so long is nothing but looking at the new release; what is done before and after is short, and there more cuts are wanted."""
WINDOWS = ("whole", "whole", "before", "before", "end")


@dataclass(frozen=True, slots=True)
class Life:
    """One device from its card to its end. `moments`: seconds from a power-on, or from the command, to the cut."""

    number: int
    kind: str
    moments: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """One pulled plug, and how the device came back from it."""

    drawn_s: float
    """The moment as it was drawn."""
    at_s: float
    """As it was cut; earlier where the work was done by then."""
    doing: str
    """What the device was at, by what was on its disk afterwards."""
    back_s: float | None = None
    """From the next power-on to something that answers, page and pictures of a release or the first start's own page; None where the next cut came before."""


@dataclass(slots=True)
class Told:
    """What became of a life. `wrong` is empty where the device came back as it has to be."""

    number: int
    kind: str
    cuts: list[Cut] = field(default_factory=list)
    wrong: str = ""
    card: str = ""
    """Where the card of a device that did not come back lies."""
    took_s: float = 0.0
    """The last course, from power-on or command to its good end."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Told:
        """Raises KeyError, TypeError for another form."""
        return cls(**{**plain, "cuts": [Cut(**cut) for cut in plain["cuts"]]})


def life(seed: int, number: int, lengths: Mapping[str, float], kind: str = "") -> Life:
    """`lengths`: seconds of each kind's course when nothing is cut. `kind` in the place of the one that comes by turns."""
    kind = kind or KINDS[number % len(KINDS)]
    dice = random.Random(f"{seed} {number} {kind}")
    many = dice.randint(1, MOST_CUTS[kind])
    return Life(number, kind, tuple(round(dice.uniform(*window(dice.choice(WINDOWS), kind, lengths[kind])), 3) for _ in range(many)))


def window(name: str, kind: str, length: float) -> tuple[float, float]:
    """Seconds between which a moment is drawn: in two of five draws the whole course, in two what comes before the watch, in one what comes after."""
    return {"whole": (0.0, PAST * length), "before": (0.0, max(1.0, length - WATCHED_S[kind])), "end": (max(0.0, length - 5.0), length + 2.0)}[name]


def summary(told: Sequence[Told]) -> str:
    """One line: lives and cuts of each kind, the slowest return, how many did not come back."""
    parts = []
    for kind in (FIRST, UPDATE, BAD):
        of = [one for one in told if one.kind == kind]
        if of:
            parts.append(f"{kind}: {len(of)} lives, {sum(len(one.cuts) for one in of)} cuts")
    lost = [one for one in told if one.wrong]
    backs = [cut.back_s for one in told for cut in one.cuts if cut.back_s is not None]
    slowest = f"; the slowest answered {max(backs):.0f} s after power-on" if backs else ""
    verdict = f"{len(lost)} did not come back: {', '.join(f'life {one.number}' for one in lost)}" if lost else "every one came back"
    return f"{sum(len(one.cuts) for one in told)} power cuts in {len(told)} lives ({'; '.join(parts) or 'none'}): {verdict}{slowest}."


def spread(told: Sequence[Told], lengths: Mapping[str, float], kind: str, parts: int = 10) -> list[int]:
    """How many cuts fell into each tenth of the course; the last also holds those past its end."""
    counts = [0] * parts
    for one in told:
        for cut in one.cuts if one.kind == kind else ():
            counts[min(parts - 1, int(parts * cut.at_s / lengths[kind]))] += 1
    return counts
