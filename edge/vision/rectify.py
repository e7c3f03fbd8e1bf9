"""From a quad in a frame to the upright plate that the reader sees."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edge.records import Luma, Quad
from edge.vision.image import resize, stretch

MARGIN = 0.04
"""Share of the plate's width and height kept around it on each side: corners are found to about that."""


def rectify(luma: Luma, quad: Quad, width: int, height: int, margin: float = MARGIN) -> Luma:
    """Warp the plate inside `quad` (pixels of `luma`) to (height, width) uint8, `margin` of its size around it.

    A plate much larger than the target is halved first, so that thin strokes are averaged and not skipped.
    """
    points = np.array(quad.points, dtype=np.float64)
    corners = quad.points
    across = max(math.dist(corners[0], corners[1]), math.dist(corners[2], corners[3]))
    down = max(math.dist(corners[0], corners[3]), math.dist(corners[1], corners[2]))
    box, reach = quad.box, margin * max(across, down) + 2.0
    x0, y0 = min(max(0, math.floor(box.x0 - reach)), luma.shape[1] - 1), min(max(0, math.floor(box.y0 - reach)), luma.shape[0] - 1)
    x1, y1 = max(x0 + 1, min(luma.shape[1], math.ceil(box.x1 + reach))), max(y0 + 1, min(luma.shape[0], math.ceil(box.y1 + reach)))
    part = luma[y0:y1, x0:x1]
    points -= (x0, y0)
    wide = part.shape[1] // 2 if across >= 2 * width and part.shape[1] > 3 else part.shape[1]
    high = part.shape[0] // 2 if down >= 2 * height and part.shape[0] > 3 else part.shape[0]
    while (wide, high) != (part.shape[1], part.shape[0]):
        points *= (wide / part.shape[1], high / part.shape[0])
        across, down = across * wide / part.shape[1], down * high / part.shape[0]
        part = resize(part, wide, high)
        wide = part.shape[1] // 2 if across >= 2 * width and part.shape[1] > 3 else part.shape[1]
        high = part.shape[0] // 2 if down >= 2 * height and part.shape[0] > 3 else part.shape[0]
    left, top = margin / (1 + 2 * margin) * width, margin / (1 + 2 * margin) * height
    target = np.array([[left, top], [width - left, top], [width - left, height - top], [left, height - top]], dtype=np.float32)
    # OpenCV counts from pixel centres, the house from pixel corners.
    matrix = cv2.getPerspectiveTransform((points - 0.5).astype(np.float32), target - 0.5)
    return np.asarray(cv2.warpPerspective(part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def reader_input(luma: Luma, quad: Quad, width: int, height: int, margin: float = MARGIN) -> Luma:
    """What the reader is shown: rectified, then stretched in contrast. (height, width) uint8."""
    return stretch(rectify(luma, quad, width, height, margin))
