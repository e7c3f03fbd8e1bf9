"""PaddleOCR reading sets: `train.txt`, one line a picture: path, tab, text; plates cut out."""

from __future__ import annotations

import re
from pathlib import Path

from train.data.formats.raw import Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, head, read_text

HELP = "PaddleOCR: a .txt of `path<TAB>text` lines, plates cut out"
_LINE = re.compile(r"^(?P<path>[^\t]+\.(?:jpe?g|png|bmp|webp|tiff?))\t(?P<text>[^\t]*)$", re.IGNORECASE)


def recognise(tree: Tree) -> int:
    return sum(len(read_text(path).splitlines()) for path in tree.files(".txt") if _is_one(path))


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".txt"):
        if not _is_one(path):
            continue
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            place = f"{tree.relative(path)}:{number}"
            found = _LINE.match(line.strip("\r\n"))
            if not found:
                if line.strip():
                    yield Remark("broken label", place, detail="not `path<TAB>text`")
                continue
            picture = tree.locate([found["path"]], path, place)
            yield picture if isinstance(picture, Remark) else RawImage(picture, place, (RawPlate(text=found["text"].strip() or None),), crop=True)


def _is_one(path: Path) -> bool:
    """Its first line is; a JSON list behind the tab is PaddleOCR's other format, of boxes."""
    first = next((line for line in head(path).splitlines() if line.strip()), "")
    found = _LINE.match(first)
    return found is not None and not found["text"].lstrip().startswith("[")
