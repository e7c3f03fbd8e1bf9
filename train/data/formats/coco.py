"""COCO: one JSON with `images`, `annotations` and `categories`."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from train.data.formats import classes
from train.data.formats.raw import Corners, FormatError, Imported, Point, RawImage, RawPlate, Remark, Wishes, around
from train.data.formats.tree import Tree, head, read_text
from train.data.formats.voc import TEXT_KEYS

HELP = "COCO: one JSON of images, annotations and categories; texts in attributes or in category names"


def recognise(tree: Tree) -> int:
    return sum(len(json_of(path)["images"]) for path in tree.files(".json") if _is_coco(path))


def read(tree: Tree, wishes: Wishes) -> Imported:
    for path in tree.files(".json"):
        if _is_coco(path):
            yield from _file(tree, path, json_of(path), wishes)


def json_of(path: Path) -> Any:
    """Raises FormatError naming the file and the line."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None


def _is_coco(path: Path) -> bool:
    if not re.search(r'"(images|annotations|categories|info|licenses)"\s*:', head(path)):
        return False
    whole = json_of(path)
    return isinstance(whole, dict) and isinstance(whole.get("images"), list) and isinstance(whole.get("annotations"), list)


def _file(tree: Tree, path: Path, whole: dict[str, Any], wishes: Wishes) -> Imported:
    place = tree.relative(path)
    try:
        # Ids may start at 0 or 1 and have gaps; Roboflow adds a parent class without objects.
        names = {category["id"]: str(category["name"]) for category in whole.get("categories") or ()}
        images = {image["id"]: image for image in whole["images"]}
    except (KeyError, TypeError) as error:
        raise FormatError(f"{path}: an image or a category lacks {error}") from None
    objects: dict[Any, list[tuple[str, RawPlate]]] = defaultdict(list)
    crowds: dict[Any, list[Corners]] = defaultdict(list)
    broken = set()
    for number, annotation in enumerate(whole["annotations"]):
        try:
            image, name = annotation["image_id"], names.get(annotation["category_id"], str(annotation["category_id"]))
            if image not in images:
                raise ValueError(f"there is no image with the id {image}")
            x, y, width, height = (float(value) for value in annotation["bbox"])
            outline, text = _outline(annotation.get("segmentation")), _text(annotation)
        except (KeyError, TypeError, ValueError) as error:
            number, image = (annotation.get("id", number), annotation.get("image_id")) if isinstance(annotation, dict) else (number, None)
            broken.add(str(image))
            yield Remark("broken label", place, detail=f"annotation {number}: {_words(error)}")
            continue
        box = around((x, y, width, height))
        if annotation.get("iscrowd"):
            crowds[image].append(box)
        else:
            objects[image].append((name, RawPlate(box, outline, text=text)))
    counts = Counter(dict.fromkeys(names.values(), 0))
    counts.update(name for found in objects.values() for name, _ in found)
    role = classes.roles(counts, wishes.plate_classes)
    for key, image in images.items():
        name = str(image.get("file_name") or "")
        found = tree.locate([name], path, f"{place} image {key}")
        if isinstance(found, Remark):
            yield found
            continue
        plates, others = classes.sorted_out(objects[key], role)
        for other, count in others.items():
            yield Remark("other class", place, name, f"{other!r}: {count}")
        if crowds[key]:
            yield Remark("crowd", place, name, f"{len(crowds[key])}")
        if str(key) in broken and not objects[key]:
            yield Remark("no usable plate", place, name)
            continue
        size = (int(image.get("width") or 0), int(image.get("height") or 0))
        yield RawImage(
            found, f"{place} image {key}", plates, size if min(size) > 0 else None, negative=not objects[key] and not crowds[key], ignored=tuple(crowds[key])
        )


def _outline(segmentation: Any) -> tuple[Point, ...]:
    """The first polygon; a mask (run lengths) or an outline of several parts has no corners to take."""
    if not isinstance(segmentation, list) or len(segmentation) != 1 or not isinstance(segmentation[0], list) or len(segmentation[0]) < 6:
        return ()
    numbers = [float(value) for value in segmentation[0]]
    return tuple(zip(numbers[::2], numbers[1::2], strict=False))


def _text(annotation: dict[str, Any]) -> str | None:
    attributes = annotation.get("attributes")
    for where in (attributes if isinstance(attributes, dict) else {}, annotation):
        for key, value in where.items():
            if key.lower() in TEXT_KEYS and isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()
    return None


def _words(error: Exception) -> str:
    return f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
