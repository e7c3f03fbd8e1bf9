"""UC3M-LP (Spain): one JSON a picture, `lps[]` with an outline and the boxes of the characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from train.data.formats.classes import is_a_text, spell
from train.data.formats.coco import json_of
from train.data.formats.raw import FormatError, Imported, RawImage, RawPlate, Remark, Wishes, around
from train.data.formats.tree import Tree, head

HELP = "UC3M-LP (Spain): one JSON a picture with lps[], outlines and characters"


def recognise(tree: Tree) -> int:
    return tree.estimate(tree.files(".json"), _is_one)


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".json"):
        if not _is_one(path):
            continue
        place = tree.relative(path)
        found = tree.locate([path.stem], path, place)
        if isinstance(found, Remark):
            yield found
            continue
        try:
            plates = tuple(_plate(one) for one in json_of(path)["lps"])
        except (FormatError, KeyError, TypeError, ValueError) as error:
            yield Remark("broken label", place, tree.relative(found), f"{type(error).__name__}: {error}")
            continue
        yield RawImage(found, place, plates, country="es", negative=not plates)


def _is_one(path: Path) -> bool:
    return '"lps"' in head(path)


def _plate(one: dict[str, Any]) -> RawPlate:
    """The text is the plate's name where that is one, else what its characters spell."""
    points = tuple((float(x), float(y)) for x, y in one["poly_coord"])
    box = (min(x for x, _ in points), min(y for _, y in points), max(x for x, _ in points), max(y for _, y in points))
    characters = []
    for character in one.get("characters") or ():
        x0, y0, x1, y1 = (float(value) for pair in character["bbox_coord"] for value in (pair if isinstance(pair, list) else [pair]))
        corners = (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else around((x0, y0, x1, y1))
        characters.append((str(character["char_id"])[:1], corners))
    spelt = spell(box, characters)
    name = str(one.get("lp_id") or "").strip()
    return RawPlate(box, points, text=name if is_a_text(name) else spelt[0] if spelt else None, lines=spelt[1] if spelt else 0)
