"""UFPR-ALPR, SSIG SegPlate and RodoSol-ALPR: a text file a picture, `key: value`."""

from __future__ import annotations

import re

from train.data.formats.raw import FormatError, Imported, Point, RawImage, RawPlate, Remark, Wishes, around
from train.data.formats.tree import Tree, head, read_text

HELP = "UFPR-ALPR, SSIG, RodoSol (Brazil): one .txt of `key: value` a picture; for research only, says their licence"
LICENCE = "UFPR-ALPR, SSIG and RodoSol-ALPR are given out for research only"
_KEYS = re.compile(r"^\s*(position_plate|plate|corners|position_vehicle|layout)\s*:", re.MULTILINE)
_PAIR = re.compile(r"^\s*([A-Za-z_]+(?: \d+)?)\s*:\s*(.*?)\s*$")
NEW_PLATE = ("plate", "position_plate", "corners", "layout")
"""Keys of which a plate has one each: where one comes again, another plate begins."""


def recognise(tree: Tree) -> int:
    return tree.estimate(tree.files(".txt"), lambda path: len(set(_KEYS.findall(head(path)))) >= 2)


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".txt"):
        if len(set(_KEYS.findall(head(path)))) < 2:
            if tree.has_picture(path.stem):
                yield Remark("broken label", tree.relative(path), detail="it has neither `plate:` nor `position_plate:`")
            continue
        place = tree.relative(path)
        found = tree.locate([path.stem], path, place)
        if isinstance(found, Remark):
            yield found
            continue
        plates = []
        try:
            plates = [_plate(keys) for keys in _groups(read_text(path)) if any(key in keys for key in NEW_PLATE)]
        except (FormatError, ValueError) as error:
            yield Remark("broken label", place, tree.relative(found), str(error))
            continue
        # One folder is one car's way past the camera in UFPR-ALPR and SSIG; RodoSol's folders hold thousands of cars.
        track = re.match(r"(?i)track", found.parent.name)
        yield RawImage(found, place, tuple(plates), country="br", session=tree.relative(found.parent) if track else None)


def _groups(text: str) -> list[dict[str, str]]:
    """The keys of each plate. Lines come in another order in each of the three sets."""
    groups: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        if pair := _PAIR.match(line):
            key, value = pair[1].lower(), pair[2]
            if key in NEW_PLATE and key in groups[-1]:
                groups.append({})
            groups[-1][key] = value
    return groups


def _plate(keys: dict[str, str]) -> RawPlate:
    """Raises ValueError for numbers that are none."""
    polygon: tuple[Point, ...] = ()
    if "corners" in keys:
        numbers = _numbers(keys["corners"], 8, "corners")
        polygon = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    box = None
    if "position_plate" in keys:
        x, y, width, height = _numbers(keys["position_plate"], 4, "position_plate")
        box = around((x, y, width, height))
    if box is None and not polygon:
        raise ValueError("it has neither `position_plate:` nor `corners:`")
    return RawPlate(box, polygon, text=keys.get("plate") or None, lines=_lines(keys))


def _lines(keys: dict[str, str]) -> int:
    """From the boxes of the characters; else a Brazilian motorcycle has two lines and a car one; 0 where nothing tells."""
    characters = [_numbers(keys[f"char {i}"], 4, f"char {i}") for i in range(1, 8) if f"char {i}" in keys]
    if len(characters) >= 4:
        tops = sorted(y for _, y, _, _ in characters)
        return 2 if tops[-1] - tops[0] > 0.7 * min(height for *_, height in characters) else 1
    kind = keys.get("type", "").lower()
    return 2 if kind.startswith("moto") else 1 if kind else 0


def _numbers(words: str, count: int, key: str) -> list[float]:
    found = [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", words)]
    if len(found) != count:
        raise ValueError(f"`{key}: {words}` has {len(found)} numbers instead of {count}")
    return found
