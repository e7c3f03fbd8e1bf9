"""Which frames are worth a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from edge.attention.motion import MotionGate
from edge.attention.regions import Regions
from edge.attention.settings import MotionConfig, ViewConfig
from edge.camera.overview import overview
from edge.records import Box, Detection, Frame
from edge.tracking.tracker import Track

FRESH_S = 3.0
"""A plate is looked at in every frame for so long after its text has settled; then, where it stands, only often enough not to lose it."""
KEEP = 0.4
"""Share of the time after which an unseen plate is lost."""


class Attention:
    """Every frame while a plate is in view, fewer while something moves, few while nothing does.

    `slowness` (1 or more, from the governor) stretches the times between looks for what is not there yet, and no others.
    """

    def __init__(self, view: ViewConfig, motion: MotionConfig, *, lost_after_s: float, settle_s: float, slowness: Callable[[], float] = lambda: 1.0) -> None:
        self._regions, self._config, self._slowness = Regions(view.include, view.exclude), motion, slowness
        self._lost_after_s, self._fresh_s = lost_after_s, settle_s + FRESH_S
        self._gate = MotionGate(self._regions, motion.contrast, motion.cell_share)
        self._looked_at = float("-inf")
        self.moving = False
        self.looked = self.passed_over = 0

    def wants(self, frame: Frame, tracks: Sequence[Track]) -> bool:
        """Whether to look at this frame; `tracks` are the plates that are followed."""
        if not self._config.enabled:
            self.moving = True
            self.looked += 1
            return True
        small = overview(frame.luma) if frame.overview is None else frame.overview
        self.moving = self._gate.update(small, frame.seen_at)
        wanted = frame.seen_at - self._looked_at >= self._pause_s(tracks, frame)
        if wanted:
            self._looked_at = frame.seen_at
        self.looked += wanted
        self.passed_over += not wanted
        return wanted

    def admits(self, found: Detection, width: int, height: int) -> bool:
        """Is a plate in a frame of this size, pixels, where plates count?"""
        x, y = (sum(point[axis] for point in found.quad.points) / 4 for axis in (0, 1))
        return self._regions.admits(x / width, y / height)

    @property
    def regions(self) -> Regions:
        """Where plates count."""
        return self._regions

    @property
    def cells(self) -> npt.NDArray[np.bool_]:
        """Where something moves just now, as `MotionGate.cells`."""
        return self._gate.cells

    def as_json(self) -> dict[str, object]:
        """For the status."""
        return {"moving": self.moving, "looked": self.looked, "passed_over": self.passed_over}

    def _pause_s(self, tracks: Sequence[Track], frame: Frame) -> float:
        """Seconds between two looks, as things stand."""
        if any(self._is_urgent(track, frame) for track in tracks):
            return 0.0
        slow = max(1.0, self._slowness())
        pause_s = 0.9 * slow / self._config.search_fps if self.moving else slow * self._config.look_every_s
        return min(pause_s, KEEP * self._lost_after_s) if tracks else pause_s

    def _is_urgent(self, track: Track, frame: Frame) -> bool:
        """A plate that counts, and either is new or moves."""
        if track.last.excluded:
            return False
        if frame.seen_at - track.first_seen_at < self._fresh_s:
            return True
        return self._gate.touches(*_shares(track.last.detection.box, frame))


def _shares(box: Box, frame: Frame) -> tuple[float, float, float, float]:
    height, width = frame.luma.shape
    return box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height
