"""The catalogue: every sentence of the page in every language, from `catalogue/*.toml`. No Flask in here.

A table that holds `en` is one phrase; its key is the file's name and the tables above it: `[script.lost]` in live.toml is `live.script.lost`.
Where a number matters, a language gives forms: `en = { zero = "none", one = "{count} event", other = "{count} events" }`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from edge.errors import PlatewatchError

LANGUAGES = ("en", "de", "fr", "es")
FORMS = ("zero", "one", "other")
FOLDER = Path(__file__).parent / "catalogue"
GAP = re.compile(r"\{([a-z_]+)\}")
"""Where a value goes."""
Forms = dict[str, str]
"""Form -> sentence. `other` is always there; a phrase without number has it alone."""
Catalogue = dict[str, dict[str, Forms]]
"""Key -> language -> forms."""


class CatalogueError(PlatewatchError, KeyError):
    """A phrase is missing or badly written: a fault of the page, not of who looks at it."""

    __str__ = Exception.__str__  # KeyError would show quotation marks


@cache
def catalogue() -> Catalogue:
    """All files together, checked."""
    found: Catalogue = {}
    for file in sorted(FOLDER.glob("*.toml")):
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(f"{file.name}: {error}") from None
        found |= {key: checked(key, phrase) for key, phrase in phrases(table, file.stem)}
    return found


def phrases(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(key, phrase) of a file."""
    for name, inner in table.items():
        if not isinstance(inner, dict):
            raise CatalogueError(f"{above}.{name}: a phrase is a table with {', '.join(LANGUAGES)}")
        if LANGUAGES[0] in inner:
            yield f"{above}.{name}", inner
        else:
            yield from phrases(inner, f"{above}.{name}")


def checked(key: str, phrase: Mapping[str, Any]) -> dict[str, Forms]:
    """CatalogueError unless it speaks every language, and each says the same gaps."""
    if set(phrase) != set(LANGUAGES):
        odd = set(phrase) ^ set(LANGUAGES)
        raise CatalogueError(f"{key}: {', '.join(sorted(odd))} is missing or unknown; a phrase has {', '.join(LANGUAGES)}")
    found = {language: {"other": said} if isinstance(said, str) else dict(said) for language, said in phrase.items()}
    for language, forms in found.items():
        if "other" not in forms or not set(forms) <= set(FORMS) or not all(forms.values()):
            raise CatalogueError(f"{key}: {language} has the forms {', '.join(forms)}; it needs other, and may have zero and one, none of them empty")
        # `{count}` may be left out where the form says the number in words ("none", "an event").
        if any(gaps(said) - {"count"} != gaps(found["en"]["other"]) - {"count"} for said in forms.values()):
            raise CatalogueError(f"{key}: {language} has other gaps than en: {forms['other']!r}")
        if "count" in gaps(found["en"]["other"]) and "count" not in gaps(forms["other"]):
            raise CatalogueError(f"{key}: {language} says no {{count}}")
    return found


@cache
def gaps(sentence: str) -> frozenset[str]:
    return frozenset(GAP.findall(sentence))


def form(language: str, count: object, forms: Forms) -> str:
    """The sentence for a number: in French nothing is singular too. page.js chooses alike."""
    if isinstance(count, int | float):
        if count == 0 and "zero" in forms:
            return forms["zero"]
        if (count == 1 or (language == "fr" and 0 <= count < 2)) and "one" in forms:
            return forms["one"]
    return forms["other"]


def fill(sentence: str, values: Mapping[str, str], key: str) -> str:
    """CatalogueError names a value that was not handed in."""
    if "{" not in sentence:
        return sentence
    if missing := gaps(sentence) - values.keys():
        raise CatalogueError(f"{key} needs {', '.join(sorted(missing))}")
    return GAP.sub(lambda gap: values[gap[1]], sentence)
