"""TOML as people and broken cards write it: what the parser chokes on is an error of the text, as any other."""

from __future__ import annotations

import re
import tomllib
from typing import Any

WORDS = 120
"""Characters of the parser's own words that are repeated."""


def loads(text: str) -> dict[str, Any]:
    """As `tomllib.loads`; raises TOMLDecodeError also for nesting too deep, and for numbers too long, to be read."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("Nested too deeply") from None
    except (ValueError, OverflowError):
        raise tomllib.TOMLDecodeError("A number is too long") from None


def complaint(error: tomllib.TOMLDecodeError, last: int = 0) -> tuple[int, str]:
    """The line, `last` where the parser means the end of the text, and its words without the line."""
    found = re.search(r"at line (\d+)", str(error))
    return (int(found[1]) if found else last), str(error).split(" (at")[0][:WORDS]
