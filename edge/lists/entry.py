"""One known plate."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import tzinfo

from edge.lists.schedule import Schedule
from edge.lists.settings import Kind
from edge.vision.alphabet import ALPHABET

ALWAYS = Schedule()
_TWINS = str.maketrans("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSABEZHIKMNOPTYX")
"""Cyrillic and Greek capitals that plates share with the Latin alphabet, as the reader spells them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A plate as its list has it. `plate` is spelt as the reader spells, A-Z and 0-9 alone; `line` is its line in the file."""

    plate: str
    label: str = ""
    group: str = ""
    note: str = ""
    schedule: Schedule = ALWAYS
    line: int = 0


@dataclass(frozen=True, slots=True)
class PlateList:
    """One file's plates. `where` None is the device's own time zone."""

    name: str
    kind: Kind
    entries: tuple[Entry, ...]
    tolerance: float = 0.5
    where: tzinfo | None = None


def spelt(plate: str) -> str:
    """A plate as people write it, "B-Ü 12 34", in the reader's characters, "BU1234". Raises ValueError where nothing or too much is left."""
    plain = unicodedata.normalize("NFKD", plate.upper().translate(_TWINS))
    text = "".join(char for char in plain if char in ALPHABET)
    foreign = [char for char in plain if char.isalnum() and char not in ALPHABET]
    if foreign:
        raise ValueError(f"plate {plate!r} holds {foreign[0]!r}, which the reader does not know; write the Latin letters and digits alone")
    if not 2 <= len(text) <= 14:
        raise ValueError(f"plate {plate!r} has {len(text)} characters; a plate has 2 to 14")
    return text
