"""What a listed plate also accepts, and how likely a random plate is to be taken for it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Generic, TypeVar

from edge.lists.index import Index
from edge.plates.choice import Choice
from edge.plates.guess import STRAY, log_prior
from edge.plates.lookalike import HAIR, STRANGER, TWINS, within
from edge.plates.rules import Format, countries
from edge.vision.alphabet import ALPHABET

T = TypeVar("T")
MOST_TEXTS = 20_000
"""Of a list that accepts more texts than this the odds are drawn, not counted."""
DRAWS = 30_000


@dataclass(frozen=True, slots=True)
class Odds:
    """Probability that a random plate is accepted. `hits` of `draws` where it was drawn; both 0 where every accepted text was counted."""

    p: float
    hits: int = 0
    draws: int = 0

    def told(self) -> str:
        if self.draws and not self.hits:  # the rule of three: what was not seen in n draws is rarer than 3 / n, at 95 %
            return f"fewer than 1 in {self.draws // 3:,} (none of {self.draws:,} drawn plates)"
        if self.p <= 0.0:
            return "none at all"
        way = f"{self.hits} of {self.draws:,} drawn plates" if self.draws else "counted"
        return f"1 in {1 / self.p:,.0f} ({way})"


def accepted(plate: str, tolerance: float, most: int = MOST_TEXTS) -> dict[str, float] | None:
    """{text: distance} of all texts within the tolerance, the plate itself among them; None when they are more than `most`."""
    return _alike(plate, tolerance, most) if tolerance + HAIR < STRANGER else _grown(plate, tolerance, most)


def _alike(plate: str, tolerance: float, most: int) -> dict[str, float] | None:
    """Where no stranger has a place: each character as it is or as one of its look-alikes, from left to right."""
    found = {"": 0.0}
    for char in plate:
        fresh = {start + char: away for start, away in found.items()}
        for other, price in TWINS.get(char, {}).items():
            fresh |= {start + other: away + price for start, away in found.items() if away + price <= tolerance + HAIR}
        found = fresh
        if len(found) > most:
            return None
    return found


def _grown(plate: str, tolerance: float, most: int) -> dict[str, float] | None:
    """Texts grow edit by edit, the cheapest first. That finds every one of them: an edit of one place never makes another dearer."""
    found = {plate: 0.0}
    fresh = [plate]
    while fresh:
        grown = set[str]()
        for text in fresh:
            left = tolerance - found[text] + HAIR
            for place, char in enumerate(text):
                others = ALPHABET if left >= STRANGER else [other for other, price in TWINS.get(char, {}).items() if price <= left]
                grown.update(text[:place] + other + text[place + 1 :] for other in others if other != char)
                if left >= STRANGER:
                    grown.add(text[:place] + text[place + 1 :])
            if left >= STRANGER:
                grown.update(text[:place] + other + text[place:] for place in range(len(text) + 1) for other in ALPHABET)
            if len(found) + len(grown) > 2 * most:
                return None
        fresh = []
        for text in grown - found.keys():
            away = within(plate, text, tolerance)
            if away is not None:
                found[text] = away
                fresh.append(text)
        if len(found) > most:
            return None
    return found


def odds(plates: Sequence[str], tolerance: float, wanted: Choice, seed: int = 0) -> Odds:
    """Of a random plate of the countries that are wanted: counted where the accepted texts are few, else drawn.

    A random plate is one of the formats of its country by their weights, each text of a format as likely as the others, or, one in twenty, any
    characters at all; it is taken to be read rightly. A random plate of no country is any seven characters.
    """
    texts = set[str]()
    for plate in plates:
        near = accepted(plate, tolerance)
        if near is None or len(texts) + len(near) > MOST_TEXTS:
            return _drawn(plates, tolerance, wanted, seed)
        texts |= near.keys()
    return Odds(math.fsum(chance(text, wanted) for text in texts))


def chance(text: str, wanted: Choice) -> float:
    """P(a random plate is exactly this)."""
    if not wanted.codes:
        return float(len(ALPHABET)) ** -7 if len(text) == 7 else 0.0
    return math.exp(log_prior(text, wanted.codes))


def _drawn(plates: Sequence[str], tolerance: float, wanted: Choice, seed: int) -> Odds:
    index = Index(plates, tolerance)
    hits = sum(index.has_near(text) for text in random_plates(wanted, seed, DRAWS))
    return Odds(hits / DRAWS, hits, DRAWS)


@lru_cache(maxsize=2)
def random_plates(wanted: Choice, seed: int, count: int) -> tuple[str, ...]:
    """So many random plates, the same for the same seed."""
    dice = random.Random(seed)
    if not wanted.codes:
        return tuple("".join(dice.choices(ALPHABET, k=7)) for _ in range(count))
    known = [countries()[code] for code in wanted.codes]
    nations = Urn(known, tuple(accumulate(one.weight for one in known)))
    forms = {one.code: Urn(one.formats, tuple(accumulate(form.weight for form in one.formats))) for one in known}
    return tuple(_random_plate(dice, forms[nations.draw(dice).code].draw(dice)) for _ in range(count))


def _random_plate(dice: random.Random, form: Format) -> str:
    text = "".join(dice.choice(place.choices) for place in form.places if place.choices and not (place.optional and dice.random() < 0.5))
    return "".join(dice.choices(ALPHABET, k=len(text))) if dice.random() < STRAY else text


@dataclass(frozen=True, slots=True)
class Urn(Generic[T]):
    """Things, and their weights added up one by one."""

    things: Sequence[T]
    sums: Sequence[float]

    def draw(self, dice: random.Random) -> T:
        return dice.choices(self.things, cum_weights=self.sums)[0]
