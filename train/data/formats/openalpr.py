"""OpenALPR end-to-end benchmark: a text file a picture, `file x y width height text`, by tabs."""

from __future__ import annotations

import re
from collections import defaultdict

from train.data.formats.raw import Imported, RawImage, RawPlate, Remark, Wishes, around
from train.data.formats.tree import Tree, head, read_text

HELP = "OpenALPR end-to-end: one .txt a picture, `file x y width height text` by tabs, one line a plate"
_LINE = re.compile(r"^(?P<file>.+?)[\t ]+(?P<box>-?\d+(?:\.\d+)?(?:[\t ]+-?\d+(?:\.\d+)?){3})(?:[\t ]+(?P<text>.*))?$")
COUNTRIES = {"us": "us", "br": "br"}
"""Folders of the benchmark that hold one country."""


def recognise(tree: Tree) -> int:
    return tree.estimate(tree.files(".txt"), lambda path: _names_a_picture(head(path)))


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".txt"):
        text = read_text(path)
        place = tree.relative(path)
        if not _names_a_picture(text):
            if tree.has_picture(path.stem):
                yield Remark("broken label", place, detail="not `file x y width height text`")
            continue
        plates = defaultdict(list)
        for number, line in enumerate(text.splitlines(), start=1):
            found = _LINE.match(line.strip())
            if found:
                x, y, width, height = map(float, found["box"].split())
                plates[found["file"]].append(RawPlate(around((x, y, width, height)), text=(found["text"] or "").strip() or None))
            elif line.strip():
                yield Remark("broken label", f"{place}:{number}", detail="not `file x y width height text`")
        for name, found_plates in plates.items():
            picture = tree.locate([name, path.stem], path, place)
            if isinstance(picture, Remark):
                yield picture
            else:
                yield RawImage(picture, place, tuple(found_plates), country=COUNTRIES.get(picture.parent.name.lower()))


def _names_a_picture(text: str) -> bool:
    found = _LINE.match(next((line.strip() for line in text.splitlines() if line.strip()), ""))
    return bool(found and re.search(r"\.(jpe?g|png|bmp|webp|tiff?)$", found["file"], re.IGNORECASE))
