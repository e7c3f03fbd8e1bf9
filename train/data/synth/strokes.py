"""The project's own stroke font: every glyph is a few polylines with filleted corners in a unit box.

A stroke is a string of points `x,y` with x to the right and y down, both 0..1; `r` after a point rounds that corner with the
style's radius, a trailing `z` closes the stroke. The pen's width, the proportions and the roundness belong to the style, so that one
table serves narrow, wide, thin, bold, soft and angular plate lettering.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

MASTER = 96
"""Height of a master glyph in pixels, without its padding."""
PAD = 12
"""Padding on all sides of a master, pixels."""
SLOPE = 8.0
"""Field units per pixel of distance; 128 is the glyph's edge, larger is inside."""

_RIGHT_BOWL = "0,0 1,0r 1,{m}r 0,{m}"
GLYPHS: dict[str, tuple[tuple[str, ...], ...]] = {
    "A": (("0,1 .5,0", ".5,0 1,1", ".17,.7 .83,.7"), ("0,1 .4,0", ".6,0 1,1", ".4,0 .6,0", ".14,.7 .86,.7"), ("0,1 0,.3 .5,0 1,.3 1,1", "0,.62 1,.62")),
    "B": (("0,0 0,1", "0,0 .94,0r .94,.48r 0,.48", "0,.48 1,.48r 1,1r 0,1"), ("0,0 0,1", "0,0 1,0r 1,.5r 0,.5", "0,.5 1,.5r 1,1r 0,1")),
    "C": (("1,.3 1,0r 0,0r 0,1r 1,1r 1,.7",), ("1,.22 1,0r 0,0r 0,1r 1,1r 1,.78",)),
    "D": (("0,0 0,1", "0,0 1,0r 1,1r 0,1"),),
    "E": (("0,0 0,1", "0,0 1,0", "0,.48 .88,.48", "0,1 1,1"), ("0,0 0,1", "0,0 1,0", "0,.5 .7,.5", "0,1 1,1")),
    "F": (("0,0 0,1", "0,0 1,0", "0,.5 .86,.5"), ("0,0 0,1", "0,0 1,0", "0,.46 .7,.46")),
    "G": (("1,.28 1,0r 0,0r 0,1r 1,1r 1,.55 .55,.55",), ("1,.24 1,0r 0,0r 0,1r 1,1r 1,.5", "1,.5 1,1", ".6,.52 1,.52"), ("1,.3 1,0r 0,0r 0,1r 1,1r 1,.55 .62,.55",)),
    "H": (("0,0 0,1", "1,0 1,1", "0,.48 1,.48"),),
    "I": ((".5,0 .5,1",), (".5,0 .5,1", "0,0 1,0", "0,1 1,1")),
    "J": (("1,0 1,1r 0,1r 0,.7",), ("1,0 1,1r 0,1r 0,.62",), (".3,0 1,0", "1,0 1,1r 0,1r 0,.75")),
    "K": (("0,0 0,1", "1,0 .04,.58", ".34,.38 1,1"), ("0,0 0,1", "1,0 .12,.5", ".12,.5 1,1")),
    "L": (("0,0 0,1", "0,1 1,1"),),
    "M": (("0,0 0,1", "1,0 1,1", "0,0 .5,.62", "1,0 .5,.62"), ("0,0 0,1", "1,0 1,1", "0,0 .5,1", "1,0 .5,1"), ("0,0 0,1", "1,0 1,1", "0,0 .5,.42", "1,0 .5,.42")),
    "N": (("0,0 0,1", "1,0 1,1", "0,0 1,1"),),
    "O": (("0,0r 1,0r 1,1r 0,1r z",),),
    "P": (("0,0 0,1", "0,0 1,0r 1,.54r 0,.54"), ("0,0 0,1", "0,0 1,0r 1,.48r 0,.48")),
    "Q": (("0,0r 1,0r 1,1r 0,1r z", ".58,.72 1,1.02"), ("0,0r 1,0r 1,1r 0,1r z", ".5,.66 .98,1.1")),
    "R": (("0,0 0,1", "0,0 1,0r 1,.52r 0,.52", ".45,.52 1,1"), ("0,0 0,1", "0,0 1,0r 1,.5r 0,.5", ".62,.5 1,1"), ("0,0 0,1", "0,0 1,0r 1,.5r 0,.5", ".5,.5 1,.5r 1,1")),
    "S": (("1,.27 1,0r 0,0r 0,.47r 1,.47r 1,1r 0,1r 0,.73",), ("1,.2 1,0r 0,0r 0,.5r 1,.5r 1,1r 0,1r 0,.8",)),
    "T": ((".5,0 .5,1", "0,0 1,0"),),
    "U": (("0,0 0,1r 1,1r 1,0",),),
    "V": (("0,0 .5,1", "1,0 .5,1"),),
    "W": (("0,0 .25,1", ".5,.1 .25,1", ".5,.1 .75,1", "1,0 .75,1"), ("0,0 0,1", "1,0 1,1", "0,1 .5,.4", "1,1 .5,.4"), ("0,0 .26,1", ".5,0 .26,1", ".5,0 .74,1", "1,0 .74,1")),
    "X": (("0,0 1,1", "1,0 0,1"),),
    "Y": (("0,0 .5,.52", "1,0 .5,.52", ".5,.5 .5,1"), ("0,0 .5,.6", "1,0 .5,.6", ".5,.58 .5,1")),
    "Z": (("0,0 1,0", "1,0 0,1", "0,1 1,1"), ("0,0 1,0", "1,.04 0,.96", "0,1 1,1")),
    "0": (("0,0r 1,0r 1,1r 0,1r z",),),
    "1": (("1,0 1,1", "1,0 0,.28"), (".5,0 .5,1", ".5,0 0,.22", "0,1 1,1"), (".5,0 .5,1",), ("1,0 1,1", "1,.02 0,.2")),
    "2": (("0,.28 0,0r 1,0r 1,.42r 0,1", "0,1 1,1"), ("0,.25 0,0r 1,0r 1,.5r 0,.62r 0,1", "0,1 1,1"), ("0,.22 0,0r 1,0r 1,.38 .05,.97", "0,1 1,1")),
    "3": (
        ("0,.24 0,0r 1,0r 1,.48r .35,.48", ".35,.48 1,.48r 1,1r 0,1r 0,.76"),
        ("0,0 1,0", "1,0 .42,.4", ".42,.4 1,.4r 1,1r 0,1r 0,.76"),
        ("0,.2 0,0r .95,0r .95,.47r .4,.47", ".4,.47 1,.47r 1,1r 0,1r 0,.8"),
    ),
    "4": ((".72,0 0,.74", "0,.74 1,.74", ".74,0 .74,1"), (".5,0 0,.72", "0,.72 1,.72", ".72,.4 .72,1"), (".8,0 .8,1", ".8,0 0,.66", "0,.68 1,.68")),
    "5": (
        (".94,0 .06,0", ".06,0 .02,.46", ".02,.44 .5,.36r 1,.38r 1,1r 0,1r 0,.76"),
        ("1,0 0,0", "0,0 0,.43", "0,.43 1,.43r 1,1r 0,1r 0,.74"),
        (".94,0 .08,0", ".08,0 0,.5", "0,.5 0,.38r 1,.38r 1,1r 0,1r 0,.78"),
    ),
    "6": (("1,.24 1,0r 0,0r 0,1r 1,1r 1,.42r 0,.42r 0,.7",), (".7,0 0,.52r 0,1r 1,1r 1,.42r 0,.42r 0,.7",), (".78,0 .3,.1r 0,.6r 0,1r 1,1r 1,.4r 0,.4r 0,.72",)),
    "7": (("0,0 1,0", "1,0 .3,1"), ("0,0 1,0", "1,0 1,.2r .35,.6r .35,1"), ("0,.14 0,0 1,0", "1,0 .34,1")),
    "8": (
        (".06,0r .94,0r .94,.47r .06,.47r z", "0,.47r 1,.47r 1,1r 0,1r z"),
        ("0,0r 1,0r 1,.5r 0,.5r z", "0,.5r 1,.5r 1,1r 0,1r z"),
        (".1,0r .9,0r .9,.45r .1,.45r z", "0,.45r 1,.45r 1,1r 0,1r z"),
    ),
    "9": (("0,.76 0,1r 1,1r 1,0r 0,0r 0,.58r 1,.58r 1,.3",), (".3,1 1,.48r 1,0r 0,0r 0,.58r 1,.58r 1,.3",), (".22,1 .7,.9r 1,.4r 1,0r 0,0r 0,.6r 1,.6r 1,.28",)),
}
WIDTHS = {"I": 0.0, "1": 0.62, "M": 1.24, "W": 1.36, "J": 0.88, "L": 0.9, "E": 0.92, "F": 0.9, "T": 0.98, "Q": 1.02, "A": 1.06, "V": 1.05}
"""Width of a glyph relative to the style's; 0 stands for a bare upright."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the pen runs. `pen` and `roundness` are shares of the height and of the width; `width` is width / height of an H."""

    pen: float
    width: float
    roundness: float
    soft: bool
    mono: bool
    alternates: tuple[tuple[str, int], ...] = ()


def _points(stroke: str) -> tuple[npt.NDArray[np.float64], list[bool], bool]:
    """(n, 2) points, which of them are rounded, and whether the stroke is closed."""
    words = stroke.split()
    closed = words[-1] == "z"
    words = words[:-1] if closed else words
    return np.array([[float(v) for v in word.rstrip("r").split(",")] for word in words]), [word.endswith("r") for word in words], closed


def _fillet(points: npt.NDArray[np.float64], rounded: list[bool], closed: bool, radius: float) -> npt.NDArray[np.float64]:
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


def _distance_inside(grid: npt.NDArray[np.float64], path: npt.NDArray[np.float64], closed: bool, half: float, flat: tuple[bool, bool]) -> npt.NDArray[np.float64]:
    """How deep each grid point (n, 2) lies inside the stroke, pixels, negative outside."""
    deepest = np.full(len(grid), -1e3)
    last = len(path) - 2
    for i in range(len(path) - 1):
        start, along = path[i], path[i + 1] - path[i]
        length = float(np.hypot(*along))
        if length < 1e-6:
            continue
        along = along / length
        offset = grid - start
        t = offset @ along
        aside = np.abs(offset @ np.array([-along[1], along[0]]))
        beyond = np.maximum(-t, t - length)
        depth = half - np.hypot(aside, np.maximum(beyond, 0))
        cut = np.minimum(half - aside, -beyond)
        if flat[0] and i == 0 and not closed:
            depth = np.where(t < 0, cut, depth)
        if flat[1] and i == last and not closed:
            depth = np.where(t > length, cut, depth)
        deepest = np.maximum(deepest, depth)
    return deepest


def _is_cut(points: npt.NDArray[np.float64], unit: npt.NDArray[np.float64], end: int, inner: int) -> bool:
    """A slanting end within the box's width is an apex (A, M, V, W): two flat cuts there would grow ears, so it stays round."""
    slant = np.abs(points[end] - points[inner])
    return not (0 < unit[end, 0] < 1 and slant.min() > 0.12 * slant.max() and (unit[end, 1] <= 0.1 or unit[end, 1] >= 1))


def _extended(path: npt.NDArray[np.float64], unit: npt.NDArray[np.float64], half: float) -> npt.NDArray[np.float64]:
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


@cache
def stroke_field(char: str, style: Style) -> npt.NDArray[np.uint8]:
    """Distance field of one glyph, (MASTER + 2 PAD, width + 2 PAD) uint8: 128 on the edge, SLOPE units a pixel, larger inside."""
    shapes = GLYPHS[char]
    strokes = shapes[dict(style.alternates).get(char, 0) % len(shapes)]
    half = style.pen * MASTER / 2
    wide = WIDTHS.get(char, 1.0)
    if char == "I" and len(strokes) > 1:
        wide = 0.62
    if char == "1" and len(strokes) == 1:
        wide = 0.0
    width = max(2 * half, wide * style.width * MASTER)
    columns = round(width) + 2 * PAD
    ys, xs = np.mgrid[0 : MASTER + 2 * PAD, 0:columns]
    grid = np.stack([xs.ravel() + 0.5 - PAD, ys.ravel() + 0.5 - PAD], 1)
    inside = np.full(len(grid), -1e3)
    for stroke in strokes:
        unit, rounded, closed = _points(stroke)
        points = np.stack([half + unit[:, 0] * (width - 2 * half), half + unit[:, 1] * (MASTER - 2 * half)], 1)
        path = _fillet(points, rounded, closed, style.roundness * width)
        flat = (False, False) if closed or style.soft else (_is_cut(points, unit, 0, 1), _is_cut(points, unit, -1, -2))
        if any(flat):
            path = _extended(path, unit, half)
        inside = np.maximum(inside, _distance_inside(grid, path, closed, half, flat))
    if char != "Q":
        box = np.minimum(np.minimum(grid[:, 0], width - grid[:, 0]), np.minimum(grid[:, 1], MASTER - grid[:, 1]))
        inside = np.minimum(inside, box)
    return np.clip(128 + SLOPE * inside, 0, 255).astype(np.uint8).reshape(MASTER + 2 * PAD, columns)
