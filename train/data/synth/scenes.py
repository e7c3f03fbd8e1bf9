"""Draws whole scenes with the corners of every plate, and pastes drawn plates into real pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision.image import resize
from train.data.synth import banks, optics, streets, surface
from train.data.synth.plates import PlateArtist
from train.data.synth.projection import glow, lay, paint
from train.data.synth.wear import Plate, corners_in_view

Luma = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

LIGHTS = ("day", "dusk", "night", "infrared")


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """quad (4, 2) float32 in pixels, clockwise from the plate's top-left as it is read; text "" where it is not known."""

    quad: npt.NDArray[np.float32]
    text: str
    lines: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A plate that still has to be painted: where, and how much light falls on it."""

    quad: Points
    plate: Plate
    light: float


def _inside(quad: Points, shape: tuple[int, int]) -> bool:
    return bool(quad.min() >= 0 and quad[:, 0].max() <= shape[1] and quad[:, 1].max() <= shape[0])


def _overlaps(quad: Points, others: list[Points], gap: float = 4) -> bool:
    low, high = quad.min(0) - gap, quad.max(0) + gap
    return any(bool((low < other.max(0)).all() and (high > other.min(0)).all()) for other in others)


def _cover(rng: np.random.Generator, picture: Luma, quad: Points) -> None:
    """Something before the lower or upper edge of one plate, no wider than its own neighbourhood, in place."""
    reach = 0.3 * np.ptp(quad, axis=0)
    x0, y0 = np.maximum(0, quad.min(0) - reach).astype(int).tolist()
    x1, y1 = np.ceil(quad.max(0) + reach).astype(int).tolist()
    (a, b), (c, d) = quad.min(0).astype(int).tolist(), quad.max(0).astype(int).tolist()
    if c - a > 8 and d - b > 4:
        surface.cover(rng, picture[y0:y1, x0:x1], (a - x0, b - y0, c - x0, d - y0))


def paste(rng: np.random.Generator, luma: Luma, plate: Plate, width: float | None = None) -> tuple[Luma, SceneTruth]:
    """A copy of a real picture with the plate somewhere in it, as bright and as soft as its neighbourhood."""
    high, wide = luma.shape
    width = width or float(np.exp(rng.uniform(np.log(max(12.0, wide * 0.04)), np.log(wide * 0.5))))
    width = min(width, 0.8 * wide, 0.8 * high * plate.luma.shape[1] / plate.luma.shape[0])
    quad = corners_in_view(rng, width, width * plate.luma.shape[0] / plate.luma.shape[1], 0.9)
    low, span = quad.min(0), np.ptp(quad, axis=0)
    quad = quad * min(1.0, 0.95 * wide / span[0], 0.95 * high / span[1])
    low, span = quad.min(0), np.ptp(quad, axis=0)
    quad = quad - low + rng.uniform(0, 1, 2) * (np.array([wide, high]) - span)
    x0, y0 = np.floor(quad.min(0)).astype(int)
    x1, y1 = np.ceil(quad.max(0)).astype(int) + 1
    around = luma[max(0, y0 - 8) : y1 + 8, max(0, x0 - 8) : x1 + 8]
    bright = float(np.sort(around[::2, ::2].ravel())[-1 - around[::2, ::2].size // 10])
    picture = luma.copy()
    # Paper is white: it is about as bright as the brightest things near by, and never quite dark.
    paint(rng, picture, plate, quad, float(np.clip(bright / 215 * rng.uniform(0.75, 1.25), 0.2, 1.15)))
    a, b, c, d = max(0, x0 - 3), max(0, y0 - 3), min(wide, x1 + 3), min(high, y1 + 3)
    patch = cv2.GaussianBlur(picture[b:d, a:c], (0, 0), float(rng.uniform(0.35, max(0.5, min(1.6, span[1] * 0.05)))))
    picture[b:d, a:c] = optics.grain(rng, patch, float(rng.uniform(0.5, 4)))
    return picture, SceneTruth(quad.astype(np.float32), plate.text, plate.lines)


class SceneArtist:
    """Draws scenes with 0 to 4 plates of any country."""

    def __init__(self, artist: PlateArtist | None = None) -> None:
        self._artist = artist or PlateArtist()

    def draw(self, rng: np.random.Generator, size: tuple[int, int] = (320, 416), background: Luma | None = None) -> tuple[Luma, list[SceneTruth]]:
        """A scene, (height, width) uint8 = `size`, and the truth of each plate in it."""
        high, wide = size
        picture = streets.street(rng, size) if background is None else resize(background, wide, high)
        light = LIGHTS[int(rng.choice(4, p=[0.55, 0.15, 0.18, 0.12]))]
        if rng.random() < 0.6:
            streets.write_signs(rng, picture)
        placed: list[_Placed] = []
        lamps: list[tuple[float, float, float]] = []
        count = int(rng.choice(5, p=[0.12, 0.5, 0.22, 0.1, 0.06]))
        on_vehicles = rng.random() < 0.7
        # Far ones first, so that near ones stand before them.
        widths = np.sort(np.exp(rng.uniform(np.log(12.0), np.log(0.85 * wide), count)))
        for width in widths:
            if on_vehicles and width < 0.42 * wide:
                self._place_vehicle(rng, picture, float(width), placed, lamps)
            else:
                self._place_alone(rng, picture, float(width), placed)
        if on_vehicles and rng.random() < 0.25:
            self._place_vehicle(rng, picture, float(rng.uniform(14, 80)), placed, lamps, bare=True)
        shown = self._light(rng, picture, placed, lamps, light)
        truths = [SceneTruth(item.quad.astype(np.float32), item.plate.text, item.plate.lines) for item in placed]
        return self._shoot(rng, shown, placed, light), truths

    def _place_vehicle(
        self, rng: np.random.Generator, picture: Luma, width: float, placed: list[_Placed], lamps: list[tuple[float, float, float]], bare: bool = False
    ) -> None:
        """Draw a vehicle whose plate is `width` pixels wide and note the plate; gives up where there is no room. In place."""
        bank = streets.vehicles()
        vehicle, luma = bank[int(rng.integers(len(bank)))]
        plate = self._artist.draw(rng)
        px, py, pw = vehicle.plate
        scale = width / pw
        across, down = vehicle.mask.shape[1] * scale, vehicle.mask.shape[0] * scale
        tall = pw * plate.luma.shape[0] / plate.luma.shape[1]
        squeeze = min(1.0, 0.62 * pw / tall)
        half_w, half_h = pw * squeeze / 2, tall * squeeze / 2
        for _ in range(3):
            # A car shows little more than 35 degrees before its side would have to be drawn as well.
            outline = corners_in_view(rng, across, down, 0.5, (35, 15, 12))
            outline += np.array([rng.uniform(0.1, 0.9) * picture.shape[1], rng.uniform(0.35, 0.85) * picture.shape[0]])
            box = np.array([[0, 0], [luma.shape[1], 0], [luma.shape[1], luma.shape[0]], [0, luma.shape[0]]], np.float32)
            matrix = cv2.getPerspectiveTransform(box, outline.astype(np.float32))
            spot = np.array([[px - half_w, py - half_h], [px + half_w, py - half_h], [px + half_w, py + half_h], [px - half_w, py + half_h]])
            quad = cv2.perspectiveTransform(spot[None].astype(np.float32), matrix)[0].astype(np.float64)
            if (bare or _inside(quad, picture.shape)) and not _overlaps(outline, [item.quad for item in placed]):
                break
        else:
            return
        lay(picture, luma, vehicle.mask, matrix, outline)
        if rng.random() < 0.8:
            centres = np.array([[[x, y] for x, y, _ in vehicle.lamps]], np.float32)
            strength = 1.0 if vehicle.front else 0.35
            lamps.extend((float(x), float(y), strength * scale * vehicle.lamps[0][2]) for x, y in cv2.perspectiveTransform(centres, matrix)[0])
        if not bare:
            placed.append(_Placed(quad, plate, float(rng.uniform(0.75, 1.1))))

    def _place_alone(self, rng: np.random.Generator, picture: Luma, width: float, placed: list[_Placed]) -> None:
        """Note a plate near the camera, with a piece of bumper around it, or without a vehicle at all. In place."""
        plate = self._artist.draw(rng)
        tall = width * plate.luma.shape[0] / plate.luma.shape[1]
        shrink = min(1.0, 0.75 * picture.shape[0] / tall)
        quad = corners_in_view(rng, width * shrink, tall * shrink, 1.15, (60, 35, 25))
        span = np.ptp(quad, axis=0)
        quad = quad * min(1.0, 0.97 * picture.shape[1] / span[0], 0.97 * picture.shape[0] / span[1])
        for _ in range(4):
            room = np.maximum(0, (picture.shape[1], picture.shape[0]) - np.ptp(quad, axis=0))
            spot = quad - quad.min(0) + rng.uniform(0, 1, 2) * room
            if not _overlaps(spot, [item.quad for item in placed]):
                break
        else:
            return
        if rng.random() < 0.7:
            centre, reach = spot.mean(0), np.ptp(spot, axis=0) * rng.uniform(0.6, 1.6, 2)
            x0, y0 = np.maximum(0, centre - reach).astype(int)
            x1, y1 = np.minimum((picture.shape[1], picture.shape[0]), centre + reach).astype(int)
            if not _overlaps(np.array([[x0, y0], [x1, y1]], float), [item.quad for item in placed]) and x1 - x0 > 4 and y1 - y0 > 4:
                picture[y0:y1, x0:x1] = banks.surrounding(rng, (int(y1 - y0), int(x1 - x0)))
        placed.append(_Placed(spot, plate, float(rng.uniform(0.75, 1.1))))

    def _light(self, rng: np.random.Generator, picture: Luma, placed: list[_Placed], lamps: list[tuple[float, float, float]], light: str) -> Luma:
        """Day or night falls on the scene, then the plates are painted with their own share of the light."""
        level = {"day": rng.uniform(0.8, 1.08), "dusk": rng.uniform(0.4, 0.75), "night": rng.uniform(0.08, 0.32), "infrared": rng.uniform(0.06, 0.3)}[light]
        if light != "day":
            picture = cv2.convertScaleAbs(picture, alpha=level, beta=rng.uniform(0, 12))
        for item in placed:
            own = {"day": 1.0, "dusk": rng.uniform(min(level, 0.9), 0.95), "night": rng.uniform(0.3, 0.95), "infrared": rng.uniform(0.9, 1.35)}[light]
            paint(rng, picture, item.plate, item.quad, item.light * own, float(rng.uniform(0, 18)) if light != "day" else 0.0)
            if rng.random() < 0.04:
                _cover(rng, picture, item.quad)
        if light in ("dusk", "night") and rng.random() < 0.8:
            for x, y, radius in lamps:
                glow(rng, picture, x, y, radius)
        if light == "night":
            for _ in range(int(rng.integers(0, 5))):
                glow(rng, picture, float(rng.uniform(0, picture.shape[1])), float(rng.uniform(0, picture.shape[0] * 0.5)), float(rng.uniform(1, 7)))
        return picture

    def _shoot(self, rng: np.random.Generator, picture: Luma, placed: list[_Placed], light: str) -> Luma:
        """Light, blur, noise and JPEG of the camera."""
        if rng.random() < 0.5:
            picture = cv2.multiply(picture, banks.light(rng, picture.shape[:2]), dtype=cv2.CV_8U)
        small = min((float(np.hypot(*(item.quad[1] - item.quad[0]))) for item in placed), default=60.0)
        if rng.random() < 0.7:
            picture = optics.defocus(rng, picture, float(rng.uniform(0.3, 0.5 + min(1.2, small * 0.012))))
        if rng.random() < 0.12:
            picture = optics.smear(rng, picture, float(rng.uniform(1.5, 2 + min(5.0, small * 0.03))))
        if rng.random() < 0.35:
            gamma = float(np.exp(rng.normal(0, 0.25)))
            picture = cv2.LUT(picture, (255 * np.linspace(0, 1, 256) ** gamma).astype(np.uint8))
        if rng.random() < 0.7:
            picture = optics.grain(rng, picture, min(float(rng.exponential(3.5 if light == "day" else 6)), 14.0))
        if rng.random() < 0.2:
            picture = optics.sharpen(rng, picture)
        if rng.random() < 0.6:
            picture = optics.compress(rng, picture, 30, 95)
        return picture
