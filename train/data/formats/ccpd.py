"""CCPD: everything stands in the picture's file name."""

from __future__ import annotations

import re
from pathlib import Path

from train.data.formats.raw import Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree

HELP = "CCPD (China): box, corners and text in the file name; the province's character is left out of the text"
PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学O"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZO"
OTHERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"
"""In all three the last, `O`, stands for no character."""
_POINT = r"(\d+)&(\d+)"
_NAME = re.compile(rf"^\d+-\d+_\d+-{_POINT}_{_POINT}-{_POINT}_{_POINT}_{_POINT}_{_POINT}-(\d+(?:_\d+){{6,7}})-\d+-\d+$")


def recognise(tree: Tree) -> int:
    return tree.estimate(tree.pictures, lambda path: _match(path) is not None, sample=200)


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.pictures:
        place = tree.relative(path)
        found = _match(path)
        if found is None:
            if any(part.lower() == "ccpd_np" for part in path.parts):  # the part of the set without plates
                yield RawImage(path, place, country="cn", negative=True)
            elif path.name.count("-") >= 4:
                yield Remark("broken label", place, place, "the name has not CCPD's seven parts")
            continue
        numbers = [float(number) for number in found.groups()[:12]]
        # The vertices begin at the bottom right corner: bottom right, bottom left, top left, top right.
        right_below, left_below, left_above, right_above = ((numbers[i], numbers[i + 1]) for i in range(4, 12, 2))
        try:
            text = spell([int(index) for index in found[13].split("_")])
        except IndexError:
            yield Remark("broken label", place, place, f"the characters {found[13]} are not in CCPD's tables")
            continue
        plate = RawPlate((numbers[0], numbers[1], numbers[2], numbers[3]), (left_above, right_above, right_below, left_below), True, text, 1)
        yield RawImage(path, place, (plate,), country="cn")


def spell(indices: list[int]) -> str:
    """Seven or eight indices -> the text with its province. Raises IndexError for one that no table has."""
    tables = [PROVINCES, LETTERS, *[OTHERS] * (len(indices) - 2)]
    return "".join(table[index] for table, index in zip(tables, indices, strict=True) if index != len(table) - 1)


def _match(path: Path) -> re.Match[str] | None:
    """Some mirrors write `.jpg.png`."""
    return _NAME.match(path.name.split(".")[0])
