"""Polygons in the picture: where plates count, and where nothing is looked at. Corners are shares of the width and the height, 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

Point = tuple[float, float]
Polygon = tuple[Point, ...]
LEAST_AREA = 1e-4
"""A hundredth of the width by a hundredth of the height."""


def checked(polygon: Polygon) -> Polygon:
    """The same, or ValueError in one sentence."""
    if len(polygon) < 3:
        raise ValueError(f"a polygon needs at least 3 corners, not {len(polygon)}")
    if len(polygon) > 100:
        raise ValueError(f"a polygon of {len(polygon)} corners is more than anyone draws; leave it at 100")
    for x, y in polygon:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(f"the corner [{x:g}, {y:g}] is outside the picture; corners are shares of its width and height, from 0 to 1")
    if len(set(polygon)) < len(polygon):
        raise ValueError("a polygon goes through one of its corners twice; leave the second out, the last corner is joined to the first by itself")
    if _crosses_itself(polygon):
        raise ValueError("a polygon crosses itself; name its corners in the order in which you would draw them")
    if area(polygon) < LEAST_AREA:
        raise ValueError("a polygon has hardly any area; draw it larger")
    return polygon


def area(polygon: Sequence[Point]) -> float:
    """Share of the picture."""
    return 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, (*polygon[1:], polygon[0]), strict=True)))


def contains(polygon: Sequence[Point], x: float, y: float) -> bool:
    """Is the point inside? By counting the sides that a ray to the right meets."""
    inside = False
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


@dataclass(frozen=True, slots=True)
class Regions:
    """What is watched: all of the picture, or the polygons `include`, and in them nothing of `exclude`."""

    include: tuple[Polygon, ...] = ()
    exclude: tuple[Polygon, ...] = ()

    def admits(self, x: float, y: float) -> bool:
        """Does something there count? Shares of the width and the height."""
        return (not self.include or any(contains(one, x, y) for one in self.include)) and not any(contains(one, x, y) for one in self.exclude)


def _crosses_itself(polygon: Polygon) -> bool:
    """Two of its sides that are no neighbours touch or cross."""
    count = len(polygon)
    sides = [(polygon[place], polygon[(place + 1) % count]) for place in range(count)]
    return any(_meet(*sides[i], *sides[j]) for i, j in combinations(range(count), 2) if j - i > 1 and (i, j) != (0, count - 1))


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    one, two, three, four = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if one * two < 0 and three * four < 0:
        return True
    return any(turn == 0 and _between(p, q, r) for turn, p, q, r in ((one, a, b, c), (two, a, b, d), (three, c, d, a), (four, c, d, b)))


def _turn(a: Point, b: Point, c: Point) -> float:
    """Positive where the way from a over b to c turns to one side, negative to the other, 0 straight on."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: Point, b: Point, c: Point) -> bool:
    """Is c, on the line of a and b, between them?"""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])
