"""The hours of the demo clip: day, dusk, night with headlights, the camera's infra-red, dawn."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import yard
from train.data.synth.cast import Actor, Pass

Picture = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

SECONDS = 50.0
DUSK_S, NIGHT_S, INFRARED_S, DAWN_S = 30.0, 34.5, 40.0, 47.6


def daylight(t: float) -> float:
    """1 by day, 0 at night."""
    return float(np.interp(t, [0, DUSK_S, NIGHT_S, DAWN_S, SECONDS - 0.5, SECONDS], [1, 1, 0, 0, 1, 1]))


def switch_on(light: Float, actor: Actor, entry: Pass, matrix: npt.NDArray[np.float64], level: int, z_m: float) -> None:
    """Lit lamps with halos, and the pool of light before a car that comes, in place."""
    scale = matrix[0, 0] / 2**level
    colour = np.array((215, 240, 255) if entry.front else (30, 30, 190), np.float32)
    for x, y, radius in actor.vehicle.lamps:
        cx, cy = x * scale + matrix[0, 2], y * scale + matrix[1, 2]
        core = max(1.5, radius * scale)
        reach = int(core * (5.5 if entry.front else 3.2))
        a, b, c, d = int(max(0, cx - reach)), int(max(0, cy - reach)), int(min(yard.WIDE, cx + reach)), int(min(yard.HIGH, cy + reach))
        if c <= a or d <= b:
            continue
        gx, gy = np.arange(a, c, dtype=np.float32)[None] - cx, np.arange(b, d, dtype=np.float32)[:, None] - cy
        away = np.hypot(gx, gy) / reach
        light[b:d, a:c] += (np.maximum(0, 1 - away) ** 3 * 0.9 + (away < core / reach) * 0.9)[:, :, None] * colour
    if entry.front:
        cx, cy = yard.project(entry.lane_m, 0, max(2.5, z_m - 2.2))
        y, x = np.mgrid[0 : yard.HIGH : 4, 0 : yard.WIDE : 4].astype(np.float32)
        spread = yard.FOCAL * 1.6 / z_m
        pool = np.exp(-(((x - cx) / spread) ** 2) - (((y - cy) / (spread * 0.32)) ** 2)) * 70
        light += cv2.resize(pool, (yard.WIDE, yard.HIGH))[:, :, None] * np.array((0.8, 0.95, 1.0), np.float32)


def expose(frame: Picture, shine: Picture, lamps: Float, night: Float, t: float) -> Picture:
    """The light of the hour and the camera's own infra-red lamp fall on the daylight picture."""
    day = daylight(t)
    warm = 4 * day * (1 - day)
    base = 0.15 + 0.85 * day
    blue = 1 + 0.35 * (1 - day)
    tone = np.array((base * (1 - 0.25 * warm) * blue, base * (1 - 0.12 * warm), base), np.float32)
    reflecting = shine.astype(np.float32)[:, :, None] / 255
    infrared = INFRARED_S <= t < DAWN_S
    picture = frame.astype(np.float32)
    if infrared:
        luma = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float32)
        y, x = np.mgrid[-1 : 1 : yard.HIGH * 1j, -1 : 1 : yard.WIDE * 1j].astype(np.float32)
        spot = 0.12 + 0.34 * np.exp(-(x**2) * 0.9 - ((y - 0.3) ** 2) * 1.2)
        lit = luma * spot + cv2.cvtColor(np.clip(night + lamps * 0.8, 0, 255).astype(np.uint8), cv2.COLOR_BGR2GRAY) * 0.6
        lit = lit * (1 - reflecting[:, :, 0]) + luma * 0.97 * reflecting[:, :, 0]
        return cv2.cvtColor(_rounded(lit), cv2.COLOR_GRAY2BGR)
    # The plate reflects the light of lamp and headlights better than paint does.
    own = np.maximum(tone, 0.55)
    picture = picture * (tone * (1 - reflecting) + own * reflecting) + (night + lamps) * (1 - day) * (1 - 0.75 * reflecting)
    return _rounded(picture)


def _rounded(picture: Float) -> Picture:
    # No sensor noise: the clip ships with the code, and noise alone would make it three times as large.
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
