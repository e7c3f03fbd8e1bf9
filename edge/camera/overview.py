"""The small plane of a frame: enough to see that something moves, and cheap to look at."""

from __future__ import annotations

from edge.records import Luma
from edge.vision.image import resize

WIDTH = 160


def overview(luma: Luma) -> Luma:
    """(H, W) -> (h, 160), in the same proportions; a frame as small as that stays as it is."""
    height, width = luma.shape
    return luma if width <= WIDTH else resize(luma, WIDTH, max(1, round(WIDTH * height / width)))
