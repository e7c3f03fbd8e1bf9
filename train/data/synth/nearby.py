"""Plates of the countries where a camera stands, more often than their share of the world."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np

from edge.errors import ConfigError
from edge.plates import rules
from train.data.synth.plates import DrawnPlate, PlateArtist


class NearbyArtist(PlateArtist):
    """Draws `shares[code]` of its plates from each country named and the rest from all. Without shares it is a PlateArtist, draw for draw.

    Raises ConfigError for a country that nobody knows and for shares that are more than the whole.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        super().__init__()
        for code in shares:
            check_country(code)
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
            raise ConfigError(f"countries: the shares {dict(shares)} must be 0 or more and together at most 1")
        self._near, self._ends = list(shares), np.cumsum(list(shares.values()))

    def draw(self, rng: np.random.Generator, country: str | None = None) -> DrawnPlate:
        """One plate, of `country` where it is given."""
        if country is None and self._near:
            place = int(np.searchsorted(self._ends, rng.random(), side="right"))
            country = self._near[place] if place < len(self._near) else None
        return super().draw(rng, country)


def check_country(code: str) -> str:
    """The code itself. Raises ConfigError naming the nearest known one."""
    known = rules.countries()
    if code not in known:
        near = difflib.get_close_matches(code.lower(), known, 1)
        raise ConfigError(f"no country {code!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"))
    return code
