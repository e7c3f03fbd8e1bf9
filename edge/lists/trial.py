"""Trying a text on the lists: whom it is taken for now, who else is near, and why one of them does not count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.lists.book import Book, is_due
from edge.lists.entry import Entry, PlateList
from edge.plates.lookalike import HAIR, STRANGER, within
from edge.records import Match


@dataclass(frozen=True, slots=True)
class Near:
    """An entry not far from the text. `within`: no farther than its list's tolerance; `due`: its dates and times count now."""

    list: PlateList
    entry: Entry
    distance: float
    within: bool
    due: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """`match` is what the daemon would make of it; `near` the nearest first."""

    text: str
    match: Match | None
    near: tuple[Near, ...]


def attempt(lists: Sequence[PlateList], text: str, at: datetime, most: int = 8) -> Trial:
    """`text` is spelt as the reader spells, `at` knows its zone. What is one stranger beyond its list's tolerance is still near."""
    found = []
    for one in lists:
        for entry in one.entries:
            if (away := within(entry.plate, text, one.tolerance + STRANGER)) is not None:
                found.append(Near(one, entry, round(away, 3), away <= one.tolerance + HAIR, is_due(one, entry, at)))
    found.sort(key=lambda near: (not near.within, near.distance, near.list.name, near.entry.plate))
    return Trial(text, Book(lists).match(text, at), tuple(found[:most]))
