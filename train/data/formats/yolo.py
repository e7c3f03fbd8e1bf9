"""YOLO: a text file a picture, `class cx cy w h` in fractions of the picture; outlines, four key points and predictions too."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

from train.data.formats import classes
from train.data.formats.raw import FormatError, Imported, Point, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, head, read_text

HELP = "YOLO: one .txt a picture with data.yaml or classes.txt; boxes, outlines, four key points"
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LINE = re.compile(rf"^\d+(\s+{_NUMBER}){{4,}}$")
_NO_LABELS = re.compile(r"^(classes|obj|readme.*|train|val|valid|test|trainval|requirements|licen[cs]e|notes|characters_list|predefined_classes)$")
SLACK = 0.01
"""Fractions this little below 0 or above 1 are rounding."""


def recognise(tree: Tree) -> int:
    files = _labels(tree)
    return tree.estimate([path for path in files if path.stat().st_size], _is_yolo) + (sum(path.stat().st_size == 0 for path in files) if _names(tree) else 0)


def read(tree: Tree, wishes: Wishes) -> Imported:
    names, shape = _names(tree) or [], _keypoints(tree)
    files = []
    for path in _labels(tree):
        place, objects, predicted = tree.relative(path), [], False
        lines = read_text(path).splitlines()
        if lines and not any(_LINE.match(line.strip()) for line in lines if line.strip()) and not tree.has_picture(path.stem):
            continue  # somebody's notes
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                index, plate, confident = _object(line, shape)
            except ValueError as error:
                yield Remark("broken label", f"{place}:{number}", detail=str(error))
                continue
            objects.append((names[index] if index < len(names) else str(index), plate))
            predicted |= confident
        if predicted:
            yield Remark("looks predicted", place)
        files.append((path, place, objects, not any(line.strip() for line in lines)))
    role = classes.roles(Counter(name for _, _, objects, _ in files for name, _ in objects), wishes.plate_classes)
    for path, place, objects, empty in files:
        found = tree.locate([path.stem], path, place)
        if isinstance(found, Remark):
            yield found
            continue
        plates, others = classes.sorted_out(objects, role)
        for name, count in others.items():
            yield Remark("other class", place, tree.relative(found), f"{name!r}: {count}")
        if objects or empty:
            yield RawImage(found, place, plates, unit=True, negative=empty)
        else:
            yield Remark("no usable plate", place, tree.relative(found), "no line of its labels can be read")


def _labels(tree: Tree) -> list[Path]:
    return [path for path in tree.files(".txt") if not _NO_LABELS.match(path.stem.lower())]


def _is_yolo(path: Path) -> bool:
    lines = [line.strip() for line in head(path).splitlines()[:20]]
    return bool(lines) and bool(_LINE.match(lines[0]))


def _object(line: str, shape: int) -> tuple[int, RawPlate, bool]:
    """Class, plate in fractions, whether a confidence stands behind it. Raises ValueError with the reason."""
    words = line.split()
    if not _LINE.match(" ".join(words)):
        raise ValueError("not `class cx cy width height`")
    values = [float(word) for word in words[1:]]
    polygon: tuple[Point, ...] = ()
    if len(values) in (4, 5):
        box = _box(values)
    elif (points := _pose(values, shape)) is not None:
        box, polygon = _box(values), points
    elif len(values) % 2 == 0:
        polygon = tuple(zip(values[::2], values[1::2], strict=True))
        xs, ys = zip(*polygon, strict=True)
        box = (min(xs), min(ys), max(xs), max(ys))
    else:
        raise ValueError(f"{len(values)} numbers are neither a box nor an outline")
    if any(abs(value - 0.5) > 1.0 for value in box):
        raise ValueError("its numbers are far outside 0..1: pixels instead of fractions?")
    return int(words[0]), RawPlate(box, polygon), len(values) == 5


def _box(values: list[float]) -> tuple[float, float, float, float]:
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _pose(values: list[float], shape: int) -> tuple[Point, ...] | None:
    """Four key points behind a box (12 numbers, or 16 with their visibility), if these are that and no outline of 6 or 8 points; () where one is hidden."""
    each = {12: 2, 16: 3}.get(len(values))
    if each is None:
        return None
    points = [(values[i], values[i + 1]) for i in range(4, len(values), each)]
    x0, y0, x1, y1 = _box(values)
    slack_x, slack_y = 0.25 * abs(x1 - x0) + SLACK, 0.25 * abs(y1 - y0) + SLACK
    near = all(x0 - slack_x <= x <= x1 + slack_x and y0 - slack_y <= y <= y1 + slack_y for x, y in points)
    if shape != 4 and not (near and (each == 2 or all(value in (0, 1, 2) for value in values[6::3]))):
        return None
    hidden = any(x <= 0 and y <= 0 for x, y in points) or (each == 3 and any(value == 0 for value in values[6::3]))
    return () if hidden else tuple(points)


def yaml_of(path: Path) -> dict[str, Any]:
    """A YAML file's keys; {} where it is something else than keys and values. Raises FormatError naming the line that is broken."""
    import yaml

    try:
        whole = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f"{path}:{line + 1}" if line is not None else str(path)
        raise FormatError(f"{where}: not YAML ({getattr(error, 'problem', None) or 'it cannot be read'})") from None
    return whole if isinstance(whole, dict) else {}


def _names(tree: Tree) -> list[str] | None:
    """Class names by number: from data.yaml (a list, or a number each), else from classes.txt; None where neither is there."""
    for path in _beside(tree, ".yaml", ".yml"):
        names = yaml_of(path).get("names")
        if isinstance(names, list):
            return [str(name) for name in names]
        if isinstance(names, dict) and names:
            try:
                numbered = {int(key): str(name) for key, name in names.items()}
            except ValueError:
                raise FormatError(f"{path}: the keys of `names` are no numbers") from None
            return [numbered.get(index, str(index)) for index in range(max(numbered) + 1)]
    for path in _beside(tree, ".txt", ".names"):
        if path.name.lower() in ("classes.txt", "obj.names", "predefined_classes.txt"):
            return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    return None


def _beside(tree: Tree, *suffixes: str) -> list[Path]:
    """Also where one label file alone is read."""
    return [path for path in tree.found if path.suffix.lower() in suffixes]


def _keypoints(tree: Tree) -> int:
    """How many key points data.yaml promises; 0 where it says nothing."""
    for path in _beside(tree, ".yaml", ".yml"):
        shape = yaml_of(path).get("kpt_shape")
        if isinstance(shape, list) and shape and isinstance(shape[0], int | float) and math.isfinite(shape[0]):
            return int(shape[0])
    return 0
