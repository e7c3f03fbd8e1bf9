"""Which plates of a long list are near a text, without comparing it with each of them.

Texts that are at most k strangers apart (a character that looks like no other, one too many, one too few) leave the same rest when the right k
characters are taken out of both, once each character stands for its whole family of look-alikes. So each plate is filed under all its rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edge.plates.lookalike import HAIR, STRANGER, family, within


class Index:
    """Plates, looked up by what is at most `reach` away from them. With a reach below STRANGER a plate is filed once, with one below 2 once a character."""

    def __init__(self, plates: Iterable[str], reach: float) -> None:
        self._plates, self.reach = tuple(dict.fromkeys(plates)), reach
        self._gaps = int((reach + HAIR) // STRANGER)
        self._filed: dict[str, list[int]] = {}
        for number, plate in enumerate(self._plates):
            for rest in rests(family(plate), self._gaps):
                self._filed.setdefault(rest, []).append(number)

    def near(self, text: str) -> Iterator[tuple[str, float]]:
        """(plate, distance) of all within reach, in the order in which they were given."""
        numbers = set[int]()
        for rest in rests(family(text), self._gaps):
            numbers.update(self._filed.get(rest, ()))
        for number in sorted(numbers):
            if (away := within(self._plates[number], text, self.reach)) is not None:
                yield self._plates[number], away

    def has_near(self, text: str) -> bool:
        """Whether there is any; stops at the first."""
        return next(self.near(text), None) is not None


def rests(text: str, gaps: int) -> set[str]:
    """What is left of a text when at most so many characters are taken out; the text itself among them."""
    found = {text}
    fresh = found
    for _ in range(gaps):
        fresh = {one[:place] + one[place + 1 :] for one in fresh for place in range(len(one))}
        found = found | fresh
    return found
