"""The formats of one or many countries as one automaton over characters: what may still come after what was read.

A place of a format is a set of alternatives, an alternative a sequence of character classes: `D` is one alternative of one class, an entry of a
list is one of single characters, an open list has one of each length. The automaton is made deterministic as it is walked (the subset
construction, on demand): the union of all countries would be large, and a read visits little of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Self

from edge.plates.rules import Format, Place, countries

Alternatives = tuple[tuple[str, ...], ...]
"""What one place accepts: sequences of character classes; the empty sequence where the place may be left out."""
Item = tuple[int, int, int, int]
"""How far a reading is: format, place, alternative and offset in the alternative; alternative -1 stands before the place."""
DEAD = -1
MOST_STATES = 1000
"""With more it begins anew: each costs 3 to 5 KB, and lettering that is no plate leads to ever new ones."""
_OPEN = re.compile(r"\[([A-Z0-9-]+)\]\{(\d+),(\d+)\}")
_RANGES = {"A-Z": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0-9": "0123456789"}


class Automaton:
    """States are numbers from 0, the start. One instance serves any number of reads, of one thread at a time: it grows as it is walked."""

    def __init__(self, formats: Iterable[Format]) -> None:
        # Formats that differ in their marks alone read the same.
        self._forms = tuple(dict.fromkeys(tuple(alternatives(place) for place in form.places if place.choices) for form in formats))
        self._start = frozenset(item for index in range(len(self._forms)) for item in self._closed((index, 0, -1, 0)))
        self._begin()

    def _begin(self) -> None:
        self._numbers: dict[frozenset[Item], int] = {self._start: 0}
        self._items: list[frozenset[Item]] = [self._start]
        self._steps: dict[tuple[int, str], int] = {}
        self._accepting: list[bool] = [self._ends(self._start)]

    def __len__(self) -> int:
        """How many states there are by now."""
        return len(self._items)

    def bounded(self) -> Self:
        """The same, with the start alone where it had grown too large; states of before mean nothing then."""
        if len(self) > MOST_STATES:
            self._begin()
        return self

    def step(self, state: int, char: str) -> int:
        """The state after `char`, or DEAD where no format goes on like that."""
        key = (state, char)
        if key not in self._steps:
            self._steps[key] = self._walk(state, char)
        return self._steps[key]

    def accepting(self, state: int) -> bool:
        """Whether a whole plate may end here."""
        return self._accepting[state]

    def accepts(self, text: str) -> bool:
        """Whether `text` is a whole plate."""
        state = 0
        for char in text:
            if (state := self.step(state, char)) == DEAD:
                return False
        return self._accepting[state]

    def _walk(self, state: int, char: str) -> int:
        items = frozenset(
            after
            for form, place, alternative, offset in self._items[state]
            if alternative >= 0 and char in self._forms[form][place][alternative][offset]
            for after in self._closed((form, place, alternative, offset + 1))
        )
        if not items:
            return DEAD
        if items not in self._numbers:
            self._numbers[items] = len(self._items)
            self._items.append(items)
            self._accepting.append(self._ends(items))
        return self._numbers[items]

    def _closed(self, item: Item) -> list[Item]:
        """The item, or what it becomes without reading: the alternatives of the next place, and of those after it where it may be left out."""
        form, place, alternative, offset = item
        places = self._forms[form]
        if alternative >= 0 and offset < len(places[place][alternative]):
            return [item]
        place += 1 if alternative >= 0 else 0
        found: list[Item] = []
        while place < len(places):
            found += [(form, place, number, 0) for number, sequence in enumerate(places[place]) if sequence]
            if () not in places[place]:
                return found
            place += 1
        return [*found, (form, len(places), -1, 0)]

    def _ends(self, items: frozenset[Item]) -> bool:
        return any(place == len(self._forms[form]) for form, place, _, _ in items)


def alternatives(place: Place) -> Alternatives:
    """A place's choices; of an open list its shape, which `rules` keeps as a character class with a range of lengths."""
    shape = _OPEN.search(place.regex)
    if shape:
        letters = "".join(_RANGES[part] for part in re.findall("A-Z|0-9", shape[1]))
        sequences: list[tuple[str, ...]] = [(letters,) * length for length in range(int(shape[2]), int(shape[3]) + 1)]
    elif all(len(choice) == 1 for choice in place.choices):
        sequences = [("".join(place.choices),)]
    else:
        sequences = [tuple(choice) for choice in place.choices]
    return (*sequences, ()) if place.optional else tuple(sequences)


def automaton(codes: tuple[str, ...]) -> Automaton:
    """The automaton of these countries together; formats that are no rule are left out. Raises KeyError for a code that is not known.

    To be asked for anew with each read: it is kept small between them.
    """
    return _automaton(codes).bounded()


@cache
def _automaton(codes: tuple[str, ...]) -> Automaton:
    return Automaton(form for code in codes for form in countries()[code].formats if form.rule)
