"""Which plate a lens gives at a distance, and how long the shutter may be open for it. Pure.

The camera looks across the direction of travel at `angle_deg` (0: the car comes straight at it). A plate faces the way the car goes, so it is seen narrower
by the cosine. It moves in the picture sideways, and, as it comes nearer, away from the middle; taken is a plate half-way to the border.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.web.setup.needs import NEEDS, SMEAR_BAD, SMEAR_GOOD
from edge.web.words import Tone


@dataclass(frozen=True, slots=True)
class Shot:
    """`view_deg` is the lens' horizontal angle of view; `frame_px` the width of a frame."""

    view_deg: float = 66.0
    distance_m: float = 6.0
    speed_kmh: float = 20.0
    angle_deg: float = 20.0
    plate_cm: float = 52.0
    frame_px: int = 1920


@dataclass(frozen=True, slots=True)
class Seen:
    """Width of the plate, px, and what that is worth; the shutter, microseconds, with which nothing is lost, and the longest that is bearable."""

    plate_px: float
    tone: Tone
    good_us: float
    longest_us: float
    farthest_m: float
    """So far away the plate is still wide enough to be good."""


def seen(shot: Shot) -> Seen:
    px_at_1m = shot.frame_px / (2 * math.tan(math.radians(shot.view_deg) / 2))
    across, along = math.sin(math.radians(shot.angle_deg)), math.cos(math.radians(shot.angle_deg))
    plate_at_1m = px_at_1m * shot.plate_cm / 100 * along
    plate_px, metres_s = plate_at_1m / shot.distance_m, shot.speed_kmh / 3.6
    px_s = metres_s * (px_at_1m * across + shot.frame_px / 4 * along) / shot.distance_m
    return Seen(
        plate_px,
        NEEDS[0].tone(plate_px),
        1e6 * SMEAR_GOOD * plate_px / px_s,
        1e6 * SMEAR_BAD * plate_px / px_s,
        plate_at_1m / NEEDS[0].good,
    )
