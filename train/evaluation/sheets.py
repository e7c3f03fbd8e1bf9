"""Examples, right and wrong, as small pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ImageError
from edge.records import Box
from edge.vision.geometry import iou
from edge.vision.image import load_image, resize
from train.evaluation.cases import NOTHING, Case
from train.evaluation.figures import exact

TILE_W, TILE_H, COLUMNS = 220, 130, 8
PICTURE_H = TILE_H - 34


@dataclass(frozen=True, slots=True)
class Example:
    """Where in which picture, what happened ("right", "misread", "false", "missed"), how sure, in words."""

    case: Case
    box: Box
    what: str
    confidence: float
    label: str


def mistakes(cases: Sequence[Case], at_most: int = 96, reads: bool = True) -> list[Example]:
    """Plates missed or read wrongly and false reports, the surest mistakes first. `reads` False: finding alone was asked."""
    wrong = [one for case in cases for one in (_of_crop(case) if case.found is None else _of_scene(case, reads)) if one.what != "right"]
    return sorted(wrong, key=lambda one: -one.confidence)[:at_most]


def rights(cases: Sequence[Case], at_most: int = 24) -> list[Example]:
    """Plates found and read exactly, the least sure first: what the reader can just about do."""
    right = [one for case in cases for one in (_of_crop(case) if case.found is None else _of_scene(case, True)) if one.what == "right"]
    return sorted(right, key=lambda one: one.confidence)[:at_most]


def _of_crop(case: Case) -> Iterator[Example]:
    read = case.looks[0].read if case.looks else NOTHING
    for plate in case.texts:
        whole = plate.box if case.looks and case.looks[0].detection.box == plate.box else Box(0, 0, case.image.width, case.image.height)
        if exact(plate, read.text):
            yield Example(case, whole, "right", read.confidence, plate.text or "")
        else:
            yield Example(case, whole, "misread", read.confidence, f"{plate.text} > {read.text or '-'}")


def _of_scene(case: Case, reads: bool) -> Iterator[Example]:
    matched = set()
    for look, match, told in zip(case.looks, case.taken, case.told, strict=True):
        if not told:
            continue
        read = look.read
        if match >= 0:
            matched.add(int(match))
            plate = case.image.plates[match]
            if reads and plate.exact and exact(plate, read.text):
                yield Example(case, look.detection.box, "right", read.confidence, plate.text or "")
            elif reads and plate.exact:
                yield Example(case, look.detection.box, "misread", read.confidence, f"{plate.text} > {read.text or '-'}")
        elif match == -1:
            near = max((iou(look.detection.box, plate.box) for plate in case.image.plates), default=0.0)
            words = f"false {look.detection.score:.2f}" + (f" {read.text}" if reads else "") + (f" IoU {near:.2f}" if near > 0.1 else "")
            yield Example(case, look.detection.box, "false", look.detection.score, words)
    for place, plate in enumerate(case.image.plates):
        if place not in matched:
            yield Example(case, plate.box, "missed", 0.5, f"missed {plate.text or ''}")


def cut(one: Example, colour: bool = False) -> npt.NDArray[np.uint8]:
    """The plate with its surroundings, at most TILE_W x PICTURE_H px; grey, or BGR."""
    luma, picture = load_image(one.case.image.path)
    box, grow = one.box, 0.0 if one.case.found is None else 0.5
    x0, y0 = max(0, int(box.x0 - grow * box.width)), max(0, int(box.y0 - grow * box.height))
    x1, y1 = min(luma.shape[1], int(box.x1 + grow * box.width) + 1), min(luma.shape[0], int(box.y1 + grow * box.height) + 1)
    x0, y0 = min(x0, luma.shape[1] - 2), min(y0, luma.shape[0] - 2)
    rows, columns = slice(y0, max(y1, y0 + 2)), slice(x0, max(x1, x0 + 2))
    planes = [picture[rows, columns, place] for place in range(3)] if colour else [luma[rows, columns]]
    scale = min(TILE_W / planes[0].shape[1], PICTURE_H / planes[0].shape[0])
    width, height = max(1, int(planes[0].shape[1] * scale)), max(1, int(planes[0].shape[0] * scale))
    small = [resize(np.ascontiguousarray(plane), width, height) for plane in planes]
    return np.dstack(small) if colour else small[0]


def as_jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """Encoded small."""
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def write_sheet(examples: Sequence[Example], path: Path, progress: Any = iter) -> Path | None:
    """All examples on one sheet, each with its label; None when there is none. Raises ImageError when `path` cannot be written."""
    if not examples:
        return None
    tiles = []
    for one in progress(examples):
        part = cut(one)
        tile = np.full((TILE_H, TILE_W), 255, np.uint8)
        tile[: part.shape[0], : part.shape[1]] = part
        cv2.putText(tile, one.label, (2, TILE_H - 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1, cv2.LINE_AA)
        cv2.putText(tile, f"{one.case.image.source} {one.confidence:.2f}", (2, TILE_H - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.36, 110, 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.full((TILE_H, TILE_W), 255, np.uint8)] * (-len(tiles) % COLUMNS)
    sheet = np.vstack([np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)])
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), sheet):
        raise ImageError(f"{path}: cannot be written; name a folder that can be")
    return path
