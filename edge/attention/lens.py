"""A wide lens bends straight lines. What it bent is straightened around a plate alone, not over the whole frame.

What is shown at distance r from the middle of the picture belongs at r * (1 + k1 r^2 + k2 r^4), r in halves of the picture's diagonal: so the two
numbers hold for every resolution. k1 above 0 is a barrel, as wide lenses make it. Perspective needs no calibration: each plate's own four corners are
found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.attention.bending import FARTHEST
from edge.records import Luma, Quad

Points = npt.NDArray[np.float64]
MARGIN = 0.25
NODES = 9
"""So many points along each side are bent; between them a lens is straight enough."""
MOST_PX = 640
STEPS = 2048


@dataclass(frozen=True, slots=True)
class Lens:
    """Must not bend back."""

    k1: float
    k2: float

    def straight(self, points: Points, width: int, height: int) -> Points:
        """Where points (..., 2) of a picture of this size, pixels, belong."""
        middle, unit = np.array([width / 2, height / 2]), math.hypot(width, height) / 2
        away = (points - middle) / unit
        square = (away**2).sum(axis=-1, keepdims=True)
        return np.asarray(middle + unit * away * (1 + self.k1 * square + self.k2 * square**2))

    def bent(self, points: Points, width: int, height: int) -> Points:
        """The inverse: where the lens shows them. What it does not show at all is put a little outside the picture."""
        middle, unit = np.array([width / 2, height / 2]), math.hypot(width, height) / 2
        away = (points - middle) / unit
        shown = np.linspace(0.0, FARTHEST, STEPS)
        distance = np.sqrt((away**2).sum(axis=-1, keepdims=True))
        found = np.interp(distance, shown * (1 + self.k1 * shown**2 + self.k2 * shown**4), shown)
        return np.asarray(middle + unit * away * found / np.maximum(distance, 1e-12))

    def straighten(self, luma: Luma, quad: Quad) -> tuple[Luma, Quad]:
        """The straight part of a frame (H, W) around a plate, and the plate's corners in it."""
        height, width = luma.shape
        corners = self.straight(quad.array().astype(np.float64), width, height)
        low, high = corners.min(axis=0), corners.max(axis=0)
        low, high = low - MARGIN * (high - low) - 2, high + MARGIN * (high - low) + 2
        columns, rows = (min(MOST_PX, max(2, round(float(size)))) for size in high - low)
        step = (high - low) / (columns, rows)
        # OpenCV counts from pixel centres, the house from pixel corners.
        nodes = np.stack(np.meshgrid(np.linspace(0.5, columns - 0.5, NODES), np.linspace(0.5, rows - 0.5, NODES)), axis=-1) * step + low
        source = (self.bent(nodes, width, height) - 0.5).astype(np.float32)
        across, down = _between(NODES, columns), _between(NODES, rows)
        x, y = (down @ source[..., axis] @ across.T for axis in (0, 1))
        part = cv2.remap(luma, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(part, dtype=np.uint8), Quad.from_array((corners - low) / step)


def _between(nodes: int, count: int) -> npt.NDArray[np.float32]:
    """(count, nodes): weights that draw a line through the values at the nodes."""
    places = np.linspace(0, nodes - 1, count)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(nodes))), dtype=np.float32)
