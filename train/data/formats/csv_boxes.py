"""A table of boxes: `filename,width,height,class,xmin,ymin,xmax,ymax`, as TensorFlow's tools and many Kaggle sets have it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from train.data.formats import classes
from train.data.formats.fast_plate_ocr import PATHS, TEXTS, header, rows
from train.data.formats.raw import Corners, Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, read_text

HELP = "a CSV of boxes: filename,[width,height,class,]xmin,ymin,xmax,ymax[,text], one row a plate"
_CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x0", "y0", "x1", "y1"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))
_SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))


def recognise(tree: Tree) -> int:
    return sum(max(0, len(read_text(path).splitlines()) - 1) for path in tree.files(".csv") if _is_one(path))


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".csv"):
        if _is_one(path):
            yield from _file(tree, path, wishes)


def _is_one(path: Path) -> bool:
    names = set(header(path))
    return bool(names & set(PATHS)) and any(names.issuperset(four) for four in (*_CORNERS, *_SIZES))


def _file(tree: Tree, path: Path, wishes: Wishes) -> Imported:
    names = header(path)
    image = next(name for name in PATHS if name in names)
    four = next((four for four in (*_CORNERS, *_SIZES) if set(names).issuperset(four)), _CORNERS[0])
    kind = next((name for name in ("class", "class_name", "category", "label") if name in names), None)
    text = next((name for name in TEXTS if name in names and name != kind), None)
    objects: dict[str, list[tuple[str, RawPlate]]] = defaultdict(list)
    sizes: dict[str, tuple[int, int] | None] = {}
    places: dict[str, str] = {}
    for place, row in rows(tree, path):
        name = row.get(image, "").strip()
        try:
            a, b, c, d = (float(row.get(key) or "nan") for key in four)
        except ValueError:
            a = b = c = d = float("nan")
        if not name or a + b + c + d != a + b + c + d:
            yield Remark("broken label", place, name, f"it needs {image}, {', '.join(four)}")
            continue
        box: Corners = (a, b, a + c, b + d) if four in _SIZES else (a, b, c, d)
        objects[name].append((row.get(kind, "") if kind else "plate", RawPlate(box, text=row.get(text, "").strip() or None if text else None)))
        places.setdefault(name, place)
        sizes[name] = _size(row) if four in _CORNERS else None
    role = classes.roles(Counter(one for found in objects.values() for one, _ in found), wishes.plate_classes)
    for name, found in objects.items():
        picture = tree.locate([name], path, places[name])
        if isinstance(picture, Remark):
            yield picture
            continue
        plates, others = classes.sorted_out(found, role)
        for other, count in others.items():
            yield Remark("other class", places[name], name, f"{other!r}: {count}")
        yield RawImage(picture, places[name], plates, sizes[name])


def _size(row: dict[str, str]) -> tuple[int, int] | None:
    try:
        width, height = int(float(row.get("width") or 0)), int(float(row.get("height") or 0))
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None
