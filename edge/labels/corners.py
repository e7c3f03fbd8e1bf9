"""Where the plate is in its own picture."""

from __future__ import annotations

from edge.labels.label import Corners
from edge.shapes import Box, Quad

MARGIN = 0.15
"""As the pipeline cuts: of the detection's size, on each side."""
SLACK_PX, SLACK = 4.0, 0.06
"""By so much may a picture's size differ from what its quad lets expect: the detection's box is not quite the box of its corners."""


def corners_in_crop(quad: Quad, at: tuple[int, int] | None, size: tuple[int, int]) -> Corners | None:
    """The corners in pixels of the crop, clockwise; `at` is the crop's top-left corner in the frame, `size` its width and height.

    Crops of older versions do not tell where they were cut: then it is worked out from the quad, and None where the size speaks against it.
    """
    if at is None:
        box = quad.box
        left, top = int(max(0.0, box.x0 - MARGIN * box.width)), int(max(0.0, box.y0 - MARGIN * box.height))
        expected = box.x1 + MARGIN * box.width - left, box.y1 + MARGIN * box.height - top
        if any(abs(want - has) > SLACK_PX + SLACK * want for want, has in zip(expected, size, strict=True)):
            return None
        at = left, top
    return tuple((round(x - at[0], 1), round(y - at[1], 1)) for x, y in quad.points)


def box_in_crop(corners: Corners | None, width: int, height: int) -> Box:
    """The box around the corners, within the picture; where they are not known, the picture without its margin."""
    if corners is not None:
        xs, ys = [min(max(x, 0.0), float(width)) for x, _ in corners], [min(max(y, 0.0), float(height)) for _, y in corners]
        if max(xs) - min(xs) >= 1 and max(ys) - min(ys) >= 1:
            return Box(min(xs), min(ys), max(xs), max(ys))
    dx, dy = (round(side * MARGIN / (1 + 2 * MARGIN), 1) for side in (width, height))
    return Box(dx, dy, width - dx, height - dy)
