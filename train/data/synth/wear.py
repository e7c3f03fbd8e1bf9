"""Makes a clean drawn plate look like a photograph of a plate on a car, cut out as the reader gets it."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge.records import Quad
from edge.vision.image import resize
from edge.vision.rectify import rectify
from train.data.synth import optics, surface

Luma = npt.NDArray[np.uint8]


class Plate(Protocol):
    """What is needed of a drawn plate."""

    @property
    def luma(self) -> Luma: ...
    @property
    def text(self) -> str: ...
    @property
    def lines(self) -> int: ...


def _native_width(rng: np.random.Generator, plate: Plate) -> float:
    """Pixels across the plate in the camera's picture: 40..250, with at least 6 for each character of a line."""
    ratio = plate.luma.shape[1] / plate.luma.shape[0]
    each_line = max(4.0, len(plate.text) / plate.lines)
    # Small square plates still have tall characters: what counts is the height of a character, not the plate's width.
    low = max(40.0 * min(1.0, ratio / 4 + 0.25), 6.2 * each_line)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(low * 1.2, 250.0)))))


def corners_in_view(
    rng: np.random.Generator, width: float, height: float, mild: float, limits: tuple[float, float, float] = (55, 30, 22)
) -> npt.NDArray[np.float64]:
    """The plate's corners after turning it in space, (4, 2) clockwise from its top-left, centred on 0.

    `mild` scales the spread; `limits` are the largest yaw, pitch and roll in degrees.
    """
    yaw, pitch, roll = (np.deg2rad(np.clip(rng.normal(0, spread * mild), -limit, limit)) for spread, limit in zip((22, 11, 6), limits, strict=True))
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    x = np.array([-0.5, 0.5, 0.5, -0.5]) * width
    y = np.array([-0.5, -0.5, 0.5, 0.5]) * height
    deep = sy * x
    x3 = cy * x
    y3, deep = cp * y - sp * deep, sp * y + cp * deep
    # A skewed mount, or a shutter that rolls while the car moves.
    x3, y3 = x3 + rng.normal(0, (0.15 if rng.random() < 0.15 else 0.04) * mild) * y3, y3
    scale = 1 / (1 + deep / (max(width, height) * rng.uniform(2.5, 9)))
    x3, y3 = x3 * scale, y3 * scale
    return np.stack([cr * x3 - sr * y3, sr * x3 + cr * y3], 1)


def weather(rng: np.random.Generator, luma: Luma) -> None:
    """Emboss, fading, dirt and scratches on the plate alone, in place."""
    if rng.random() < 0.5:
        surface.emboss(rng, luma)
    if rng.random() < 0.12:
        surface.fade(rng, luma)
    if rng.random() < 0.3:
        surface.soil(rng, luma)
    if rng.random() < 0.2:
        surface.speckle(rng, luma)
    if rng.random() < 0.06:
        surface.scratch(rng, luma)


def shoot(rng: np.random.Generator, luma: Luma, char_height: float, infrared: bool) -> Luma:
    """The camera's part: light, exposure, blur and noise; `char_height` in pixels bounds the blur to what can be read."""
    picture = luma.astype(np.float32)
    if rng.random() < 0.7:
        optics.illuminate(rng, picture)
    if rng.random() < 0.08:
        optics.glare(rng, picture)
    if rng.random() < 0.05:
        optics.band_of_light(rng, picture)
    if infrared or rng.random() < 0.06:
        optics.bloom(rng, picture)
    if char_height > 14 and rng.random() < 0.04:
        optics.streak_rain(rng, picture)
    luma = cv2.convertScaleAbs(np.maximum(picture, 0))
    blur = _blur(rng, char_height)
    luma = _soften(rng, luma, blur)
    if rng.random() < 0.2 and char_height * 0.9 > 11:
        luma = optics.resample(rng, luma, float(rng.uniform(max(0.4, 10 / char_height), 0.9)))
    luma, span = optics.expose(rng, luma)
    if infrared and rng.random() < 0.12:
        luma = 255 - luma
    if rng.random() < 0.7:
        # The smaller and the softer the characters, the less noise they bear.
        luma = optics.grain(rng, luma, min(float(rng.exponential(4.5)), span * min(0.12, 0.008 * char_height) * (1 - 7 * blur / char_height)))
    if rng.random() < 0.3:
        luma = optics.sharpen(rng, luma)
    if rng.random() < 0.6:
        luma = optics.compress(rng, luma, 20 if char_height > 20 and span > 80 else 35 if span > 50 else 55)
    return luma


def _blur(rng: np.random.Generator, char_height: float) -> float:
    """All blur together as a standard deviation in pixels. Beyond 0.06 to 0.07 of a character's height nobody tells a B from an 8."""
    return 0.3 + (max(0.0, 0.062 * char_height - 0.35)) * float(rng.random() ** 1.5)


def _soften(rng: np.random.Generator, luma: Luma, blur: float) -> Luma:
    """Share the blur between the lens and the motion; a uniform smear of length s has the deviation s / sqrt(12)."""
    moving = float(rng.uniform(0.3, 0.95)) if rng.random() < 0.25 else 0.0
    if blur > 0.4:
        luma = optics.defocus(rng, luma, blur * float(np.sqrt(1 - moving)))
    length = blur * float(np.sqrt(12 * moving))
    return optics.smear(rng, luma, length) if length > 1.2 else luma


def photograph(rng: np.random.Generator, plate: Plate, size: tuple[int, int] = (48, 128), margin: tuple[float, float] = (-0.03, 0.16)) -> Luma:
    """A photograph of the plate, cut out and resized to `size` = (height, width).

    Half of the cuts are axis-aligned, half are rectified by corners; each side keeps a random share of `margin` of the plate around it.
    """
    native = _native_width(rng, plate)
    high, wide = plate.luma.shape
    work = float(np.clip(native * 1.25, 72, 270))
    flat = cv2.resize(plate.luma, (round(work), max(8, round(work * high / wide))), interpolation=cv2.INTER_AREA)
    infrared = bool(rng.random() < 0.1)
    weather(rng, flat)
    if infrared:
        # Retro-reflecting paper outshines everything else under the camera's own lamp; ink stays dark.
        flat = cv2.LUT(flat, np.clip((np.arange(256) - 128) * rng.uniform(1.1, 1.7) + 128 + rng.uniform(-10, 40), 0, 255).astype(np.uint8))
    world, box = surface.mount(rng, flat, infrared)
    if rng.random() < 0.2:
        surface.bolt(rng, world, box)
    if rng.random() < 0.06:
        surface.cover(rng, world, box)
    rectified = rng.random() < 0.5
    quad = _near_enough(corners_in_view(rng, native, native * high / wide, 1.0 if rectified else 0.6), plate)
    picture, quad = _view(world, box, quad)
    picture = shoot(rng, picture, _legible_size(quad, plate), infrared)
    shares = rng.uniform(margin[0], margin[1], 4) if rng.random() < 0.7 else np.full(4, rng.uniform(max(0.0, margin[0]), min(margin[1], 0.1)))
    cut = _cut_by_corners(rng, picture, quad, shares, size) if rectified else _cut_by_box(picture, quad, shares, size)
    return cut


def _legible_size(quad: npt.NDArray[np.float64], plate: Plate) -> float:
    """Pixels of a character's height, or of what its width stands for when turning the plate has made it narrow."""
    across, down = _character(quad, plate)
    return min(down, across * 1.6)


def _character(quad: npt.NDArray[np.float64], plate: Plate) -> tuple[float, float]:
    """About the width (its gap included) and the height of a character in pixels, at the plate's farther end."""
    across = min(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[2] - quad[3])))
    down = min(np.hypot(*(quad[3] - quad[0])), np.hypot(*(quad[2] - quad[1])))
    return float(across / max(4.0, len(plate.text) / plate.lines + 0.5)), float(down * (0.62 if plate.lines == 1 else 0.36))


def _near_enough(quad: npt.NDArray[np.float64], plate: Plate) -> npt.NDArray[np.float64]:
    """A plate that is turned away must be nearer to be read: at least 6 pixels for the width of a character and 10 for its height."""
    across, down = _character(quad, plate)
    return quad * max(1.0, 6.0 / across, 10.0 / down)


def _view(world: Luma, box: tuple[int, int, int, int], quad: npt.NDArray[np.float64]) -> tuple[Luma, npt.NDArray[np.float64]]:
    """Project the flat picture so that its `box` falls on `quad`; returns the camera's picture and the quad in it."""
    x0, y0, x1, y1 = box
    low, high = quad.min(0), quad.max(0)
    # Room for the largest margin, in pixels; the reflected border fills what the flat picture does not reach.
    room = 0.2 * (high - low) + 2
    quad = quad - low + room
    size = np.ceil(high - low + 2 * room).astype(int)
    source = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    matrix = cv2.getPerspectiveTransform(source - 0.5, quad.astype(np.float32) - 0.5)
    picture = cv2.warpPerspective(world, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return picture, quad


def _cut_by_box(picture: Luma, quad: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], size: tuple[int, int]) -> Luma:
    low, high = quad.min(0), quad.max(0)
    span = high - low
    x0, y0 = np.maximum(0, np.floor(low - shares[:2] * span)).astype(int)
    x1, y1 = np.ceil(high + shares[2:] * span).astype(int)
    return resize(np.ascontiguousarray(picture[y0 : max(y1, y0 + 4), x0 : max(x1, x0 + 4)]), size[1], size[0])


def _cut_by_corners(rng: np.random.Generator, picture: Luma, quad: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], size: tuple[int, int]) -> Luma:
    """Rectify by corners that are off as a detector's are: each by about 1.5 % of the plate's width."""
    left, top, right, bottom = shares
    across, down = (quad[1] - quad[0] + quad[2] - quad[3]) / 2, (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    grown = quad + np.array([-left * across - top * down, right * across - top * down, right * across + bottom * down, -left * across + bottom * down])
    grown = grown + np.clip(rng.normal(0, 1, (4, 2)), -2, 2) * [0.012 * float(np.hypot(*across)), 0.03 * float(np.hypot(*down))]
    return rectify(picture, Quad.from_array(grown), size[1], size[0], 0.0)
