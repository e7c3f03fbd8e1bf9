"""What a list lets in beside its own plates, and where two lists contradict each other: values for the command and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.lists.book import PRECEDENCE
from edge.lists.entry import Entry, PlateList
from edge.lists.index import Index
from edge.lists.nearby import Odds, accepted, odds
from edge.plates.automaton import automaton
from edge.plates.choice import Choice

NAMED = 6


@dataclass(frozen=True, slots=True)
class Reach:
    """Of one plate: the nearest other texts that are taken for it, how many there are and how many of those are plates of the countries.

    `others` None: more than can be listed; `plates` None: of no country in particular. `odds` is that a random plate is taken for it.
    """

    plate: str
    nearest: tuple[str, ...]
    others: int | None
    plates: int | None
    odds: Odds


@dataclass(frozen=True, slots=True)
class ListReach:
    """Of a list: its first plates, so many as were asked for, and the odds that a random plate is taken for any of all."""

    plates: tuple[Reach, ...]
    odds: Odds


@dataclass(frozen=True, slots=True)
class Conflict:
    """A plate of `weaker` that an entry of `stronger` also catches, so that it is never heard; `while_due`: their times differ."""

    plate: str
    weaker: PlateList
    rival: str
    stronger: PlateList
    while_due: bool

    def told(self) -> str:
        taken = f"{self.plate} of {self.weaker.name} is caught by {self.rival} of {self.stronger.name}"
        return f"{taken}: {self.stronger.kind} wins over {self.weaker.kind}" + (", while it counts" if self.while_due else "")


def reach_of(plate: str, tolerance: float, wanted: Choice, named: int = NAMED) -> Reach:
    """`named` of the other texts at most."""
    own = odds([plate], tolerance, wanted)
    found = accepted(plate, tolerance)
    if found is None:
        return Reach(plate, (), None, None, own)
    others = [text for _, text in sorted((away, text) for text, away in found.items() if text != plate)]
    plates = sum(map(automaton(wanted.codes).accepts, others)) if wanted.codes else None
    return Reach(plate, tuple(others[:named]), len(others), plates, own)


def reach_of_list(one: PlateList, wanted: Choice, rows: int = 100) -> ListReach:
    """Some hundredths of a second for a short list, about one for thousands of plates."""
    rows_of = tuple(reach_of(entry.plate, one.tolerance, wanted) for entry in one.entries[:rows])
    return ListReach(rows_of, odds([entry.plate for entry in one.entries], one.tolerance, wanted))


def conflicts(lists: Sequence[PlateList]) -> Iterator[Conflict]:
    """All of them, list by list."""
    for other in lists:
        for one in lists:
            if PRECEDENCE[other.kind] >= PRECEDENCE[one.kind]:
                continue
            plates: dict[str, Entry] = {entry.plate: entry for entry in one.entries}
            index = Index(plates, other.tolerance)
            for rival in other.entries:
                for plate in sorted(plate for plate, _ in index.near(rival.plate)):
                    yield Conflict(plate, one, rival.plate, other, rival.schedule != plates[plate].schedule)
