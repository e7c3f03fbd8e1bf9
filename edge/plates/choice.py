"""Which countries' plates are expected: what `--country` says."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from edge.errors import ConfigError
from edge.plates.rules import countries

AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """The codes of the countries; `told` when somebody named them, else they are all that are known, or none."""

    codes: tuple[str, ...]
    told: bool


@cache
def everyone() -> tuple[str, ...]:
    """All countries that a plate may be of, regions of a country among them."""
    return tuple(code for code, country in countries().items() if not country.generic)


@cache
def choice(words: str | None) -> Choice:
    """`auto`, `none` (or nothing), or codes with commas between. Raises ConfigError with the mend for a code that is not known."""
    if not words or words == NONE:
        return Choice((), False)
    if words == AUTO:
        return Choice(everyone(), False)
    codes = tuple(dict.fromkeys(word.strip() for word in words.split(",")))
    if AUTO in codes or NONE in codes:
        raise ConfigError(f"country {words}: 'auto' and 'none' stand alone")
    for code in codes:
        if code not in everyone():
            raise ConfigError(f"country {code or words}: not known; {_mend(code)}")
    return Choice(codes, True)


def _mend(code: str) -> str:
    """What may have been meant: a country by its name, or a code that looks alike."""
    names = {countries()[known].name.lower(): known for known in everyone()}
    for name in difflib.get_close_matches(code.lower(), names, n=1, cutoff=0.75):
        return f"did you mean {names[name]!r} ({countries()[names[name]].name})?"
    for near in difflib.get_close_matches(code.lower(), (*everyone(), AUTO, NONE), n=1, cutoff=0.5):
        return f"did you mean {near!r}?"
    return "codes are two small letters such as 'gb', several with commas between, or 'auto' or 'none'"
