"""What a listed plate also accepts, and how likely a random plate is to be taken for it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edge.plates.choice import Choice
from edge.plates.guess import STRAY, log_prior
from edge.plates.lookalike import HAIR, STRANGER, cost, distance, within
from edge.plates.rules import countries
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
    """{text: distance} of all texts within the tolerance, the plate itself among them; None when they are more than `most`.

    Texts grow edit by edit, the cheapest first. That finds every one of them: an edit of one place never makes another dearer.
    """
    found = {plate: 0.0}
    fresh = [plate]
    while fresh:
        grown = set[str]()
        for text in fresh:
            left = tolerance - found[text] + HAIR
            for place, char in enumerate(text):
                grown.update(text[:place] + other + text[place + 1 :] for other in ALPHABET if other != char and cost(char, other) <= left)
                if left >= STRANGER:
                    grown.add(text[:place] + text[place + 1 :])
            if left >= STRANGER:
                grown.update(text[:place] + other + text[place:] for place in range(len(text) + 1) for other in ALPHABET)
            if len(found) + len(grown) > 2 * most:
                return None
        fresh = []
        for text in grown - found.keys():
            away = distance(plate, text)
            if away <= tolerance + HAIR:
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
    dice = random.Random(seed)
    known, hits = set(plates), 0
    for text in (_random_plate(dice, wanted) for _ in range(DRAWS)):
        # Distance is the same both ways: few texts are near the drawn one, while the list may be long.
        near = accepted(text, tolerance) if tolerance < STRANGER else None
        hits += not known.isdisjoint(near) if near is not None else any(within(plate, text, tolerance) is not None for plate in plates)
    return Odds(hits / DRAWS, hits, DRAWS)


def _random_plate(dice: random.Random, wanted: Choice) -> str:
    if not wanted.codes:
        return "".join(dice.choices(ALPHABET, k=7))
    known = [countries()[code] for code in wanted.codes]
    country = _pick(dice, known, [one.weight for one in known])
    form = _pick(dice, country.formats, [one.weight for one in country.formats])
    text = "".join(dice.choice(place.choices) for place in form.places if place.choices and not (place.optional and dice.random() < 0.5))
    return "".join(dice.choices(ALPHABET, k=len(text))) if dice.random() < STRAY else text


def _pick(dice: random.Random, things: Sequence[T], weights: Iterable[float]) -> T:
    return dice.choices(things, weights=list(weights))[0]
