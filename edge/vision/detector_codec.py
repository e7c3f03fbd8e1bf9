"""Both directions of the detector's output layout, codec `quad-s8-v1`.

One grid of cells, 8 pixels apart. Each cell may hold one plate:

    score    2   logit that a plate's middle is here; logit that the plate has two lines
    box      4   centre's offset from the cell's middle (cells, x then y); log2 of width and height in cells
    corners  8   where each corner sits in its box, less where it would sit if the plate were upright: x, y of top-left,
                 top-right, bottom-right, bottom-left, in shares of the box's width and height

Logarithms and shares keep every number within a few units, so that 8 bits resolve small plates as well as large ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.records import Box, Detection, Quad
from edge.vision.geometry import suppress
from edge.vision.quant import sigmoid

NAME = "quad-s8-v1"
STRIDE = 8
UPRIGHT = np.array([0, 0, 1, 0, 1, 1, 0, 1], dtype=np.float32)
REACH = 16.0
"""Cells whose middle is at most this many pixels (or a quarter of the plate) from the plate's middle learn to report it."""
TARGET_CHANNELS = 17
"""Of `encode`: 0 middle (1, 0, or -1 = say nothing), 1-4 box, 5-12 corners, 13 corners known, 14 two lines, 15 lines known, 16 weight."""

Array = npt.NDArray[np.float32]


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
        for row in np.flatnonzero(near_y):
            for column in np.flatnonzero(near_x):
                cell = target[row, column]
                cell[0] = 1.0
                cell[1:5] = encode_box(box, int(column), int(row))
                cell[5:13] = 0.0
                cell[13] = cell[14] = cell[15] = 0.0
                cell[16] = plate.weight
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


def candidates(score: Array, threshold: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the cells (H, W, 2) whose plate logit reaches `threshold` (a probability)."""
    logit = float(np.log(threshold / (1.0 - threshold)))
    rows, columns = np.nonzero(score[..., 0] >= logit)
    return rows, columns


def decode(score: Array, box: Array, corners: Array, threshold: float, overlap: float = 0.45, limit: int = 300) -> list[Detection]:
    """Outputs (H, W, 2), (H, W, 4), (H, W, 8) float32 -> detections in pixels of the network's input, best first. Inputs are left as they are."""
    rows, columns = candidates(score, threshold)
    if len(rows) == 0:
        return []
    logits = score[rows, columns]
    if len(rows) > limit:
        best = np.argsort(-logits[:, 0], kind="stable")[:limit]
        rows, columns, logits = rows[best], columns[best], logits[best]
    numbers = box[rows, columns]
    cx, cy = (columns + 0.5 + numbers[:, 0]) * STRIDE, (rows + 0.5 + numbers[:, 1]) * STRIDE
    size = np.exp2(np.clip(numbers[:, 2:], -3.0, 8.0)) * STRIDE
    boxes = np.stack([cx - size[:, 0] / 2, cy - size[:, 1] / 2, cx + size[:, 0] / 2, cy + size[:, 1] / 2], axis=1).astype(np.float32)
    places = (corners[rows, columns] + UPRIGHT).reshape(-1, 4, 2)
    quads = boxes[:, None, :2] + places * size[:, None, :]
    scores = sigmoid(logits)
    return [
        Detection(Quad.from_array(quads[index]), Box(*(float(value) for value in boxes[index])), float(scores[index, 0]), 2 if logits[index, 1] > 0 else 1)
        for index in suppress(boxes, scores[:, 0], overlap)
    ]


def as_outputs(target: Array) -> dict[str, Any]:
    """The outputs that a perfect network would give for an `encode`d truth: what the round-trip test decodes."""
    middle = target[..., :1] > 0
    return {
        "score": np.concatenate([np.where(middle, 9.0, -9.0), np.where(target[..., 14:15] > 0, 9.0, -9.0)], axis=-1).astype(np.float32),
        "box": target[..., 1:5].copy(),
        "corners": target[..., 5:13].copy(),
    }
