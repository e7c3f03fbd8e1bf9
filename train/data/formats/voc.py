"""Pascal VOC: one XML a picture, `annotation/object/bndbox`."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from train.data.formats import classes
from train.data.formats.raw import FormatError, Imported, RawImage, RawPlate, Remark, Wishes
from train.data.formats.tree import Tree, head, read_text

HELP = "Pascal VOC: one XML a picture; a class that is really a text is taken as one"
TEXT_KEYS = ("plate", "text", "plate_text", "plate_number", "license_plate", "licence_plate", "number", "label", "transcription")
"""Where annotation programs put the text: an attribute, or an element of the object."""


class _File(NamedTuple):
    path: Path
    names: list[str | None]
    size: tuple[int, int] | None
    objects: list[tuple[str, RawPlate]]
    broken: bool


def recognise(tree: Tree) -> int:
    return tree.estimate(tree.files(".xml"), lambda path: "<annotation" in head(path))


def read(tree: Tree, wishes: Wishes) -> Imported:
    files: list[_File] = []
    for path in tree.files(".xml"):
        if "<annotation" not in head(path):
            continue
        place = tree.relative(path)
        try:
            root = ElementTree.fromstring(_without_declaration(read_text(path)))
        except (ElementTree.ParseError, FormatError) as error:
            yield Remark("broken label", place, detail=f"not XML: {error}")
            continue
        objects, broken = [], False
        for number, node in enumerate(root.iter("object"), start=1):
            try:
                objects.append(((node.findtext("name") or "").strip(), _plate(node)))
            except (TypeError, ValueError) as error:
                broken = True
                yield Remark("broken label", place, root.findtext("filename") or "", f"object {number}: {error}")
        names = [path.stem, root.findtext("filename"), re.split(r"[\\/]", root.findtext("path") or "")[-1]]
        files.append(_File(path, names, _size(root), objects, broken))
    role = classes.roles(Counter(name for file in files for name, _ in file.objects), wishes.plate_classes)
    for file in files:
        place = tree.relative(file.path)
        found = tree.locate(file.names, file.path, place)
        if isinstance(found, Remark):
            yield Remark(found.reason, place, file.names[1] or file.names[0] or "", found.detail)
            continue
        told = file.names[1] and tree.locate(file.names[1:2], file.path, place)
        if isinstance(told, Path) and told != found:
            yield Remark("another name", place, tree.relative(found), f"the label says {file.names[1]}")
        plates, others = classes.sorted_out(file.objects, role)
        for name, count in others.items():
            yield Remark("other class", place, tree.relative(found), f"{name!r}: {count}")
        if file.broken and not file.objects:
            yield Remark("no usable plate", place, tree.relative(found))
        else:
            yield RawImage(found, place, plates, file.size, negative=not file.objects)


def _plate(node: ElementTree.Element) -> RawPlate:
    """Raises ValueError for an object without a box."""
    box, polygon = node.find("bndbox"), node.find("polygon")
    points: tuple[tuple[float, float], ...] = ()
    if polygon is not None:
        numbers = {child.tag: float(child.text or "nan") for child in polygon if re.fullmatch(r"[xy]\d+", child.tag)}
        points = tuple((numbers[f"x{i}"], numbers[f"y{i}"]) for i in range(1, 1 + len(numbers) // 2) if f"x{i}" in numbers and f"y{i}" in numbers)
    if box is None and not points:
        raise ValueError("it has no bndbox")
    corners = None
    if box is not None:
        x0, y0, x1, y1 = (float(box.findtext(key) or "nan") for key in ("xmin", "ymin", "xmax", "ymax"))
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            raise ValueError("its bndbox lacks one of xmin, ymin, xmax, ymax")
        corners = (x0, y0, x1, y1)
    return RawPlate(corners, points, text=_text(node))


def _text(node: ElementTree.Element) -> str | None:
    for key in TEXT_KEYS:
        if words := (node.findtext(key) or "").strip():
            return words
    for attribute in node.iter("attribute"):
        if (attribute.findtext("name") or "").strip().lower() in TEXT_KEYS and (words := (attribute.findtext("value") or "").strip()):
            return words
    return None


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    """None where it is left out or zero, as some programs write it."""
    try:
        width, height = (int(float(root.findtext(f"size/{key}") or 0)) for key in ("width", "height"))
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def _without_declaration(text: str) -> str:
    """`encoding="utf-8"` in a string is an error to the parser, and the string is decoded already."""
    return re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
