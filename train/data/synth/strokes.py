"""The project's own stroke font: draws the shapes of `glyphs.py` with a pen.

The pen's width, the proportions and the roundness belong to the style, so that one table serves narrow, wide, thin, bold, soft and
angular plate lettering.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.data.synth.glyphs import GLYPHS, WIDTHS

Depth = npt.NDArray[np.float64]

MASTER = 96
"""Height of a master glyph in pixels, without its padding."""
PAD = 12
"""Padding on all sides of a master, pixels."""
SLOPE = 8.0
"""Field units per pixel of distance; 128 is the glyph's edge, larger is inside."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the pen runs. `pen` and `roundness` are shares of the height and of the width; `width` is width / height of an H.

    `nought` is how wide a 0 is beside an O.
    """

    pen: float
    width: float
    roundness: float
    soft: bool
    mono: bool
    alternates: tuple[tuple[str, int], ...] = ()
    nought: float = 1.0


def _points(stroke: str) -> tuple[Depth, list[bool], bool]:
    """(n, 2) points, which of them are rounded, and whether the stroke is closed."""
    words = stroke.split()
    closed = words[-1] == "z"
    words = words[:-1] if closed else words
    return np.array([[float(v) for v in word.rstrip("r").split(",")] for word in words]), [word.endswith("r") for word in words], closed


def _fillet(points: Depth, rounded: list[bool], closed: bool, radius: float) -> Depth:
    """The polyline in pixels with its rounded corners replaced by arcs of seven points."""
    count, out = len(points), []
    for i, point in enumerate(points):
        if not rounded[i] or (not closed and i in (0, count - 1)):
            out.append(point)
            continue
        before, after = points[i - 1] - point, points[(i + 1) % count] - point
        length_a, length_b = float(np.hypot(*before)), float(np.hypot(*after))
        # A neighbour that is rounded too needs its half of the common side; an open end does not.
        share_a = 0.5 if closed or (i - 1 > 0 and rounded[i - 1]) else 0.97
        share_b = 0.5 if closed or (i + 1 < count - 1 and rounded[i + 1]) else 0.97
        reach = min(radius, length_a * share_a, length_b * share_b)
        start, end = point + before / max(length_a, 1e-6) * reach, point + after / max(length_b, 1e-6) * reach
        for t in np.linspace(0, 1, 7):
            # A rational quadratic with weight 1/sqrt(2) is the exact quarter circle for a right angle.
            weights = np.array([(1 - t) ** 2, 2 * t * (1 - t) * 0.70710678, t * t])
            out.append((weights[0] * start + weights[1] * point + weights[2] * end) / weights.sum())
    if closed:
        out.append(out[0])
    return np.array(out)


def _deepen(inside: Depth, path: Depth, closed: bool, half: float, flat: tuple[bool, bool]) -> None:
    """Raise `inside` (rows, columns), the depth of each pixel's centre in the ink, by one stroke; pixels, negative outside."""
    last, reach = len(path) - 2, half + PAD + 1
    for i in range(len(path) - 1):
        start, along = path[i], path[i + 1] - path[i]
        length = float(np.hypot(*along))
        if length < 1e-6:
            continue
        along = along / length
        # Farther away the field is clipped anyway: only the segment's neighbourhood is worked on.
        (x0, y0), (x1, y1) = np.minimum(start, path[i + 1]) - reach + PAD, np.maximum(start, path[i + 1]) + reach + PAD
        rows, columns = slice(max(0, int(y0)), max(0, int(y1) + 1)), slice(max(0, int(x0)), max(0, int(x1) + 1))
        region = inside[rows, columns]
        y = np.arange(rows.start, rows.start + region.shape[0])[:, None] + 0.5 - PAD - start[1]
        x = np.arange(columns.start, columns.start + region.shape[1])[None] + 0.5 - PAD - start[0]
        t = x * along[0] + y * along[1]
        aside = np.abs(y * along[0] - x * along[1])
        beyond = np.maximum(-t, t - length)
        depth = half - np.hypot(aside, np.maximum(beyond, 0))
        cut = np.minimum(half - aside, -beyond)
        if flat[0] and i == 0 and not closed:
            depth = np.where(t < 0, cut, depth)
        if flat[1] and i == last and not closed:
            depth = np.where(t > length, cut, depth)
        np.maximum(region, depth, out=region)


def _is_cut(points: Depth, unit: Depth, end: int, inner: int) -> bool:
    """A slanting end within the box's width is an apex (A, M, V, W): two flat cuts there would grow ears, so it stays round."""
    slant = np.abs(points[end] - points[inner])
    return not (0 < unit[end, 0] < 1 and slant.min() > 0.12 * slant.max() and (unit[end, 1] <= 0.1 or unit[end, 1] >= 1))


def _extended(path: Depth, unit: Depth, half: float) -> Depth:
    """Open ends on the border of the unit box run on past it, so that the box cuts them flat."""
    path = path.copy()
    for end, inner in ((0, 1), (-1, -2)):
        x, y = unit[end]
        direction = path[end] - path[inner]
        norm = float(np.hypot(*direction))
        if norm > 1e-6 and (x <= 0 or x >= 1 or y <= 0 or y >= 1):
            vertical = abs(direction[1]) > abs(direction[0])
            if (vertical and (y <= 0 or y >= 1)) or (not vertical and (x <= 0 or x >= 1)):
                path[end] = path[end] + direction / norm * half * 2.5
    return path


def stroke_field(char: str, style: Style) -> npt.NDArray[np.uint8]:
    """Distance field of one glyph, (MASTER + 2 PAD, width + 2 PAD) uint8: 128 on the edge, SLOPE units a pixel, larger inside."""
    shapes = GLYPHS[char]
    strokes = shapes[dict(style.alternates).get(char, 0) % len(shapes)]
    half = style.pen * MASTER / 2
    wide = style.nought if char == "0" else WIDTHS.get(char, 1.0)
    if char == "I" and len(strokes) > 1:
        wide = 0.62
    if char == "1" and len(strokes) == 1:
        wide = 0.0
    width = max(2 * half, wide * style.width * MASTER)
    columns = round(width) + 2 * PAD
    inside = np.full((MASTER + 2 * PAD, columns), -1e3)
    for stroke in strokes:
        unit, rounded, closed = _points(stroke)
        points = np.stack([half + unit[:, 0] * (width - 2 * half), half + unit[:, 1] * (MASTER - 2 * half)], 1)
        path = _fillet(points, rounded, closed, style.roundness * width)
        flat = (False, False) if closed or style.soft else (_is_cut(points, unit, 0, 1), _is_cut(points, unit, -1, -2))
        if any(flat):
            path = _extended(path, unit, half)
        _deepen(inside, path, closed, half, flat)
    if char != "Q":
        x, y = np.arange(columns)[None] + 0.5 - PAD, np.arange(MASTER + 2 * PAD)[:, None] + 0.5 - PAD
        inside = np.minimum(inside, np.minimum(np.minimum(x, width - x), np.minimum(y, MASTER - y)))
    return np.clip(128 + SLOPE * inside, 0, 255).astype(np.uint8)
