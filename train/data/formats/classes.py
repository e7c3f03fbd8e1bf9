"""Class names: which class is the plate, which spell a plate's text, which are single characters, and which have nothing to do with plates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from edge.vision.alphabet import ALPHABET, normalise
from train.data.formats.raw import Corners, FormatError, RawPlate

PLATE, TEXT, CHARACTER, OTHER = "plate", "text", "character", "other"
_WORDS = re.compile(
    r"plate|licen[cs]e|number_?board|kennzeichen|nummernschild|matricula|matrícula|placa|targa|plaque|immatric|tablic|nomer|plaka|rendszam|skylt|kilpi|车牌|^lp$|^lpr?$|alpr|anpr"
)
_NO_PLATE = re.compile(r"template|character|char$")
_SAYS_NOTHING = re.compile(r"^(\d+|class[_ -]?\d*|object|item|obj|roi|target|default|unlabel+ed|)$")


def roles(counts: Mapping[str, int], wishes: Sequence[str] = ()) -> dict[str, str]:
    """Each class's role. `counts`: how many objects there are of each; `wishes`: the classes that the user calls plates.

    Raises FormatError when a wish is no class, or when no class can be told to be the plate.
    """
    told = ", ".join(f"{name!r} ({count})" for name, count in Counter(counts).most_common(12))
    if unknown := [name for name in wishes if name not in counts]:
        raise FormatError(f"--plate-class {unknown[0]}: no such class; there are {told or 'none'}")
    found = {name: PLATE if name in wishes else _role(name) for name in counts}
    if sum(role == CHARACTER for role in found.values()) >= 5:  # where letters are classes, digits are no mere numbers of classes
        found |= {name: CHARACTER for name in found if len(name) == 1 and name.isdigit()}
    if wishes:
        found = {name: OTHER if role == PLATE and name not in wishes else role for name, role in found.items()}
    used = [name for name, count in counts.items() if count]
    if used and not any(found[name] in (PLATE, TEXT) for name in used):
        if len(used) == 1 and _SAYS_NOTHING.match(used[0].lower()):
            return found | {used[0]: PLATE}
        raise FormatError(f"none of the classes {told} says that it is a plate; name it with --plate-class")
    return found


def _role(name: str) -> str:
    small = re.sub(r"[\s-]+", "_", name.strip().lower())
    if len(normalise(name)) == 1 and len(name.strip()) == 1 and not name.isdigit():
        return CHARACTER
    if _WORDS.search(small) and not _NO_PLATE.search(small):
        return PLATE
    return TEXT if is_a_text(name) else OTHER


def is_a_text(name: str) -> bool:
    """Whether a class name is really a plate's text, as some exports have it: capitals and digits, both, and long enough."""
    text = normalise(name)
    return name == name.upper() and 5 <= len(text) <= 11 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and _mostly(name, text)


def _mostly(name: str, text: str) -> bool:
    return len(text) >= 0.7 * len(name)


def spell(plate: Corners, characters: Sequence[tuple[str, Corners]]) -> tuple[str, int] | None:
    """The text that boxes of single characters inside `plate` make, and its lines; None where they make none.

    Characters stand on one line while their centres are less than 0.6 of a character's height apart.
    """
    inside = []
    for name, (x0, y0, x1, y1) in characters:
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        if plate[0] <= x <= plate[2] and plate[1] <= y <= plate[3] and name.upper() in ALPHABET:
            inside.append((y, x, abs(y1 - y0), name.upper()))
    if len(inside) < 3:
        return None
    inside.sort()
    step = 0.6 * median(height for _, _, height, _ in inside)
    lines = [[inside[0]]]
    for one in inside[1:]:
        if one[0] - lines[-1][-1][0] > step:
            lines.append([])
        lines[-1].append(one)
    if len(lines) > 2:
        return None
    return "".join(char for line in lines for _, _, _, char in sorted(line, key=lambda one: one[1])), len(lines)


def with_texts(plates: Sequence[RawPlate], characters: Sequence[tuple[str, Corners]]) -> tuple[RawPlate, ...]:
    """Plates that have no text take it from the boxes of characters inside them."""
    if not characters:
        return tuple(plates)
    found = []
    for plate in plates:
        spelt = spell(plate.box, characters) if plate.box and plate.text is None else None
        found.append(RawPlate(plate.box, plate.polygon, plate.ordered, spelt[0], spelt[1], plate.country, plate.extra) if spelt else plate)
    return tuple(found)


def sorted_out(objects: Sequence[tuple[str, RawPlate]], role: Mapping[str, str]) -> tuple[tuple[RawPlate, ...], Counter[str]]:
    """Objects of one picture by class -> its plates with their texts, and how many there are of each class that is no plate."""
    plates, characters, others = [], [], Counter[str]()
    for name, plate in objects:
        if role[name] == PLATE:
            plates.append(plate)
        elif role[name] == TEXT:
            plates.append(RawPlate(plate.box, plate.polygon, plate.ordered, plate.text or name, plate.lines, plate.country, plate.extra))
        elif role[name] == CHARACTER and plate.box:
            characters.append((name, plate.box))
        else:
            others[name] += 1
    return with_texts(plates, characters), others
