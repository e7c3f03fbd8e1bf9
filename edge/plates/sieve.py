"""Of hundreds of formats those that may write a text at all, by its length and by the character at each place: a few lookups instead of hundreds of tries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from edge.plates.automaton import Alternatives


class Sieve:
    """Lets every format through that fits a text, and few of the others. Sets of formats are the bits of an int."""

    def __init__(self, forms: Iterable[Sequence[Alternatives]]) -> None:
        self._long: dict[int, int] = defaultdict(int)
        self._at: dict[tuple[int, str], int] = defaultdict(int)
        for number, places in enumerate(forms):
            self._add(1 << number, places)

    def _add(self, bit: int, places: Sequence[Alternatives]) -> None:
        offsets = {0}
        for place in places:
            for sequence in place:
                for step, kind in enumerate(sequence):
                    for offset in offsets:
                        for char in kind:
                            self._at[offset + step, char] |= bit
            offsets = {offset + len(sequence) for offset in offsets for sequence in place}
        for offset in offsets:
            self._long[offset] |= bit

    def passing(self, text: str) -> Iterator[int]:
        """Their numbers, in the order in which they were given."""
        left = self._long.get(len(text), 0)
        for place in enumerate(text):
            left &= self._at.get(place, 0)
        while left:
            lowest = left & -left
            yield lowest.bit_length() - 1
            left ^= lowest
