"""What the camera sees: the drawn yard by the hour of the day, and the vehicles of a timetable with their plates. All in luma, (720, 1280) uint8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.records import Luma
from tests.soak.timetable import Visit
from train.data.synth import yard
from train.data.synth.cast import Pass, distance, fair_plate
from train.data.synth.plates import DrawnPlate, PlateArtist
from train.data.synth.vehicles import PAINTS, Vehicle, draw_vehicle

COUNTRIES = ("de", "es", "fr", "pl", "cz", "it", "nl", "gb")
BODIES = 16
BODY_PX = 1100
PASSING_M, PARKED_M = 0.95, -1.5
"""Lanes, metres to the right of the camera's axis: who passes never hides who stands."""
NOISES = 16
DARKEST = 0.16
Levels = tuple[tuple[Luma, Luma, Luma], ...]
"""A vehicle with its plate, ever smaller: (luma, mask, mask of the plate)."""


def daylight(now: float) -> float:
    """1 by day, 0 at night, for seconds since midnight."""
    return float(np.interp(now / 3600 % 24, [0, 5.5, 7.5, 17.5, 20, 24], [0, 0, 1, 1, 0, 0]))


@dataclass(frozen=True, slots=True)
class _Dressed:
    levels: Levels
    front: bool


class Street:
    """Draws by a seed. `text_of` says what stands on a vehicle's plate."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 2))
        self._seed = seed
        scene, lamps = yard.build(rng)
        self._scene = np.asarray(cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY), np.uint8)
        self._lamps = np.clip(lamps.mean(axis=2), 0, 255).astype(np.uint8)
        self._noise = [np.abs(rng.normal(0, 2.5, (yard.HIGH, yard.WIDE))).astype(np.uint8) for _ in range(NOISES)]
        self._bodies = [_body(rng, front) for front in (True, False) for _ in range(BODIES // 2)]
        self._artist = PlateArtist(list(COUNTRIES))
        self._plate = lru_cache(maxsize=64)(self._draw_plate)
        self._dressed = lru_cache(maxsize=6)(self._dress)
        self._light, self._lit = -1.0, self._scene
        self._count = 0

    def text_of(self, vehicle: int) -> str:
        return self._plate(vehicle).text

    def at(self, now: float, visits: Sequence[Visit]) -> Luma:
        """The picture with those of the visits that are on just now."""
        frame = self._background(now)
        here = [(_metres(visit, now), visit) for visit in visits]
        for metres, visit in sorted(((metres, visit) for metres, visit in here if metres is not None), key=lambda pair: -pair[0]):
            _lay(frame, self._dressed(visit), PARKED_M if visit.stands_s else PASSING_M, metres, self._light)
        self._count += 1
        add, take = self._noise[self._count * 7 % NOISES], self._noise[(self._count * 5 + 3) % NOISES]
        return np.asarray(cv2.subtract(cv2.add(frame, add), take), np.uint8)

    def _background(self, now: float) -> Luma:
        light = round(daylight(now), 2)
        if light != self._light:
            self._light = light
            self._lit = np.asarray(cv2.addWeighted(self._scene, DARKEST + (1 - DARKEST) * light, self._lamps, 0.6 * (1 - light), 0), np.uint8)
        return self._lit.copy()

    def _draw_plate(self, vehicle: int) -> DrawnPlate:
        rng = np.random.default_rng((self._seed, 3, vehicle))
        return fair_plate(rng, self._artist, COUNTRIES[int(rng.integers(len(COUNTRIES)))], 1)

    def _dress(self, visit: Visit) -> _Dressed:
        fitting = [body for body in self._bodies if body.front == visit.front]
        body, plate = fitting[visit.vehicle % len(fitting)], self._plate(visit.vehicle).luma
        if visit.kind == "illegible":  # mud over all of it
            plate = np.asarray(cv2.GaussianBlur(plate, (0, 0), plate.shape[0] / 5), np.uint8)
        return _Dressed(_levels(body, plate), visit.front)


def _body(rng: np.random.Generator, front: bool) -> Vehicle:
    kind = ("saloon", "hatch", "suv")[int(rng.integers(3))]
    return draw_vehicle(rng, BODY_PX, kind, front, PAINTS[int(rng.integers(len(PAINTS)))], square=False)


def _levels(body: Vehicle, plate: Luma) -> Levels:
    luma = np.asarray(cv2.cvtColor(body.picture, cv2.COLOR_BGR2GRAY), np.uint8)
    shine = np.zeros_like(luma)
    cx, cy, _ = body.plate
    wide = BODY_PX * 0.52 / 1.8
    laid = cv2.resize(plate, (round(wide), round(wide * plate.shape[0] / plate.shape[1])), interpolation=cv2.INTER_AREA)
    x, y = round(cx - laid.shape[1] / 2), round(cy - laid.shape[0] / 2)
    cv2.rectangle(luma, (x - 6, y - 6), (x + laid.shape[1] + 5, y + laid.shape[0] + 5), 18, -1)
    luma[y : y + laid.shape[0], x : x + laid.shape[1]] = laid
    shine[y : y + laid.shape[0], x : x + laid.shape[1]] = 255
    levels: list[tuple[Any, Any, Any]] = [(luma, body.mask, shine)]
    while levels[-1][1].shape[1] > 90:
        half = (levels[-1][1].shape[1] // 2, levels[-1][1].shape[0] // 2)
        levels.append(tuple(cv2.resize(layer, half, interpolation=cv2.INTER_AREA) for layer in levels[-1]))
    return tuple(levels)


def _metres(visit: Visit, now: float) -> float | None:
    """How far away it is; None where it is not here."""
    if not visit.from_s <= now <= visit.to_s:
        return None
    near_m = 7.0 if visit.stands_s else 5.3
    return distance(Pass(0.0, "saloon", visit.front if not visit.stands_s else True, PAINTS[0], "de", near_m=near_m), visit.on_its_way_s(now))


def _lay(frame: Luma, one: _Dressed, lane_m: float, metres: float, light: float) -> None:
    """The vehicle over the frame, in place; its plate throws back more of the light than paint does."""
    width = yard.FOCAL * 1.8 / metres
    level = 0
    while level + 1 < len(one.levels) and one.levels[level + 1][1].shape[1] > width * 0.95:
        level += 1
    luma, mask, shine = one.levels[level]
    high, wide = mask.shape
    scale = width / wide
    foot_x, foot_y = yard.project(lane_m, 0.0, metres)
    matrix = np.array([[scale, 0, foot_x - width / 2], [0, scale, foot_y - high * scale]])
    x0, y0 = (max(0, int(np.floor(value))) for value in matrix[:, 2])
    x1, y1 = min(yard.WIDE, int(np.ceil(matrix[0, 2] + width))), min(yard.HIGH, int(np.ceil(matrix[1, 2] + high * scale)))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    matrix[:, 2] -= (x0, y0)
    size = (x1 - x0, y1 - y0)
    alpha, shown, shines = (cv2.warpAffine(layer, matrix, size) for layer in (mask, luma, shine))
    paint, plate = DARKEST + (1 - DARKEST) * light, max(0.55, light)
    shown = np.where(shines > 127, cv2.convertScaleAbs(shown, alpha=plate), cv2.convertScaleAbs(shown, alpha=paint))
    weight = alpha.astype(np.float32) / 255
    region: npt.NDArray[np.uint8] = frame[y0:y1, x0:x1]
    region[:] = region * (1 - weight) + shown * weight
