"""The setup aid's live figures: what a person who points the camera must know of the plates in view. Computed only while somebody asks."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.pipeline import BURNT_OUT, cut_out
from edge.records import Frame, Luma, Quad
from edge.status import PlateInView
from edge.tracking.tracker import Track
from edge.vision.image import resize, sharpness
from edge.vision.rectify import rectify

LOOKED_AT = 128
"""Sharpness is told of a plate of this width, so that a near plate does not pass for a blurred one."""
EVERY_S = 0.4
"""As often as the status file is written, about."""
LONGEST_S = 60.0
MOST_PLATES = 8
BLACK = 5
"""Luma from here down says nothing any more."""
INK = 0.5
"""Rows of a plate that vary by this share of the most varied row hold characters."""


class Aid:
    """Figures of the newest frame, for as long as they were last asked for. `veil` hides the texts that may not be told."""

    def __init__(self, veil: Callable[[Sequence[PlateInView]], list[PlateInView]], facts: Callable[[], dict[str, Any]], clock: Callable[[], float]) -> None:
        self._veil, self._facts, self._clock = veil, facts, clock
        self._until = self._due_at = float("-inf")
        self._told: dict[str, Any] | None = None

    def ask(self, seconds: float) -> None:
        """From now on for so long, at most `LONGEST_S`."""
        self._until = self._clock() + min(max(seconds, 0.0), LONGEST_S)

    def tend(self, frame: Frame | None, tracks: Sequence[Track], shown: Sequence[PlateInView]) -> dict[str, Any] | None:
        """What the status tells under `aid`; None while nobody asks. `tracks` are those that `shown` shows, in its order."""
        now = self._clock()
        if now >= self._until:
            self._told = None
            return None
        if frame is not None and now >= self._due_at:
            self._due_at = now + EVERY_S
            told = self._veil(shown)
            plates = [
                figures(frame.luma, track) | {"text": text, "confidence": sure}
                for track, (_, text, sure) in list(zip(tracks, told, strict=False))[:MOST_PLATES]
            ]
            self._told = {"plates": plates, "picture": exposure(frame.luma)} | self._facts()
        return (self._told or {"plates": [], "picture": None}) | {"seconds_left": round(self._until - now, 1)}


def figures(luma: Luma, track: Track) -> dict[str, Any]:
    """Of one plate in a frame (H, W): sizes in px of the frame, angles in degrees, shares 0..1. `sharpness`, of the plate at LOOKED_AT px, has no unit."""
    found = track.last.detection
    width, height = size(found.quad)
    plate = cut_out(luma, found, 0.0)
    told: dict[str, Any] = {
        "quad": [[round(x, 1), round(y, 1)] for x, y in found.quad.points],
        "width_px": round(width, 1),
        "height_px": round(height, 1),
        "lines": found.lines,
        "tilt_deg": round(tilt_deg(found.quad), 1),
        "score": round(found.score, 3),
        "looks": track.sightings,
    }
    characters = len(track.last.read.text)
    told["character_width_px"] = round(width * found.lines / characters, 1) if characters else None
    told["character_height_px"] = round(height * written_share(luma, found.quad) / found.lines, 1) if plate.size else None
    if not plate.size:
        return told | dict.fromkeys(("mean", "contrast", "burnt_out", "black", "sharpness"))
    brought = resize(plate, LOOKED_AT, max(3, round(LOOKED_AT * plate.shape[0] / plate.shape[1])))
    return told | exposure(plate) | {"sharpness": round(sharpness(brought) / (float(brought.var()) + 1.0), 4)}


def exposure(luma: Luma) -> dict[str, float]:
    """Of a picture (H, W): mean luma, contrast (5th to 95th percentile, luma), shares that are burnt out and black, and sharpness."""
    step = max(1, luma.shape[0] // 270)  # of a whole frame every few pixels tell as much
    some = np.ascontiguousarray(luma[::step, ::step])
    low, high = np.percentile(some, (5, 95))
    # Of neighbouring pixels, and not of every few: blur shows there alone.
    rows, columns = (max(0, (length - 540) // 2) for length in luma.shape)
    centre = np.ascontiguousarray(luma[rows : luma.shape[0] - rows, columns : luma.shape[1] - columns])
    return {
        "mean": round(float(some.mean()), 1),
        "contrast": round(float(high - low), 1),
        "burnt_out": round(float((some >= BURNT_OUT).mean()), 4),
        "black": round(float((some <= BLACK).mean()), 4),
        "sharpness": round(sharpness(centre) / (float(centre.var()) + 1.0), 4),
    }


def size(quad: Quad) -> tuple[float, float]:
    """Mean width and height of a plate as it lies, px."""
    a, b, c, d = quad.points
    return (math.dist(a, b) + math.dist(d, c)) / 2, (math.dist(a, d) + math.dist(b, c)) / 2


def tilt_deg(quad: Quad) -> float:
    """How far its writing goes up (negative) or down to the right."""
    a, b, c, d = quad.points
    return math.degrees(math.atan2((b[1] + c[1] - a[1] - d[1]) / 2, (b[0] + c[0] - a[0] - d[0]) / 2))


def written_share(luma: Luma, quad: Quad) -> float:
    """The share of a plate's height between its highest and its lowest row of writing, as far as light and dark tell."""
    plate = rectify(luma, quad, 160, 40, margin=0.0)[:, 12:-12].astype(np.float32)
    varied = plate.std(axis=1)
    rows = np.flatnonzero(varied >= INK * float(varied.max())) if varied.max() > 4 else np.array([0, len(varied) - 1])
    return float(rows[-1] - rows[0] + 1) / len(varied)


def cells(moving: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """The motion mask (rows, columns) as bits, row by row from the top left, the first in the highest bit."""
    rows, columns = moving.shape
    return {"rows": rows, "columns": columns, "bits": base64.b64encode(np.packbits(moving.reshape(-1)).tobytes()).decode()}
