"""Nomeroff / AUTO.RIA reading sets: `img/NAME.png` and `ann/NAME.json` with the text as `description`; plates cut out."""

from __future__ import annotations

from pathlib import Path

from train.data.formats.coco import json_of
from train.data.formats.raw import FormatError, Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, head

HELP = "Nomeroff / AUTO.RIA: img/NAME.png with ann/NAME.json, plates cut out"


def recognise(tree: Tree) -> int:
    return tree.estimate(tree.files(".json"), _is_one)


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".json"):
        if not _is_one(path):
            continue
        place = tree.relative(path)
        try:
            whole = json_of(path)
            name, text = str(whole.get("name") or path.stem), str(whole["description"]).strip()
            lines = int(whole.get("count_lines") or 0)
        except (AttributeError, FormatError, KeyError, TypeError, ValueError) as error:
            yield Remark("broken label", place, detail=f"{type(error).__name__}: {error}")
            continue
        found = tree.locate([path.stem, name], path, place)
        if isinstance(found, Remark):
            yield found
            continue
        yield RawImage(found, place, (RawPlate(text=text or None, lines=lines if lines in (1, 2) else 0),), crop=True)


def _is_one(path: Path) -> bool:
    start = head(path)
    return start.lstrip().startswith("{") and '"description"' in start and ('"name"' in start or path.parent.name.lower() == "ann")
