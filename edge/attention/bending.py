"""Whether two numbers of `view.lens` can be a lens at all. Apart from the lens itself, so that reading a config loads no OpenCV."""

from __future__ import annotations

FARTHEST = 1.3
"""In halves of the picture's diagonal: a little outside of its corners."""


def bends_back(k1: float, k2: float) -> bool:
    """Would some ring of the picture belong inside a smaller one? No lens does that."""
    return any(1 + 3 * k1 * r * r + 5 * k2 * r**4 <= 0.05 for r in (step / 100 * FARTHEST for step in range(101)))
