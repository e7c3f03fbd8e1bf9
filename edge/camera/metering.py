"""Exposure by the plates in view: libcamera meters the whole picture, and a white plate in dark surroundings is burnt out by that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.records import Luma, Quad

BURNT_OUT = 250
TOO_MUCH, TOO_LITTLE = 0.05, 90.0
"""Share of a plate's pixels that are burnt out, and the luma below which its lighter half is too dark."""
STEP_EV, DARKEST_EV, BRIGHTEST_EV = 1 / 3, -3.0, 2.0
EVERY_S = 0.5
"""libcamera needs some frames to follow."""
FORGET_S = 60.0


class PlateMetering:
    """Exposure compensation (EV, +1 doubles the light) that keeps the plates in view between too dark and burnt out."""

    def __init__(self) -> None:
        self.ev = 0.0
        self._changed_at = self._seen_at = float("-inf")

    def after(self, luma: Luma, quads: Sequence[Quad], now: float) -> float:
        """Once more, with a frame (H, W) and the plates in it; back to 0 when none was seen for a minute."""
        plates = [plate for quad in quads if (plate := _cut(luma, quad)).size]
        if not plates:
            self.ev = 0.0 if now - self._seen_at > FORGET_S else self.ev
            return self.ev
        self._seen_at = now
        if now - self._changed_at < EVERY_S:
            return self.ev
        wanted = self.ev
        if max(float((plate >= BURNT_OUT).mean()) for plate in plates) > TOO_MUCH:
            wanted -= STEP_EV
        elif min(float(np.percentile(plate, 75)) for plate in plates) < TOO_LITTLE:
            wanted += STEP_EV
        wanted = min(max(wanted, DARKEST_EV), BRIGHTEST_EV)
        if wanted != self.ev:
            self.ev, self._changed_at = wanted, now
        return self.ev


def _cut(luma: Luma, quad: Quad) -> Luma:
    """A view of the upright part of (H, W) around a plate."""
    box, (height, width) = quad.box, luma.shape
    return luma[max(0, int(box.y0)) : min(height, int(box.y1) + 1), max(0, int(box.x0)) : min(width, int(box.x1) + 1)]
