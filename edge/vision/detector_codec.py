"""Both directions of the detector's output layout, codec `quad-s8-v1`.

One grid of cells, 8 pixels apart. Each cell may hold one plate:

    score    2   logit that a plate's middle is here; logit that the plate has two lines
    box      4   centre's offset from the cell's middle (cells, x then y); log2 of width and height in cells
    corners  8   where each corner sits in its box, less where it would sit if the plate were upright: x, y of top-left,
                 top-right, bottom-right, bottom-left, in shares of the box's width and height

Logarithms and shares keep every number within a few units, so that 8 bits resolve small plates as well as large ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.records import Box, Detection, Quad
from edge.vision import layouts
from edge.vision.geometry import suppress
from edge.vision.quant import sigmoid

NAME = layouts.QUADS
STRIDE = 8
UPRIGHT = np.array([0, 0, 1, 0, 1, 1, 0, 1], dtype=np.float32)
REACH = 16.0
"""Cells whose middle is at most this many pixels (or a quarter of the plate) from the plate's middle learn to report it."""
TARGET_CHANNELS = 17
"""Of `encode`: 0 middle (1, 0, or -1 = say nothing), 1-4 box, 5-12 corners, 13 corners known, 14 two lines, 15 lines known, 16 weight."""

Array = npt.NDArray[np.float32]
Cells = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PlateTruth:
    """What is known of one plate in a picture: its box always; corners and lines (0 = unknown) perhaps."""

    box: Box
    quad: Quad | None = None
    lines: int = 0
    weight: float = 1.0


def encode(plates: list[PlateTruth], ignored: list[Box], width: int, height: int) -> Array:
    """Truth for a picture of that size (pixels, multiples of 8) -> (height / 8, width / 8, TARGET_CHANNELS) float32."""
    rows, columns = height // STRIDE, width // STRIDE
    target = np.zeros((rows, columns, TARGET_CHANNELS), dtype=np.float32)
    ys, xs = (np.arange(rows) + 0.5) * STRIDE, (np.arange(columns) + 0.5) * STRIDE
    for box in ignored:
        within = ((ys >= box.y0 - 4) & (ys <= box.y1 + 4))[:, None] & ((xs >= box.x0 - 4) & (xs <= box.x1 + 4))[None, :]
        target[..., 0][within] = -1.0
    for plate in sorted(plates, key=lambda plate: -plate.box.area):  # the smaller of two that overlap wins the cell
        box = plate.box
        cx, cy = box.centre
        if not (0 <= cx < width and 0 <= cy < height) or box.width <= 0 or box.height <= 0:
            continue
        near_x = np.abs(xs - cx) <= min(max(0.25 * box.width, STRIDE / 2), REACH)
        near_y = np.abs(ys - cy) <= min(max(0.25 * box.height, STRIDE / 2), REACH)
        near_x[min(int(cx / STRIDE), columns - 1)] = True
        near_y[min(int(cy / STRIDE), rows - 1)] = True
        # A plate near by fills many cells and one far away a single one: by its cells alone, the large would drown the small.
        weight = plate.weight / math.sqrt(near_x.sum() * near_y.sum())
        for row in np.flatnonzero(near_y):
            for column in np.flatnonzero(near_x):
                cell = target[row, column]
                cell[0] = 1.0
                cell[1:5] = encode_box(box, int(column), int(row))
                cell[5:13] = 0.0
                cell[13] = cell[14] = cell[15] = 0.0
                cell[16] = weight
                if plate.quad is not None:
                    corners = (plate.quad.array() - (box.x0, box.y0)) / (box.width, box.height)
                    cell[5:13] = corners.reshape(8) - UPRIGHT
                    cell[13] = 1.0
                if plate.lines:
                    cell[14], cell[15] = float(plate.lines == 2), 1.0
    return target


def encode_box(box: Box, column: int, row: int) -> Array:
    """One box as a cell's four numbers."""
    cx, cy = box.centre
    return np.array(
        [cx / STRIDE - column - 0.5, cy / STRIDE - row - 0.5, np.log2(max(box.width, 1.0) / STRIDE), np.log2(max(box.height, 1.0) / STRIDE)], dtype=np.float32
    )


def logit_of(threshold: float) -> float:
    """The logit of a probability."""
    return math.log(threshold / (1.0 - threshold))


def decode(score: Array, box: Array, corners: Array, threshold: float, overlap: float = 0.45) -> list[Detection]:
    """Outputs (H, W, 2), (H, W, 4), (H, W, 8) float32 -> detections in pixels of the network's input, best first. Inputs are left as they are."""
    rows, columns = np.nonzero(score[..., 0] >= logit_of(threshold))
    return decode_cells(rows, columns, score[rows, columns], box[rows, columns], corners[rows, columns], overlap)


def decode_cells(rows: Cells, columns: Cells, logits: Array, numbers: Array, corners: Array, overlap: float = 0.45, limit: int = 300) -> list[Detection]:
    """The same for the N cells that reach the threshold alone: their places (N,) and their numbers (N, 2), (N, 4), (N, 8) float32."""
    if len(rows) == 0:
        return []
    if len(rows) > limit:
        best = np.argsort(-logits[:, 0], kind="stable")[:limit]
        rows, columns, logits, numbers, corners = rows[best], columns[best], logits[best], numbers[best], corners[best]
    middle = np.stack([columns, rows], axis=1) + 0.5 + numbers[:, :2]
    size = np.exp2(np.clip(numbers[:, 2:], -3.0, 8.0))
    low = (middle - size / 2) * STRIDE
    size = size * STRIDE
    boxes = np.concatenate([low, low + size], axis=1).astype(np.float32)
    scores = sigmoid(logits[:, 0])
    found = []
    for index in suppress(boxes, scores, overlap):
        points = low[index] + (corners[index] + UPRIGHT).reshape(4, 2) * size[index]
        found.append(Detection(Quad.from_array(points), Box(*boxes[index].tolist()), float(scores[index]), 2 if logits[index, 1] > 0 else 1))
    return found


def as_outputs(target: Array) -> dict[str, Any]:
    """The outputs that a perfect network would give for an `encode`d truth: what the round-trip test decodes."""
    middle = target[..., :1] > 0
    return {
        "score": np.concatenate([np.where(middle, 9.0, -9.0), np.where(target[..., 14:15] > 0, 9.0, -9.0)], axis=-1).astype(np.float32),
        "box": target[..., 1:5].copy(),
        "corners": target[..., 5:13].copy(),
    }
