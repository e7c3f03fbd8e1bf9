"""Boxes and quads: overlap, suppression, clipping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.records import Box

Array = npt.NDArray[np.float32]


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    across = min(a.x1, b.x1) - max(a.x0, b.x0)
    down = min(a.y1, b.y1) - max(a.y0, b.y0)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / max(a.area + b.area - shared, 1e-9)


def iou_matrix(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """(N, 4) and (M, 4) boxes as x0 y0 x1 y1 -> (N, M) float32."""
    first, second = np.asarray(a, np.float32).reshape(-1, 1, 4), np.asarray(b, np.float32).reshape(1, -1, 4)
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    sizes = [np.prod(np.clip(boxes[..., 2:] - boxes[..., :2], 0, None), axis=-1) for boxes in (first, second)]
    return np.asarray(shared / np.maximum(sizes[0] + sizes[1] - shared, 1e-9), dtype=np.float32)


def suppress(boxes: Array, scores: Array, overlap: float, keep_at_most: int = 32) -> list[int]:
    """Greedy non-maximum suppression: indices to keep, best first. A box mostly inside a better one goes too."""
    order = list(np.argsort(-scores, kind="stable"))
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    kept: list[int] = []
    while order and len(kept) < keep_at_most:
        best = int(order.pop(0))
        kept.append(best)
        if not order:
            break
        rest = np.array(order)
        low, high = np.maximum(boxes[rest, :2], boxes[best, :2]), np.minimum(boxes[rest, 2:], boxes[best, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        union = areas[rest] + areas[best] - shared
        inside = shared / np.maximum(np.minimum(areas[rest], areas[best]), 1e-9)
        order = [int(index) for index in rest[(shared / np.maximum(union, 1e-9) <= overlap) & (inside <= 0.8)]]
    return kept


def clip(box: Box, width: int, height: int) -> Box:
    """The part of `box` inside a picture of that size."""
    return Box(min(max(box.x0, 0.0), width), min(max(box.y0, 0.0), height), min(max(box.x1, 0.0), width), min(max(box.y1, 0.0), height))
