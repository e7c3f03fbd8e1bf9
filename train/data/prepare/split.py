"""Train, validation, test: what belongs together never stands on two sides."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from train.data.formats.raw import FormatError

SIDES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Split:
    """`side` of each sample, an index of SIDES; `groups`: places of the samples of each group, the largest first."""

    side: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]

    def counts(self) -> tuple[int, int, int]:
        found = Counter(self.side)
        return found[0], found[1], found[2]


def parse(words: str) -> tuple[float, float, float]:
    """`80/10/10`, `90/10` or `100` -> shares that sum to 1. Raises FormatError."""
    try:
        shares = [float(word) for word in words.split("/")]
    except ValueError:
        shares = []
    if not 1 <= len(shares) <= 3 or any(not 0 <= share <= 100 for share in shares) or abs(sum(shares) - 100) > 1e-6:
        raise FormatError(f"--split {words}: percentages of train, validation and test that sum to 100, like 80/10/10, 90/10 or 100")
    shares += [0.0] * (3 - len(shares))
    return shares[0] / 100, shares[1] / 100, shares[2] / 100


def split(ties: Sequence[Iterable[str]], pairs: Iterable[tuple[int, int]], strata: Sequence[str], shares: tuple[float, float, float], seed: int) -> Split:
    """Groups are what is connected by common ties or by pairs; each goes whole to one side.

    The largest group first, and among equals by a hash of the seed and of what is in it, each goes where most is lacking, every stratum (a source)
    weighed for itself. So the order of the samples does not matter, and where groups are small the shares come out as asked.
    """
    names = [tuple(sorted(own)) for own in ties]
    groups = [tuple(group) for group in connected(names, pairs)]

    def order(group: tuple[int, ...]) -> tuple[int, bytes]:
        told = "\n".join(sorted(name for place in group for name in names[place]))
        return -len(group), hashlib.sha256(f"{seed}\n{told}".encode()).digest()

    totals = Counter(strata)
    have: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    side = [0] * len(names)
    groups.sort(key=order)
    for group in groups:
        parts = Counter(strata[place] for place in group)

        def excess(one: int, parts: Counter[str] = parts) -> float:
            """How much worse the squared error against the shares becomes, by stratum."""
            return sum(count * (2 * (have[name][one] - shares[one] * totals[name]) + count) / totals[name] for name, count in parts.items())

        best = min((one for one in range(3) if shares[one] > 0), key=lambda one: (excess(one), -shares[one]))
        for place in group:
            side[place] = best
        for name, count in parts.items():
            have[name][best] += count
    return Split(tuple(side), tuple(groups))


def connected(ties: Sequence[Sequence[str]], pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Groups of places joined by a common tie or by a pair, each sorted (union-find)."""
    parent = list(range(len(ties)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[str, int] = {}
    for place, names in enumerate(ties):
        for name in names:
            parent[root(place)] = root(first.setdefault(name, place))
    for a, b in pairs:
        parent[root(a)] = root(b)
    groups = defaultdict(list)
    for place in range(len(ties)):
        groups[root(place)].append(place)
    return list(groups.values())
