"""A country is one TOML file: what its plates may say. Pure functions over the files in `countries/`.

The language of a pattern, read from left to right:

    L  a letter           D  a digit            N  a digit but no nought       A  a letter or a digit
    other capitals        the country's own class, from its table `[sets]` (which may also narrow L)
    {name}                one entry of the country's list `name`
    small letters, 0-9    that very character
    ?                     the place before it may be left out
    space - . * : _ ~     marks that are drawn but not read: gap, dash, dot, crest, two seals, wide gap, Hanzi
    |                     the second line begins

A format with `rule = false` (vanity plates) is drawn by the generator and fits nothing here: it would fit almost everything.
A file with `extends = "us"` takes every key that it does not write itself from `us.toml`.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from edge.errors import ConfigError, plain

COUNTRIES = Path(__file__).parent / "countries"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
CLASSES: Mapping[str, str] = {"L": LETTERS, "D": DIGITS, "N": "123456789", "A": LETTERS + DIGITS}
MARKS = " -.*:_~"
MOST_BASES = 8
_READ = re.compile(r"[A-Z0-9]+")


@dataclass(frozen=True, slots=True)
class Place:
    """One step of a pattern: either one of `choices`, or a `mark` that is drawn and never read.

    `regex` says what a reader accepts there; for an open list that is any text of the same shape.
    """

    choices: tuple[str, ...] = ()
    mark: str = ""
    optional: bool = False
    regex: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """One way in which a country writes its plates, `shortest` to `longest` characters. `drawing` holds the keys that only the generator needs."""

    pattern: str
    places: tuple[Place, ...]
    lines: int
    weight: float
    shortest: int
    longest: int
    breadth: float
    rule: bool
    drawing: Mapping[str, Any]

    def fits(self, text: str) -> bool:
        """Whether `text` (A-Z0-9 only) is a whole plate of this format."""
        return self.shortest <= len(text) <= self.longest and _compiled("".join(place.regex for place in self.places)).fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Country:
    """A country's formats with its own good and bad examples. A generic country fits anything and is never a candidate."""

    code: str
    name: str
    formats: tuple[Format, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    generic: bool
    weight: float
    drawing: Mapping[str, Any]


@cache
def _compiled(regex: str) -> re.Pattern[str]:
    """Most formats are never asked, because their length does not fit: compiling all of them would double the time that it takes to load the countries."""
    return re.compile(regex)


def _shape(entries: tuple[str, ...]) -> str:
    """The character class and length range that every entry of an open list fits."""
    text = "".join(entries)
    kind = ("A-Z" if any(c.isalpha() for c in text) else "") + ("0-9" if any(c.isdigit() for c in text) else "")
    return f"[{kind}]{{{min(map(len, entries))},{max(map(len, entries))}}}"


@cache
def _place(choices: tuple[str, ...] = (), optional: bool = False, mark: str = "", regex: str = "") -> Place:
    """Thousands of places, few of them different: each is there once."""
    return Place(choices=choices, optional=optional, mark=mark, regex=regex)


def _places(pattern: str, sets: Mapping[str, str], lists: Mapping[str, list[str]], open_lists: list[str]) -> Iterator[Place]:
    rest = pattern
    while rest:
        if rest[0] == "{":
            name, _, rest = rest[1:].partition("}")
            choices = tuple(lists[name])
            regex = _shape(choices) if name in open_lists else "(?:" + "|".join(sorted(choices, key=len, reverse=True)) + ")"
        else:
            sign, rest = rest[0], rest[1:]
            if sign == "|" or sign in MARKS:
                yield _place(mark=sign)
                continue
            choices = tuple(sets[sign] if sign in sets else CLASSES[sign] if sign in CLASSES else sign.upper())
            regex = choices[0] if len(choices) == 1 else "[" + "".join(choices) + "]"
        optional = rest.startswith("?")
        rest = rest[1:] if optional else rest
        yield _place(choices=choices, optional=optional, regex=f"(?:{regex})?" if optional else regex)


def _format(table: Mapping[str, Any], country: Mapping[str, Any]) -> Format:
    pattern = str(table["pattern"])
    places = tuple(_places(pattern, country.get("sets", {}), country.get("lists", {}), country.get("open_lists", [])))
    for place in places:
        if not place.mark and not (place.choices and all(map(_READ.fullmatch, place.choices))):
            raise ValueError(f"{pattern[:40]!r} has a place of {', '.join(place.choices)[:40]!r}; plates hold A-Z and 0-9")
    return Format(
        pattern=pattern,
        places=places,
        lines=2 if any(place.mark == "|" for place in places) else 1,
        weight=float(table.get("weight", 1.0)),
        shortest=sum(min(map(len, place.choices)) for place in places if place.choices and not place.optional),
        longest=sum(max(map(len, place.choices)) for place in places if place.choices),
        breadth=sum(math.log(len(place.choices)) for place in places if place.choices),
        rule=bool(table.get("rule", True)),
        drawing={key: value for key, value in table.items() if key not in ("pattern", "weight", "rule")},
    )


@cache
def _base(path: Path) -> dict[str, Any]:
    """What many regions extend is read once, and shared by them."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def parse(text: str, folder: Path = COUNTRIES) -> Country:
    """The country that the TOML `text` describes. Raises ConfigError where it describes none, as for a class or a list that it does not define."""
    try:
        return _country(text, folder)
    except KeyError as error:
        raise ConfigError(f"a country's file: {str(error)[:60]} is used, but not written there") from None
    except (AttributeError, ArithmeticError, IndexError, OSError, RecursionError, TypeError, ValueError) as error:
        raise ConfigError(f"a country's file cannot be used ({plain(str(error), 250)})") from None


def _country(text: str, folder: Path) -> Country:
    table = tomllib.loads(text)
    for _ in range(MOST_BASES):
        if "extends" not in table:
            break
        table = {**_base(folder / f"{table.pop('extends')}.toml"), **table}
    else:
        raise ValueError("it extends itself")
    known = ("code", "name", "formats", "good", "bad", "generic", "weight", "sets", "lists", "open_lists")
    return Country(
        code=table["code"],
        name=table["name"],
        formats=tuple(_format(entry, table) for entry in table.get("formats", [])),
        good=tuple(table.get("good", ())),
        bad=tuple(table.get("bad", ())),
        generic=bool(table.get("generic", False)),
        weight=float(table.get("weight", 1.0)),
        drawing={key: value for key, value in table.items() if key not in known},
    )


@cache
def countries() -> dict[str, Country]:
    """All countries by code, in alphabetical order."""
    return {country.code: country for path in sorted(COUNTRIES.glob("*.toml")) for country in [parse(path.read_text(encoding="utf-8"))]}


def matches(text: str, code: str) -> bool:
    """Whether `text` (A-Z0-9 only) is a whole plate of the country."""
    return any(form.rule and form.fits(text) for form in countries()[code].formats)


def candidates(text: str) -> list[str]:
    """Codes of the countries whose formats fit `text`, the most specific (with the fewest possible plates) first."""
    found = [
        (min(form.breadth for form in fitting), code)
        for code, country in countries().items()
        if not country.generic and (fitting := [form for form in country.formats if form.rule and form.fits(text)])
    ]
    return [code for _, code in sorted(found)]
