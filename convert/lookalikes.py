"""Which characters the reader takes for each other, on drawn plates through the faults of training, and what that makes them cost in a list.

Mistakes are rare and say little about a pair; so the runners-up count too: of each character that stands there, how much belief the reader gives
to each other one. Cost = log p / log STRANGER_P, so that a pair which is confused once in ten thousand costs 1, and once in a hundred a half.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.model.reader import Reader
from edge.records import PlateRead
from edge.vision.alphabet import ALPHABET

STRANGER_P = 1e-4
LEAST_COST, MOST_COST = 0.2, 0.75
"""No pair is free, for then two plates were one; and what costs more than MOST_COST is no look-alike."""


@dataclass(slots=True)
class Confusions:
    """Belief (36, 36) in each character (columns) where each one stands (rows), summed; and how many plates were used."""

    belief: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((len(ALPHABET), len(ALPHABET))))
    plates: int = 0

    def add(self, truth: str, read: PlateRead) -> None:
        """A read of another length tells nothing about its characters; nor does one that is mostly wrong."""
        if len(read.text) != len(truth) or sum(a != b for a, b in zip(truth, read.text, strict=True)) > 2:
            return
        self.plates += 1
        for place, char in enumerate(truth):
            others = read.alternatives[place] if place < len(read.alternatives) else ()
            for one in (read.characters[place], *others):
                self.belief[ALPHABET.index(char), ALPHABET.index(one.char)] += one.confidence

    def rate(self, a: str, b: str) -> float:
        """How often the two are taken for each other: the mean of both ways."""
        i, j = ALPHABET.index(a), ALPHABET.index(b)
        rows = self.belief.sum(axis=1)
        ways = [self.belief[x, y] / rows[x] for x, y in ((i, j), (j, i)) if rows[x] > 0]
        return float(np.mean(ways)) if ways else 0.0

    def pairs(self) -> list[tuple[str, str, float, float]]:
        """(a, b, rate, cost) of the look-alikes, the cheapest first."""
        found = [(a, b, self.rate(a, b)) for a, b in combinations(ALPHABET, 2)]
        priced = [(a, b, rate, cost_of(rate)) for a, b, rate in found]
        return sorted((row for row in priced if row[3] <= MOST_COST), key=lambda row: (-row[2], row[0], row[1]))


def cost_of(rate: float) -> float:
    """0.2 for what is confused most, 1 for what is confused once in ten thousand or less."""
    return 1.0 if rate <= STRANGER_P else max(LEAST_COST, round(math.log(rate) / math.log(STRANGER_P), 2))


def confuse(reader: Reader, plates: int, seed: int, progress: Callable[[Iterable[int]], Iterable[int]] = iter) -> Confusions:
    """Draw so many plates of all countries, spoil them, read them."""
    from train.data import augment
    from train.data.synth.plates import PlateArtist
    from train.data.synth.wear import photograph

    artist, found = PlateArtist(), Confusions()
    size: Any = (reader.manifest.height, reader.manifest.width)
    for index in progress(range(plates)):
        rng = np.random.default_rng((seed, index))
        plate = artist.draw(rng)
        picture = augment.photograph(rng, photograph(rng, plate, size), least=0.3, most_blur=4.0)
        found.add(plate.text, reader.read_input(picture))
    return found
