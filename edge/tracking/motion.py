"""How a plate moves: where it should be by now, which way it goes, and how long it stood.

Constant velocity of the centre and constant growth of the size. Size is the square root of the quad's area: a plate seen from the side loses width
but keeps its height, a tilted one has a larger box but no larger area.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median

import numpy as np

from edge.records import Direction, Quad

BASELINE_S = 0.1
"""Velocity is measured over at least so long: between two frames of a fast camera the detector's jitter would be all there is."""
MOST_GROWTH = math.log(2.0)
"""No plate is expected more than twice as large, or half as large, as it was last seen."""
GROWN = 0.15
"""A plate has come nearer when it grew by this natural logarithm, 16 %: more than the jitter of its corners."""
MOVED_WIDTHS = 1.0
"""It went left or right when its centre moved by so many of its widths."""
STILL_WIDTHS, STILL_GROWTH = 0.25, 0.12
"""What moves and grows by less than this stands."""
ENDS = 3
"""A way is measured from the median of its first places to that of its last: one bad look turns no direction round."""


class Motion:
    """Fed with every sighting's quad; costs the same for a parked car of hours as for one that passes."""

    def __init__(self, quad: Quad, at: float) -> None:
        place = _Place(quad, at)
        self._first = [place]
        self._recent = deque([place], maxlen=16)
        self._anchor = place
        self._stood_s = 0.0
        self._count = 1

    def add(self, quad: Quad, at: float) -> None:
        """One more sighting, later than those before."""
        place = _Place(quad, at)
        self._count += 1
        if len(self._first) < ENDS:
            self._first.append(place)
        self._recent.append(place)
        if place.widths_from(self._anchor) > STILL_WIDTHS or abs(place.log_size - self._anchor.log_size) > STILL_GROWTH:
            self._anchor = place
        self._stood_s = max(self._stood_s, at - self._anchor.at)

    @property
    def stood_s(self) -> float:
        """The longest time in one place, seconds."""
        return self._stood_s

    def expected(self, now: float) -> Quad:
        """Where its corners should be by now, had it gone on as it went."""
        last = self._recent[-1]
        before = next((place for place in reversed(self._recent) if last.at - place.at >= BASELINE_S), self._recent[0])
        base_s, ahead_s = last.at - before.at, now - last.at
        if base_s <= 0.0 or ahead_s <= 0.0:
            return last.quad
        dx, dy = ((last.x - before.x) * ahead_s / base_s, (last.y - before.y) * ahead_s / base_s)
        growth = (last.log_size - before.log_size) * min(ahead_s, 2 * base_s) / base_s
        scale = math.exp(max(-MOST_GROWTH, min(MOST_GROWTH, growth)))
        return Quad.from_array((last.quad.array() - (last.x, last.y)) * scale + (last.x + dx, last.y + dy))

    def direction(self) -> Direction:
        """From the first places to the last ones: nearer or farther where the size tells, else left or right in the picture."""
        ends = min(ENDS, self._count // 2)
        if ends == 0:
            return "unknown"
        first, last = self._first[:ends], list(self._recent)[-ends:]
        growth = median(place.log_size for place in last) - median(place.log_size for place in first)
        width = median(place.width for place in (*first, *last))
        aside = (median(place.x for place in last) - median(place.x for place in first)) / max(width, 1.0)
        if abs(growth) >= GROWN and abs(growth) / GROWN >= 0.5 * abs(aside) / MOVED_WIDTHS:
            return "approaching" if growth > 0 else "leaving"
        if abs(aside) >= MOVED_WIDTHS:
            return "right" if aside > 0 else "left"
        return "unknown"


class _Place:
    """A quad at a time (monotonic seconds), with its centre, width and size in pixels."""

    __slots__ = ("at", "log_size", "quad", "width", "x", "y")

    def __init__(self, quad: Quad, at: float) -> None:
        points = quad.array().astype(float)
        (self.x, self.y), (xs, ys) = points.mean(axis=0).tolist(), points.T
        area = 0.5 * abs(float(xs @ np.roll(ys, -1) - ys @ np.roll(xs, -1)))
        self.quad, self.at, self.width = quad, at, quad.box.width
        self.log_size = 0.5 * math.log(max(area, 1.0))

    def widths_from(self, other: _Place) -> float:
        return math.hypot(self.x - other.x, self.y - other.y) / max(self.width, other.width, 1.0)
