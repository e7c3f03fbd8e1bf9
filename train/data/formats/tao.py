"""NVIDIA TAO's LPRNet: plates cut out, one text file each with the text alone; `characters_list.txt` may stand beside them."""

from __future__ import annotations

import re
from pathlib import Path

from train.data.formats.raw import Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, head, read_text

HELP = "TAO LPRNet: plates cut out, labels/NAME.txt with the text alone"
_TEXT = re.compile(r"^[^\W_](?:[^\W_]|[ .·-]){1,15}$")


def recognise(tree: Tree) -> int:
    return tree.estimate(_labels(tree), lambda path: _is_a_text(head(path)))


def read(tree: Tree, wishes: Wishes) -> Imported:
    characters = _characters(tree)
    for path in _labels(tree):
        place = tree.relative(path)
        found = tree.locate([path.stem], path, place)
        if isinstance(found, Remark):
            yield found
            continue
        text = read_text(path).strip()
        if "\n" in text or not text:
            yield Remark("broken label", place, tree.relative(found), "not one line of text")
            continue
        if characters and (foreign := sorted(set(text) - characters)):
            yield Remark("breaks its own rules", place, tree.relative(found), f"{''.join(foreign)!r} is not in characters_list.txt")
        yield RawImage(found, place, (RawPlate(text=text),), crop=True)


def _labels(tree: Tree) -> list[Path]:
    """Text files with a picture of their name: whatever else lies about is no label."""
    return [path for path in tree.files(".txt") if path.name.lower() != "characters_list.txt" and tree.has_picture(path.stem)]


def _is_a_text(words: str) -> bool:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return len(lines) == 1 and bool(_TEXT.match(lines[0]))


def _characters(tree: Tree) -> set[str]:
    return {line.strip() for path in tree.found if path.name.lower() == "characters_list.txt" for line in read_text(path).splitlines() if line.strip()}
