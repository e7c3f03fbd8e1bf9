"""Is what the camera sends a picture, and a new one? Cheap looks at every frame."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from edge.camera.base import Why
from edge.camera.settings import CameraConfig
from edge.records import Luma

EVERY_ROW = 8
"""Of so many rows one is looked at: full pixels, whose noise changes even where the small plane does not."""
NOISELESS = 1
"""Luma between the darkest and the lightest pixel where no sensor has been at work."""
DARK, BURNT_OUT = 40, 250
"""A picture without anything that is darker or lighter than this is the night, or the sun: real, though of no use."""
FILLINGS = (128, 79)
"""Luma of the grey and of the green with which decoders fill what did not arrive."""
GARBAGE_S = 2.0
"""A stream may begin with some grey frames, until its first whole one."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is tolerated, seconds; 0 is for ever. `open_s` is for opening, which may take its time; `live` where a sensor makes the pictures."""

    stall_s: float = 0.0
    freeze_s: float = 0.0
    open_s: float = 20.0
    live: bool = False

    @classmethod
    def of(cls, config: CameraConfig) -> Patience:
        """Pictures and recordings may stand still; a slow rate is no stall."""
        if config.kind == "files":
            return cls()
        slow_s = 3 / config.fps_limit if config.fps_limit else 0.0
        return cls(max(config.stall_s, slow_s) if config.stall_s else 0.0, config.freeze_s, live=True)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one frame was like: `fresh` when it differs from the last, `usable` when it is a picture; `lost` when it is time to open the camera again."""

    fresh: bool
    usable: bool
    lost: tuple[Why, str] | None = None


class Checkup:
    """Looks at each frame in turn. It outlives a reopening: a camera that comes back with the same picture is still frozen."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._sum: int | None = None
        self._same_since: float | None = None
        self._garbage_since: float | None = None

    def look(self, luma: Luma, now: float) -> Finding:
        """At a frame (H, W), at `now` (monotonic s)."""
        usable = not self._patience.live or is_picture(luma)
        fresh = self._is_fresh(luma, now)
        self._garbage_since = None if usable else now if self._garbage_since is None else self._garbage_since
        if self._garbage_since is not None and now - self._garbage_since >= GARBAGE_S:
            return Finding(fresh, usable, ("garbage", "sends pictures without anything in them"))
        if self._same_since is not None and now - self._same_since >= self._patience.freeze_s:
            return Finding(fresh, usable, ("frozen", f"has sent the same picture for {now - self._same_since:.0f} s"))
        return Finding(fresh, usable)

    def reopened(self) -> None:
        """The camera was opened again: it gets its time once more."""
        self._same_since = self._garbage_since = None

    def _is_fresh(self, luma: Luma, now: float) -> bool:
        if not self._patience.freeze_s:
            return True
        found = zlib.crc32(np.ascontiguousarray(luma[:: _step(luma)]).data, luma.shape[1])
        fresh, self._sum = found != self._sum, found
        self._same_since = None if fresh else now if self._same_since is None else self._same_since
        return fresh


def is_picture(luma: Luma) -> bool:
    """A frame (H, W) that shows something, or the night; its lower quarter too. Real pixels are never all alike: a sensor has noise."""
    if luma.size == 0:
        return False
    rows = luma[:: _step(luma)]
    lower = rows[-max(1, len(rows) // 4) :]
    low, high = int(lower.min()), int(lower.max())
    if high - low > NOISELESS:
        return True
    if any(abs(low - filling) <= 2 for filling in FILLINGS):  # cut short
        return False
    return not (DARK <= low < BURNT_OUT and int(rows.max()) - int(rows.min()) <= NOISELESS)


def _step(luma: Luma) -> int:
    """Of so many rows one is looked at."""
    return max(1, min(EVERY_ROW, len(luma) // 8))
