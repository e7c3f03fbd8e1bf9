"""What spoils input: bytes overwritten, cut out and doubled; values of the wrong kind; and the sentence that every refusal must be."""

from __future__ import annotations

import copy
import json
import math
import os
import random
from datetime import UTC, date, datetime, time
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from edge.errors import PlatewatchError

BUDGET = int(os.environ.get("PLATEWATCH_FUZZ", "0"))
LONGEST = 400
"""Characters of a sentence that somebody reads."""
SECRET = "Xq7-gEheim-9zW"
"""Stands wherever a password may stand; no message repeats it."""


def cases(few: int) -> settings:
    """`few` in the suite, as many as PLATEWATCH_FUZZ says in a long run."""
    return settings(max_examples=BUDGET or few, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def check_sentence(error: PlatewatchError, *names: str, longest: int = LONGEST) -> None:
    """One line, not too long, names what it is about, and repeats no secret."""
    said = str(error)
    assert said, "nothing said"
    assert said.isprintable(), said
    assert len(said) <= longest, f"{len(said)} characters: {said}"
    assert all(name in said for name in names), said
    assert SECRET not in said, said


@st.composite
def spoilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with up to four injuries: overwritten, put in, cut out, doubled, zeroed, one bit turned, or its end missing."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(1, 16) | st.integers(1, max(1, len(content))))
        match draw(st.sampled_from(("bit", "overwrite", "insert", "cut", "double", "zero", "end"))):
            case "bit" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "overwrite":
                new = draw(st.binary(min_size=1, max_size=16))
                content[place : place + len(new)] = new
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=64))
            case "cut":
                del content[place : place + length]
            case "double":
                content[place:place] = content[place : place + length]
            case "zero":
                content[place : place + length] = bytes(min(length, len(content) - place))
            case "end":
                del content[place:]
    return bytes(content)


def injured(whole: bytes, dice: random.Random) -> bytes:
    """The same by dice, for what is too large to draw byte by byte."""
    content = bytearray(whole)
    for _ in range(dice.choice((1, 1, 2, 5, 40))):
        place, length = dice.randrange(len(content)), dice.choice((1, 16, 512, 4096, 20_000))
        match dice.randrange(6):
            case 0 | 1:
                content[place] ^= 1 << dice.randrange(8)
            case 2:
                content[place : place + length] = dice.randbytes(length)
            case 3:
                content[place : place + length] = bytes(length)
            case 4:
                content[place:place] = content[place : place + length]
            case _:
                del content[max(1, place) : place + (length if dice.random() < 0.7 else len(content))]
    return bytes(content)


DEEP: list[Any] = [[]]
for _ in range(80):
    DEEP = [DEEP]
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.sampled_from(
    [
        "",
        "\0",
        "a\0b",
        "\n\n",
        "\x1b[31m",
        "../../etc",
        "x" * 5000,
        "ü" * 300,
        "\u202eabc",
        "env:",
        "file:",
        "file:\0",
        "mqtt:/",
        "http://",
        "rtsp://",
        "²",
        "٣",
    ]
)
NUMBERS = st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1e308, 5e-324, 10**30, -(10**30), 2**63, -1, 0, 1, 0.5, 1e-9])
PLAIN: st.SearchStrategy[Any] = (
    st.booleans()
    | st.integers()
    | NUMBERS
    | TEXTS
    | st.sampled_from([date(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 1, 1), time(23, 59, 59), DEEP])
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6)
"""Whatever a TOML file may hold."""


@st.composite
def misfit(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """A document with some of its values dropped, of another kind, wrapped up, doubled, or under another name."""
    made: dict[str, Any] = json.loads(json.dumps(whole, default=str))
    for _ in range(draw(st.integers(1, 3))):
        at: Any = made
        while isinstance(at, dict | list) and at:
            key = draw(st.sampled_from(sorted(at)) if isinstance(at, dict) else st.integers(0, len(at) - 1))
            if isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 5)):
                at = at[key]
                continue
            match draw(st.sampled_from(("drop", "retype", "retype", "retype", "wrap", "rename", "add"))):
                case "drop":
                    del at[key]
                case "retype":
                    at[key] = copy.deepcopy(draw(ANYTHING))  # else the next change would be one of the strategy
                case "wrap":
                    at[key] = draw(st.sampled_from([[at[key]], {"x": at[key]}, [[at[key]] * 3]]))
                case "rename" if isinstance(at, dict):
                    at[draw(TEXTS)] = at.pop(key)
                case _:
                    at.update({draw(TEXTS): copy.deepcopy(draw(ANYTHING))}) if isinstance(at, dict) else at.append(copy.deepcopy(draw(ANYTHING)))
            break
    return made


def as_toml(document: dict[str, Any]) -> str:
    """Sections as tables, lists of tables as such, whatever is below them in a line."""
    lines: list[str] = []
    for name, content in document.items():
        if not isinstance(content, dict) and not (isinstance(content, list) and content and all(isinstance(one, dict) for one in content)):
            lines.append(f"{_key(name)} = {_value(content)}")
    for name, content in document.items():
        if isinstance(content, dict):
            lines += [f"[{_key(name)}]", *(f"{_key(key)} = {_value(value)}" for key, value in content.items())]
        elif isinstance(content, list) and content and all(isinstance(one, dict) for one in content):
            for one in content:
                lines += [f"[[{_key(name)}]]", *(f"{_key(key)} = {_value(value)}" for key, value in one.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else _value(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return repr(value).replace("e+", "e")
        case str():
            return json.dumps(value).replace("\x7f", "\\u007f") if value.isascii() else '"' + "".join(map(_char, value)) + '"'
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return "{" + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + "}"
        case date() | time():
            return value.isoformat()
        case None:
            return '""'
        case _:
            return str(value)


def _char(char: str) -> str:
    return f"\\U{ord(char):08x}" if char in '"\\' or not char.isprintable() else char
