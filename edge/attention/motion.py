"""Does anything move? On the small plane, by what changes against a running background.

Compared is not luma but local contrast (how much lighter a spot is than what is around it, as a share of that): a cloud, a lamp or the camera's own
exposure changes all of a neighbourhood alike and leaves the contrast as it was; so does the soft inside of a shadow. Each spot knows how much it
flickers by itself, so that noise and leaves in the wind are used up after a while.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.attention.regions import Polygon, Regions
from edge.records import Luma

Plane = npt.NDArray[np.float32]
CELL_PX = 10
AROUND_PX = 11
OFFSET = 24.0
"""Added to the luma that a contrast is a share of: in the dark, noise is most of the luma."""
STILL_S, MOVED_S, FLICKER_S = 3.0, 15.0, 20.0
"""Time constants: how fast the background follows where nothing moves, where something does, and how slowly a spot is taken to flicker."""
FIRST_FLICKER, MOST_FLICKER = 0.03, 0.3
FLICKERS = 3.0
"""A spot moves when it is off by its own flicker so many times over, and by the wanted contrast."""
JUMP = 0.7
"""When so much of the picture moves at once, the light or the camera was changed: the background is learnt anew."""
HOLD_S = 0.5


class MotionGate:
    """Fed with small planes (h, w) uint8 of one camera; a plane of another size begins anew."""

    def __init__(self, regions: Regions, contrast: float, cell_share: float) -> None:
        self._regions, self._contrast, self._share = regions, contrast, cell_share
        self._ground: Plane | None = None
        self._flicker: Plane = np.zeros((0, 0), np.float32)
        self._cells: npt.NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self._at = self._moved_at = self._began_at = float("-inf")

    def update(self, overview: Luma, now: float) -> bool:
        """Whether something moves, or did within the last half second; what was never seen before counts as motion. `now` in monotonic s."""
        contrast = local_contrast(overview)
        if self._ground is None or self._ground.shape != contrast.shape:
            self._begin(contrast, now)
            self._at = self._moved_at = now
            return True
        passed_s, self._at = max(0.0, now - self._at), now
        off = contrast - self._ground
        size = np.abs(off)
        moved = size > FLICKERS * self._flicker + self._contrast
        mask, watched = _mask(self._regions, contrast.shape[1], contrast.shape[0])
        self._cells = (shares(moved & mask) > self._share) & watched
        if self._cells.sum() > JUMP * max(1, watched.sum()):
            self._begin(contrast, now)
        else:
            self._ground += np.where(moved, 1 - math.exp(-passed_s / MOVED_S), 1 - math.exp(-passed_s / STILL_S)).astype(np.float32) * off
            # At first the mean of what there was: a noisy camera is known for one at once.
            share = max(1 - math.exp(-passed_s / FLICKER_S), passed_s / max(now - self._began_at, 1e-6))
            self._flicker += np.float32(min(share, 1.0)) * (np.minimum(size, np.float32(MOST_FLICKER)) - self._flicker)
        if self._cells.any():
            self._moved_at = now
        return now - self._moved_at <= HOLD_S

    def touches(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        """Does anything move just now in or around this box (shares of the width and the height)?"""
        if not self._cells.size or self._ground is None:
            return True
        high, wide = self._ground.shape[0] / CELL_PX, self._ground.shape[1] / CELL_PX
        top, left = max(0, math.floor(y0 * high) - 1), max(0, math.floor(x0 * wide) - 1)
        return bool(self._cells[top : math.ceil(y1 * high) + 1, left : math.ceil(x1 * wide) + 1].any())

    @property
    def cells(self) -> npt.NDArray[np.bool_]:
        """What moves just now, (rows, columns) of the small plane; (0, 0) before there was anything to compare."""
        return self._cells

    def _begin(self, contrast: Plane, now: float) -> None:
        self._ground, self._flicker, self._began_at = contrast, np.full_like(contrast, FIRST_FLICKER), now


def local_contrast(overview: Luma) -> Plane:
    """(h, w) uint8 -> (h, w) float32: 0 where a spot is as light as what is around it, 1 where it is twice as light."""
    luma = overview.astype(np.float32)
    around = cv2.blur(luma, (AROUND_PX, AROUND_PX))
    return np.asarray((luma - around) / (around + OFFSET), dtype=np.float32)


def shares(moved: npt.NDArray[np.bool_]) -> Plane:
    """(h, w) -> the share of each cell that moves, (ceil(h / 10), ceil(w / 10)); cells at the border may be smaller."""
    rows, columns = range(0, moved.shape[0], CELL_PX), range(0, moved.shape[1], CELL_PX)
    sums = np.add.reduceat(np.add.reduceat(moved.astype(np.float32), rows, axis=0), columns, axis=1)
    high = [min(CELL_PX, moved.shape[0] - row) for row in rows]
    wide = [min(CELL_PX, moved.shape[1] - column) for column in columns]
    return np.asarray(sums / np.outer(high, wide), dtype=np.float32)


@lru_cache(maxsize=4)
def _mask(regions: Regions, width: int, height: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which pixels of a small plane are watched (height, width), and which cells have any of them."""
    mask = np.full((height, width), 0 if regions.include else 1, np.uint8)
    for polygons, value in ((regions.include, 1), (regions.exclude, 0)):
        for polygon in polygons:
            cv2.fillPoly(mask, [_corners(polygon, width, height)], value)
    return mask.astype(bool), shares(mask.astype(bool)) > 0


def _corners(polygon: Polygon, width: int, height: int) -> npt.NDArray[np.int32]:
    return np.array([[round(x * (width - 1)), round(y * (height - 1))] for x, y in polygon], dtype=np.int32)
