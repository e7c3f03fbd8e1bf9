"""Where a plate is: from boxes and outlines as written to a box inside the picture and four corners."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.records import Box
from edge.vision.geometry import clip
from train.data.formats.raw import Corners, Point

LEAST_SIDE = 2.0
"""px."""
ROUNDING = 2.0
"""px that a box may stand over the picture's edge before anybody is told."""


@dataclass(frozen=True, slots=True)
class Place:
    """`box` None: it cannot be used, and the last of `reasons` says why. `seen` is the part of the plate inside the picture, 0..1."""

    box: Box | None
    corners: tuple[Point, ...] | None = None
    seen: float = 1.0
    reasons: tuple[str, ...] = ()


def place(box: Corners | None, polygon: Sequence[Point], ordered: bool, width: int, height: int) -> Place:
    """px of a picture of that size; neither box nor polygon is the whole picture."""
    if box is None and not polygon:
        return Place(Box(0.0, 0.0, float(width), float(height)))
    if not all(map(math.isfinite, (*(box or ()), *(value for point in polygon for value in point)))):
        return Place(None, reasons=("empty box",))
    corners, reasons = _corners(polygon, ordered) if polygon else (None, ())
    if box is None:
        if "degenerate polygon" in reasons:
            return Place(None, reasons=reasons)
        box = _bounds(polygon)
    if box[0] > box[2] or box[1] > box[3]:
        box, reasons = (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])), (*reasons, "box turned round")
    whole = Box(*box)
    if whole.width < LEAST_SIDE or whole.height < LEAST_SIDE:
        return Place(None, reasons=(*reasons, "empty box"))
    inside = clip(whole, width, height)
    seen = inside.area / whole.area
    if seen <= 0.5 or inside.width < LEAST_SIDE or inside.height < LEAST_SIDE:
        return Place(None, seen=seen, reasons=(*reasons, "box outside"))
    over = max(-whole.x0, -whole.y0, whole.x1 - width, whole.y1 - height)
    if over > ROUNDING:
        reasons = (*reasons, "box clipped")
    if corners is not None:
        if any(not (-ROUNDING <= x <= width + ROUNDING and -ROUNDING <= y <= height + ROUNDING) for x, y in corners):
            corners, reasons = None, (*reasons, "corners dropped")
        else:
            corners = tuple((min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))) for x, y in corners)
    return Place(inside, corners, seen, reasons)


def _bounds(points: Sequence[Point]) -> Corners:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _corners(polygon: Sequence[Point], ordered: bool) -> tuple[tuple[Point, ...] | None, tuple[str, ...]]:
    """Four corners, clockwise from the top-left one, or None with the reason."""
    points = np.array(polygon, np.float32).reshape(-1, 2)
    hull = cv2.convexHull(points).reshape(-1, 2)
    if len(hull) < 3 or cv2.contourArea(hull) < LEAST_SIDE**2:
        return None, ("degenerate polygon",)
    four = _four(hull)
    if four is None:
        return None, ("polygon without corners",)
    if len(points) == 4 and len(hull) == 4:
        four = [(float(x), float(y)) for x, y in hull]
    sorted_out = _clockwise(four)
    given = [(float(x), float(y)) for x, y in points]
    if len(given) == 4 and ordered and _is_clockwise(given):
        return tuple(given), ()
    if len(given) == 4 and given != list(sorted_out):
        return sorted_out, ("corners reordered",)
    return sorted_out, ()


def _four(hull: np.ndarray) -> list[Point] | None:
    """A hull simplified to four points that keep nine tenths of its area."""
    around = cv2.arcLength(hull, True)
    for part in (0.0, 0.01, 0.02, 0.03, 0.05, 0.08):
        simple = cv2.approxPolyDP(hull, part * around, True).reshape(-1, 2)
        if len(simple) == 4:
            return [(float(x), float(y)) for x, y in simple] if cv2.contourArea(simple) >= 0.9 * cv2.contourArea(hull) else None
        if len(simple) < 4:
            return None
    return None


def _is_clockwise(points: Sequence[Point]) -> bool:
    """As seen, y down, and convex: every corner turns right."""
    turns = []
    for i, (x, y) in enumerate(points):
        (ax, ay), (bx, by) = points[i - 1], points[(i + 1) % len(points)]
        turns.append((x - ax) * (by - y) - (y - ay) * (bx - x))
    return all(turn > 0 for turn in turns)


def _clockwise(points: Sequence[Point]) -> tuple[Point, ...]:
    """From the corner whose side goes most to the right: on a plate less than an eighth of a turn askew that is the top-left one."""
    middle_x, middle_y = (sum(values) / 4 for values in zip(*points, strict=True))
    ring = sorted(points, key=lambda point: math.atan2(point[1] - middle_y, point[0] - middle_x))
    start = max(range(4), key=lambda i: ring[(i + 1) % 4][0] - ring[i][0])
    return tuple(ring[(start + i) % 4] for i in range(4))


def turned(point: Point, orientation: int, width: int, height: int) -> Point:
    """A point of the picture as stored, (width, height) px, in the picture turned upright by its EXIF orientation 1..8."""
    x, y = point
    return {
        2: (width - x, y), 3: (width - x, height - y), 4: (x, height - y), 5: (y, x), 6: (height - y, x), 7: (height - y, width - x), 8: (y, width - x),
    }.get(orientation, (x, y))  # fmt: skip
