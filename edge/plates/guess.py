"""How much a text looks like a plate of a country, and which country a text is likely of.

P(text | country) is a mixture over the country's formats by their weights; within a format every text is equally likely, so a format that fits
everything gives little to each text and proves nothing. Beside the formats stands the stray plate, any characters at all: trailers, old plates, what
no file describes. Vanity formats (`rule = false`) count here, though no text is ruled by them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from edge.plates.automaton import Alternatives, alternatives
from edge.plates.choice import Choice
from edge.plates.rules import Format, countries, matches
from edge.plates.sieve import Sieve
from edge.vision.alphabet import ALPHABET

STRAY = 0.05
"""Share of plates that fit no format of their country: between none (br) and a third (us, mostly vanity plates) of the development photographs."""
SURE = 0.95
"""A country is named when its share of the posterior reaches this: on the photographs one name in fifty is then wrong."""


Headed = tuple[int, Mapping[str | None, tuple[tuple[str, ...], ...]]]
"""How many alternatives a place has, and which of them may begin with a character; under None those that are empty."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing that formats of several countries may write, and P(country and format) of each of those countries."""

    form: Format
    places: tuple[Alternatives, ...]
    owners: Mapping[str, float]
    headed: tuple[Headed, ...]


def share(text: str, places: Iterable[Alternatives]) -> float:
    """P(text | format): each alternative of a place is as likely as the others, and so is each character of a class."""
    return _share(text, [_headed(place) for place in places])


@cache  # hundreds of formats share a few dozen places
def _headed(place: Alternatives) -> Headed:
    found: dict[str | None, list[tuple[str, ...]]] = defaultdict(list)
    for sequence in place:
        for char in dict.fromkeys(sequence[0]) if sequence else (None,):
            found[char].append(sequence)
    return len(place), {char: tuple(sequences) for char, sequences in found.items()}


def _share(text: str, places: Iterable[Headed]) -> float:
    ways = {0: 1.0}
    for size, headed in places:
        grown: dict[int, float] = defaultdict(float)
        for at, p in ways.items():
            for sequence in (*(headed.get(text[at], ()) if at < len(text) else ()), *headed.get(None, ())):
                chars = text[at : at + len(sequence)]
                if len(chars) == len(sequence) and all(char in kind for char, kind in zip(chars, sequence, strict=True)):
                    grown[at + len(sequence)] += p / size / math.prod(map(len, sequence))
        ways = grown
    return ways.get(len(text), 0.0)


def log_prior(text: str, codes: tuple[str, ...]) -> float:
    """log P(text) of a plate of one of `codes`, strays included."""
    return math.log(STRAY * _stray(text) + (1 - STRAY) * sum(_joint(text, codes).values()))


def posterior(text: str, codes: tuple[str, ...]) -> dict[str, float]:
    """P(country | text) of those that have a format for it, "" for a stray plate; adds to 1."""
    found = {"": STRAY * _stray(text)} | {code: (1 - STRAY) * p for code, p in _joint(text, codes).items()}
    total = sum(found.values())
    return {code: p / total for code, p in found.items()}


def name(text: str, wanted: Choice) -> tuple[str | None, bool]:
    """The country, or region of one, that most likely wrote the text, and whether that is sure; None where it fits no rule.

    Of a single country that somebody named nothing has to be guessed. Where nobody named any, a country's regions count for it.
    """
    shares = {code: p for code, p in posterior(text, wanted.codes).items() if code and matches(text, code)}
    if not shares:
        return None, False
    likeliest = max(shares, key=lambda code: shares[code])
    family = sum(p for code, p in shares.items() if code == likeliest or (not wanted.told and code[:2] == likeliest[:2]))
    return likeliest, family >= SURE or len(wanted.codes) == 1


def format_of(text: str, code: str) -> Format | None:
    """The country's format that most likely wrote the text; None where it fits no rule."""
    fitting = [form for form in countries()[code].formats if form.rule and form.fits(text)]
    return max(fitting, key=lambda form: form.weight * share(text, _places(form)), default=None)


def _stray(text: str) -> float:
    return float(len(ALPHABET)) ** -len(text)


def _places(form: Format) -> tuple[Alternatives, ...]:
    return tuple(alternatives(place) for place in form.places if place.choices)


@cache
def _shapes(codes: tuple[str, ...]) -> tuple[Shape, ...]:
    """The formats of `codes`, those that differ in their marks alone as one."""
    forms: dict[tuple[Alternatives, ...], Format] = {}
    owners: dict[tuple[Alternatives, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    everybody = sum(countries()[code].weight for code in codes)
    for code in codes:
        country = countries()[code]
        whole = sum(form.weight for form in country.formats)
        for form in country.formats:
            places = _places(form)
            forms[places] = form
            owners[places][code] += country.weight / everybody * form.weight / whole
    return tuple(Shape(form, places, dict(owners[places]), tuple(map(_headed, places))) for places, form in forms.items())


@cache
def _sieve(codes: tuple[str, ...]) -> Sieve:
    return Sieve(shape.places for shape in _shapes(codes))


@lru_cache(maxsize=4096)
def _joint(text: str, codes: tuple[str, ...]) -> dict[str, float]:
    """P(country and text) of the countries that have a format for the text."""
    found: dict[str, float] = defaultdict(float)
    shapes = _shapes(codes)
    for shape in (shapes[number] for number in _sieve(codes).passing(text)):
        if shape.form.fits(text):
            p = _share(text, shape.headed)
            for code, owned in shape.owners.items():
                found[code] += owned * p
    return dict(found)
