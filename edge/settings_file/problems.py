"""What is wrong with a config, a sentence for each key, and one for what concerns several."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from edge.config import MOST_SAID, Config, line_of, sections, shown
from edge.errors import plain


@dataclass(frozen=True, slots=True)
class Problem:
    """`name` is `section.key`, `targets[1].key`, the section alone where several keys do not fit together, or '' for the file as a whole."""

    name: str
    sentence: str
    line: int | None = None


def problems_of(text: str, error: ValidationError) -> Iterator[Problem]:
    """In the order of the file's sections."""
    for one in error.errors():
        parts = [str(part) for part in one["loc"]]
        name = _name(parts)
        line = line_of(text, parts) if parts else None
        yield Problem(name, plain(_sentence(parts, name, one["type"], one["msg"], one["input"]), MOST_SAID), line)


def _name(parts: list[str]) -> str:
    if len(parts) > 1 and parts[1].isdecimal() and parts[0] == "targets":
        return f"targets[{parts[1]}]" + (f".{parts[2]}" if len(parts) > 2 else "")
    return ".".join(parts[:2])


def _sentence(parts: list[str], name: str, kind: str, message: str, value: object) -> str:
    if kind == "extra_forbidden":
        known = list(Config.model_fields) if len(parts) == 1 else list(sections()[parts[0]].model_fields)
        near = difflib.get_close_matches(parts[-1], known, n=1, cutoff=0.5)
        return f"unknown key {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}")
    if kind == "missing":
        return f"{name.rpartition('.')[0] or name} needs a {parts[-1]!r}"
    said = message.removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    if kind == "value_error":
        return said
    return f"{name} {said}, but is {shown(parts, value)}"
