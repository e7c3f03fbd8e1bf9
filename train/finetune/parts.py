"""Labelled folders for a fine-tuning, written into its run folder: what it learns from, and what it is measured on.

A reader gets plates cut out of the photographs, a detector gets photographs of a size that it can use. What needs no change is linked, not copied.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import PlatewatchError
from edge.records import Box, Luma, Quad
from edge.vision.image import load_image, resize
from train.data.formats.native import LabelledImage, LabelledPlate

MARGIN = 0.3
"""Share of the plate kept around it on each side: training moves the edges about."""
LONGEST = 1024
"""Longest side of a photograph for the detector, px; it sees 384x288 of them, or a cut."""


def write_part(folder: Path, images: Sequence[LabelledImage], kind: str) -> Path:
    """The pictures as a labelled folder in the native format. `source` becomes the folder's name."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for image in images:
        if kind == "reader" and not image.crop and not image.negative:
            plates = [plate for plate in image.plates if plate.text]
            luma = load_image(image.path)[0] if plates else None
            for plate in plates:
                assert luma is not None
                picture, moved = cut_out(luma, plate)
                one = replace(image, width=picture.shape[1], height=picture.shape[0], plates=(moved,), ignored=(), crop=True)
                rows.append(_row(one, folder, _save(folder, len(rows), picture)))
        elif kind == "detector" and max(image.width, image.height) > LONGEST:
            picture, smaller = shrink(load_image(image.path)[0], image)
            rows.append(_row(smaller, folder, _save(folder, len(rows), picture)))
        else:
            rows.append(_row(image, folder, _link(folder, len(rows), image.path)))
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def cut_out(luma: Luma, plate: LabelledPlate) -> tuple[Luma, LabelledPlate]:
    """The plate with its margin, as far as the picture goes, and its label there."""
    h, w = luma.shape
    box = plate.box
    left, top = max(0, int(box.x0 - MARGIN * box.width)), max(0, int(box.y0 - MARGIN * box.height))
    right, bottom = min(w, int(np.ceil(box.x1 + MARGIN * box.width))), min(h, int(np.ceil(box.y1 + MARGIN * box.height)))
    if right <= left or bottom <= top:
        raise PlatewatchError(f"the box {[box.x0, box.y0, box.x1, box.y1]} lies outside its picture of {w}x{h} px; mend the label")
    return np.ascontiguousarray(luma[top:bottom, left:right]), _moved(plate, -left, -top, 1.0, 1.0)


def shrink(luma: Luma, image: LabelledImage) -> tuple[Luma, LabelledImage]:
    """The photograph with LONGEST px on its longest side, and its labels."""
    h, w = luma.shape
    scale = LONGEST / max(h, w)
    width, height = max(1, round(w * scale)), max(1, round(h * scale))
    sx, sy = width / w, height / h
    plates = tuple(_moved(plate, 0, 0, sx, sy) for plate in image.plates)
    ignored = tuple(Box(box.x0 * sx, box.y0 * sy, box.x1 * sx, box.y1 * sy) for box in image.ignored)
    return resize(luma, width, height), replace(image, width=width, height=height, plates=plates, ignored=ignored)


def _moved(plate: LabelledPlate, dx: float, dy: float, sx: float, sy: float) -> LabelledPlate:
    box = Box((plate.box.x0 + dx) * sx, (plate.box.y0 + dy) * sy, (plate.box.x1 + dx) * sx, (plate.box.y1 + dy) * sy)
    quad = Quad.from_array((plate.quad.array() + np.array([dx, dy])) * np.array([sx, sy])) if plate.quad else None
    return replace(plate, box=box, quad=quad)


def _save(folder: Path, number: int, luma: Luma) -> str:
    name = f"images/{number:06d}.png"
    if not cv2.imwrite(str(folder / name), luma):
        raise PlatewatchError(f"{folder / name}: cannot be written; is the disk full?")
    return name


def _link(folder: Path, number: int, picture: Path) -> str:
    if not picture.is_file():
        raise PlatewatchError(f"{picture}: no such file; its labels name it")
    name = f"images/{number:06d}{picture.suffix}"
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(picture.resolve())
    return name


def _row(image: LabelledImage, folder: Path, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"image": name, "width": image.width, "height": image.height, "source": folder.name, "country": image.country}
    row["plates"] = [_plate(plate) for plate in image.plates]
    row["ignore"] = [_numbers(box) for box in image.ignored]
    row |= {key: True for key in ("crop", "negative") if getattr(image, key)}
    return row | ({"session": image.session} if image.session else {})


def _plate(plate: LabelledPlate) -> dict[str, Any]:
    row: dict[str, Any] = {"box": _numbers(plate.box), "text": plate.text, "country": plate.country}
    if plate.quad:
        row["corners"] = plate.quad.array().round(2).tolist()
    row |= {"lines": plate.lines} if plate.lines else {}
    return row | {key: True for key in ("partial", "year_omitted") if getattr(plate, key)}


def _numbers(box: Box) -> list[float]:
    return [round(value, 2) for value in (box.x0, box.y0, box.x1, box.y1)]
