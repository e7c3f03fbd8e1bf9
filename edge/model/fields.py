"""Checks of the values in a manifest, each a function that says what is wrong with one, or nothing.

By hand and not by pydantic, which the configuration uses: it would take a fifth of the memory of a process that only reads plates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any], str]
"""A value -> what it must be, or "" for a good one."""
MOST_DEPTH = 8


def word(value: Any) -> str:
    """Goes into logs and sentences, so it stays on one line."""
    good = isinstance(value, str) and len(value) <= 200 and not re.search(r"[\x00-\x1f\x7f]", value)
    return "" if good else "must be a text of one line, at most 200 characters"


def text(value: Any) -> str:
    """Any text that can be written as UTF-8."""
    return "" if isinstance(value, str) and not re.search("[\ud800-\udfff]", value) else "must be a text"


def exactly(wanted: Any) -> Check:
    """This value and no other; True is no 1."""
    return lambda value: "" if type(value) is type(wanted) and value == wanted else f"must be {wanted!r}"


def one_of(*wanted: str) -> Check:
    """One of several words."""
    return lambda value: "" if isinstance(value, str) and value in wanted else f"must be {' or '.join(wanted)}"


def digest(value: Any) -> str:
    """SHA-256 in hexadecimal."""
    return "" if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) else "must be a SHA-256 of 64 hexadecimal digits"


def maybe(check: Check) -> Check:
    """null is good too."""
    return lambda value: "" if value is None else check(value)


def whole(low: int, high: int) -> Check:
    """An integer from `low` to `high`."""

    def check(value: Any) -> str:
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return "" if good else f"must be a whole number from {low} to {high}"

    return check


def number(low: float, high: float, ends: bool = True) -> Check:
    """A finite number from `low` to `high`; without `ends` neither of the two."""

    def check(value: Any) -> str:
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and (low <= value <= high if ends else low < value < high)
        return "" if good and math.isfinite(value) else f"must be a number {'from' if ends else 'between'} {low:g} {'to' if ends else 'and'} {high:g}"

    return check


def numbers(*checks: Check) -> Check:
    """A list with one value for each check; the first that is wrong is named by its place."""

    def check(value: Any) -> str:
        if not isinstance(value, (list, tuple)) or len(value) != len(checks):
            return f"must be a list of {len(checks)} numbers"
        return next((f".{place}: {said}" for place, (one, entry) in enumerate(zip(checks, value, strict=True)) if (said := one(entry))), "")

    return check


def table(value: Any, depth: int = 0) -> str:
    """Anything JSON can say, under keys, nested a few levels deep, without NaN and infinities."""
    if depth > MOST_DEPTH:
        return f"must not be nested deeper than {MOST_DEPTH} levels"
    if depth == 0 and not isinstance(value, dict):
        return "must be a table of keys and values"
    if isinstance(value, dict):
        if said := next((said for key in value if (said := text(key))), ""):
            return said
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return next((said for entry in value if (said := table(entry, depth + 1))), "")
    if isinstance(value, float):
        return "" if math.isfinite(value) else "must not hold NaN or infinities"
    return text(value) if isinstance(value, str) else ""


def tables(checks: Mapping[str, Check]) -> Check:
    """A list of tables, each with exactly these keys."""

    def check(value: Any) -> str:
        if not isinstance(value, (list, tuple)):
            return "must be a list"
        for place, entry in enumerate(value):
            if not isinstance(entry, dict) or set(entry) != set(checks):
                return f".{place}: must be a table with {', '.join(checks)}"
            if said := first(entry, checks):
                return f".{place}.{said}"
        return ""

    return check


def first(values: Mapping[str, Any], checks: Mapping[str, Check], needed: Sequence[str] = ()) -> str:
    """The first thing that is wrong, the key before it; "" where all is well."""
    for key in needed:
        if key not in values:
            return f"{key}: is missing"
    for key, value in values.items():
        if key not in checks:
            return f"{key[:80] if key.isprintable() else repr(key)[:80]}: a key that this version does not know"
        if said := checks[key](value):
            return f"{key}{said}" if said.startswith(".") else f"{key}: {said}"
    return ""
