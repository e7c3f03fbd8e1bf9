"""Characters that are taken for each other, and what it costs to take one for the other: 1 for any two that are not alike.

What they are for: docs/lists.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from edge.vision.alphabet import ALPHABET

ALIKE: Mapping[float, tuple[str, ...]] = {
    0.2: ("0O",),
    0.3: ("1I", "0Q", "OQ"),
    0.4: ("8B", "IT", "DO", "0D", "VY"),
    0.5: ("HM", "CG", "68", "MN", "2Z", "3J", "5S", "IJ", "NW", "VW", "HW", "MW", "0G", "XY", "56", "KX", "1J", "EF", "CO", "PR", "7Z", "6G"),
}
"""Cost -> pairs, as the shipped reader confuses them on drawn plates: `python -m convert lookalikes` (seed 1, 3,868 plates) measures the rate at which
each pair is taken for each other; the cost is log(rate) / log(1/10,000), to one decimal. Pairs of 0.6 and more are left out."""
COSTS: Mapping[frozenset[str], float] = {frozenset(pair): cost for cost, pairs in ALIKE.items() for pair in pairs}
HAIR = 1e-9
"""Sums of costs that are equal on paper differ by less."""
STRANGER = 1.0
"""Costs of any other substitution, of a character too many and of one too few."""
TWINS: Mapping[str, Mapping[str, float]] = {
    char: {other: price for pair, price in COSTS.items() if char in pair for other in pair - {char}} for char in ALPHABET
}
"""Character -> those it is taken for, with their costs."""


def cost(a: str, b: str) -> float:
    """Of reading `b` where `a` stands; the same the other way round, and 0 for the very character."""
    return 0.0 if a == b else TWINS.get(a, _NOBODY).get(b, STRANGER)


@lru_cache(maxsize=4096)
def distance(a: str, b: str) -> float:
    """Weighted Levenshtein distance: substitutions by `cost`, insertions and deletions STRANGER each. Symmetric, and 0 for equal texts alone."""
    row = [STRANGER * j for j in range(len(b) + 1)]
    for left in a:
        diagonal, row[0] = row[0], row[0] + STRANGER
        for j, right in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + STRANGER, row[j - 1] + STRANGER, diagonal + cost(left, right))
    return row[-1]


def family(text: str) -> str:
    """The text with each character as the first of those that it is linked to, one look-alike after another: texts less than STRANGER apart share it."""
    return text.translate(_FAMILIES)


def _families() -> dict[int, str]:
    first: dict[str, str] = {}
    for char in ALPHABET:
        fresh = [] if char in first else [char]
        while fresh:
            one = fresh.pop()
            if one not in first:
                first[one] = char
                fresh += TWINS[one]
    return {ord(char): head for char, head in first.items()}


_NOBODY: Mapping[str, float] = {}
_FAMILIES = _families()


def within(a: str, b: str, most: float) -> float | None:
    """The distance where it is at most `most`, else None: the same as `distance`, but quick to say no."""
    if abs(len(a) - len(b)) * STRANGER > most + HAIR:
        return None
    if len(a) == len(b) and most < 2 * STRANGER:  # a shift costs an insertion and a deletion: too much
        away = 0.0
        for left, right in zip(a, b, strict=True):
            if left != right and (away := away + cost(left, right)) > most + HAIR:
                return None
        return away
    away = distance(a, b)
    return away if away <= most + HAIR else None


def one_look_apart(a: str, b: str, most: float = 0.4) -> bool:
    """Whether two texts are the same but for one character that costs at most `most`: what a reader that wavers makes of one plate."""
    unlike = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
    return len(a) == len(b) and len(unlike) == 1 and cost(*unlike[0]) <= most
