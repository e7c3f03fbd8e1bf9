"""Where to look again, closer: a small network on a small picture finds a far plate but faintly, and says only roughly where it is.

The whole frame is looked at once, shrunk to the network's size. What was found there small or faint is cut out of the frame's own pixels and
looked at again at a size at which a plate is easy to tell; what the closer look does not confirm is dropped. A frame with its plates near by
needs no second look at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from edge.records import Box, Detection, Quad
from edge.vision.geometry import suppress

WIDE = 44.0
"""Pixels of the network's input. A plate that is wider was seen well enough at the first look."""
WANTED = 64.0
"""Width to which the closer look brings a plate, pixels of the network's input."""
MOST_ZOOM = 2.0
"""Pixels of the network's input a pixel of the frame: beyond that nothing is there to be seen."""
FAINT = 0.15
"""Score from which something at the first look is worth a closer one."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the frame, whole pixels, to be looked at closer: left, top (inclusive), right, bottom (exclusive)."""

    x0: int
    y0: int
    x1: int
    y1: int

    def shows(self, box: Box) -> bool:
        """Is the box in it with room to spare?"""
        dx, dy = 0.08 * (self.x1 - self.x0), 0.08 * (self.y1 - self.y0)
        return self.x0 + dx <= box.x0 and box.x1 <= self.x1 - dx and self.y0 + dy <= box.y0 and box.y1 <= self.y1 - dy


@dataclass(frozen=True, slots=True)
class Plan:
    """`settled` needs no second look; `views` are to be looked at, the best first."""

    settled: list[Detection]
    views: list[View]


def plan(found: list[Detection], scale: float, size: tuple[int, int], frame: tuple[int, int], most: int) -> Plan:
    """What to do about the detections of a first look, best first, in pixels of the frame.

    `scale` is the network's pixels a pixel of the frame, `size` the network's (width, height), `frame` the frame's, `most` the number of views
    that may be spent: small detections for which none is left stay as they are, and so does what is fainter than FAINT.
    """
    settled: list[Detection] = []
    views: list[tuple[View, float]] = []
    for one in found:
        wide = max(one.box.width, 1.6 * one.box.height)  # a square plate is as hard to see as a long one of that height
        zoom = min(max(WANTED / max(wide, 1.0), scale), MOST_ZOOM)
        if one.score < FAINT or wide * scale >= WIDE or zoom < 1.3 * scale:
            settled.append(one)
            continue
        if any(view.shows(one.box) and abs(math.log(zoom / other)) < 0.5 for view, other in views):
            continue
        if len(views) < most:
            views.append((_around(one.box, zoom, size, frame), zoom))
        else:
            settled.append(one)
    return Plan(settled, [view for view, _ in views])


def _around(box: Box, zoom: float, size: tuple[int, int], frame: tuple[int, int]) -> View:
    """The view of that zoom around the box, moved to lie within the frame; smaller only where the frame is."""
    low, high = [], []
    for middle, network, room in zip(box.centre, size, frame, strict=True):
        length = min(room, round(network / zoom))
        start = min(max(0, round(middle - length / 2)), room - length)
        low.append(start)
        high.append(start + length)
    return View(low[0], low[1], high[0], high[1])


def carry(found: list[Detection], view: View, frame: tuple[int, int]) -> list[Detection]:
    """Detections in pixels of a view, as pixels of the frame; those cut by a border of the view that is none of the frame are left out."""
    kept = []
    for one in found:
        box, edge = one.box, 0.01 * (view.x1 - view.x0)
        if (box.x0 < edge and view.x0 > 0) or (box.y0 < edge and view.y0 > 0):
            continue
        if (box.x1 > view.x1 - view.x0 - edge and view.x1 < frame[0]) or (box.y1 > view.y1 - view.y0 - edge and view.y1 < frame[1]):
            continue
        moved = Box(box.x0 + view.x0, box.y0 + view.y0, box.x1 + view.x0, box.y1 + view.y0)
        kept.append(replace(one, box=moved, quad=Quad.from_array(one.quad.array() + np.array([view.x0, view.y0]))))
    return kept


def outside(found: list[Detection], settled: list[Detection], least: float = 0.7) -> list[Detection]:
    """Of the finds of a closer look those that are no part of a plate which was seen well already: so near, half a plate may look like one.

    A part is no less than a sixth of its plate, and the plate was seen with more than half the part's score.
    """

    def part(one: Detection, whole: Detection) -> bool:
        across = min(one.box.x1, whole.box.x1) - max(one.box.x0, whole.box.x0)
        down = min(one.box.y1, whole.box.y1) - max(one.box.y0, whole.box.y0)
        inside = across > 0 and down > 0 and across * down > least * one.box.area
        return inside and whole.box.area < 6 * one.box.area and whole.score > 0.5 * one.score

    return [one for one in found if not any(part(one, whole) for whole in settled)]


def merge(found: list[Detection], overlap: float = 0.45) -> list[Detection]:
    """One detection a plate, best first."""
    if len(found) < 2:
        return found
    boxes = np.array([[one.box.x0, one.box.y0, one.box.x1, one.box.y1] for one in found], np.float32)
    return [found[index] for index in suppress(boxes, np.array([one.score for one in found], np.float32), overlap)]
