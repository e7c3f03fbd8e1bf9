"""Draws cars, vans and motorcycles head-on or from behind, flat and in colour, with a place for the plate."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

PAINTS: tuple[Colour, ...] = (
    (235, 235, 235), (190, 192, 195), (120, 122, 126), (60, 60, 64), (28, 28, 30), (40, 40, 150),
    (130, 80, 35), (150, 110, 60), (60, 90, 50), (70, 130, 190), (170, 190, 205), (30, 20, 90),
)  # fmt: skip
"""Body colours, BGR."""
KINDS = ("saloon", "hatch", "suv", "van", "motorcycle")


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle seen straight on.

    picture  (h, w, 3) uint8 BGR
    mask     (h, w) uint8, 255 where the vehicle is
    plate    centre x, centre y and width of the place for a plate, pixels
    lamps    centres and radii of the lamps that can be lit, pixels
    front    whether it shows its front
    """

    picture: Picture
    mask: Picture
    plate: tuple[float, float, float]
    lamps: tuple[tuple[int, int, int], ...]
    front: bool


@dataclass(slots=True)
class _Easel:
    """Fractions of the vehicle's width and height become pixels here."""

    picture: Picture
    mask: Picture
    wide: int
    high: int

    def at(self, points: list[tuple[float, float]]) -> npt.NDArray[np.int32]:
        return np.array([[round(x * self.wide), round(y * self.high)] for x, y in points], np.int32)

    def poly(self, points: list[tuple[float, float]], colour: Colour, body: bool = False) -> None:
        """A filled polygon; `body` makes it part of the vehicle's outline."""
        corners = self.at(points)
        cv2.fillPoly(self.picture, [corners], colour, cv2.LINE_AA)
        if body:
            cv2.fillPoly(self.mask, [corners], 255, cv2.LINE_AA)

    def mirrored(self, points: list[tuple[float, float]], colour: Colour, body: bool = False) -> None:
        self.poly(points, colour, body)
        self.poly([(1 - x, y) for x, y in points], colour, body)

    def line(self, a: tuple[float, float], b: tuple[float, float], colour: Colour, thick: float = 0.004) -> None:
        (x0, y0), (x1, y1) = self.at([a, b]).tolist()
        cv2.line(self.picture, (x0, y0), (x1, y1), colour, max(1, round(thick * self.wide)), cv2.LINE_AA)

    def disc(self, centre: tuple[float, float], radii: tuple[float, float], colour: Colour, body: bool = False) -> None:
        x, y = self.at([centre]).tolist()[0]
        axes = (max(1, round(radii[0] * self.wide)), max(1, round(radii[1] * self.wide)))
        cv2.ellipse(self.picture, (x, y), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
        if body:
            cv2.ellipse(self.mask, (x, y), axes, 0, 0, 360, 255, -1, cv2.LINE_AA)


def tint(colour: Colour, factor: float, lift: float = 0.0) -> Colour:
    """The colour made darker or lighter."""
    blue, green, red = (int(np.clip(value * factor + lift, 0, 255)) for value in colour)
    return blue, green, red


def _rounded(x0: float, y0: float, x1: float, y1: float, rx: float, ry: float) -> list[tuple[float, float]]:
    """A rounded rectangle as a polygon."""
    points = []
    for cx, cy, start in ((x1 - rx, y0 + ry, -90), (x1 - rx, y1 - ry, 0), (x0 + rx, y1 - ry, 90), (x0 + rx, y0 + ry, 180)):
        for degrees in range(start, start + 91, 18):
            angle = np.deg2rad(degrees)
            points.append((cx + rx * float(np.cos(angle)), cy + ry * float(np.sin(angle))))
    return points


def _shade(easel: _Easel, rng: np.random.Generator) -> None:
    """Round the body off: darker to the sides and below, a soft sheen above."""
    y, x = np.mgrid[0 : 1 : easel.high * 1j, -1 : 1 : easel.wide * 1j].astype(np.float32)
    light = 1.03 - 0.2 * np.abs(x) ** 3 - 0.3 * np.clip(y - 0.55, 0, 1) + 0.1 * np.exp(-(((y - 0.47) / 0.06) ** 2))
    light += float(rng.normal(0, 0.06)) * x
    easel.picture[:] = np.clip(easel.picture * light[:, :, None], 0, 255)


def draw_vehicle(
    rng: np.random.Generator, width: int, kind: str | None = None, front: bool | None = None, paint: Colour | None = None, square: bool = False
) -> Vehicle:
    """A vehicle `width` pixels wide. `square` chooses the recess for a two-line plate."""
    kind = kind or KINDS[int(rng.choice(5, p=[0.3, 0.3, 0.22, 0.13, 0.05]))]
    front = bool(rng.random() < 0.5) if front is None else front
    paint = paint or PAINTS[int(rng.integers(len(PAINTS)))]
    if kind == "motorcycle":
        return _motorcycle(rng, width, paint)
    ratio = {"saloon": 0.78, "hatch": 0.84, "suv": 0.95, "van": 1.12}[kind] * rng.uniform(0.96, 1.05)
    high = round(width * ratio)
    easel = _Easel(np.zeros((high, width, 3), np.uint8), np.zeros((high, width), np.uint8), width, high)
    roof, belt = (0.02, 0.42) if kind != "van" else (0.0, 0.5)
    top = {"saloon": 0.24, "hatch": 0.2, "suv": 0.16, "van": 0.1}[kind] + rng.uniform(-0.02, 0.02)
    dark = tint(paint, 0.45)
    # Tyres stand below everything else.
    for side in (0.06, 0.76):
        easel.poly(_rounded(side, 0.72, side + 0.18, 0.995, 0.05, 0.04), (22, 22, 22), body=True)
    easel.poly([(top, roof), (1 - top, roof), (0.91, belt + 0.04), (0.09, belt + 0.04)], paint, body=True)
    easel.poly([(top + 0.02, roof), (1 - top - 0.02, roof), (1 - top - 0.05, roof - 0.02), (top + 0.05, roof - 0.02)], tint(paint, 1.0, 20), body=True)
    easel.poly(_rounded(0.03, belt, 0.97, 0.9, 0.09, 0.1), paint, body=True)
    if kind != "van" or front:
        easel.mirrored(_rounded(0.005, belt - 0.06, 0.085, belt + 0.02, 0.025, 0.03), tint(paint, 0.8), body=True)
    glass = (70, 62, 55) if rng.random() < 0.7 else (105, 98, 88)
    inset = 0.035
    if kind == "van" and not front:
        for x0, x1 in ((top + 0.03, 0.49), (0.51, 1 - top - 0.03)):
            easel.poly(_rounded(x0, 0.1, x1, 0.38, 0.02, 0.02), tint(glass, 0.8) if rng.random() < 0.5 else tint(paint, 0.93))
        easel.line((0.5, 0.03), (0.5, 0.85), dark)
    else:
        easel.poly([(top + inset, roof + 0.05), (1 - top - inset, roof + 0.05), (0.865, belt - 0.015), (0.135, belt - 0.015)], glass)
        shift = rng.uniform(-0.1, 0.2)
        easel.poly([(0.4 + shift, roof + 0.05), (0.55 + shift, roof + 0.05), (0.42 + shift, belt - 0.015), (0.22 + shift, belt - 0.015)], tint(glass, 1.25, 18))
        easel.mirrored(_rounded(0.25, belt - 0.12, 0.36, belt - 0.02, 0.03, 0.03), tint(glass, 0.45))
    _shade(easel, rng)
    lamps, plate = _front(rng, easel, belt, dark) if front else _rear(rng, easel, belt, dark, square, kind)
    return Vehicle(easel.picture, easel.mask, plate, lamps, front)


def _front(rng: np.random.Generator, easel: _Easel, belt: float, dark: Colour) -> tuple[tuple[tuple[int, int, int], ...], tuple[float, float, float]]:
    wide, high = easel.wide, easel.high
    easel.line((0.12, belt + 0.03), (0.88, belt + 0.03), dark, 0.004)
    easel.mirrored([(0.16, belt + 0.03), (0.3, belt + 0.14), (0.31, belt + 0.14), (0.18, belt + 0.03)], dark)
    lamp_y, slant = belt + 0.15, rng.uniform(-0.03, 0.05)
    easel.mirrored([(0.05, lamp_y - 0.055), (0.24, lamp_y - 0.03 + slant), (0.22, lamp_y + 0.045), (0.06, lamp_y + 0.035)], (205, 205, 200))
    easel.mirrored([(0.07, lamp_y - 0.035), (0.2, lamp_y - 0.02 + slant), (0.19, lamp_y + 0.03), (0.08, lamp_y + 0.02)], (150, 150, 146))
    for x in (0.14, 0.86):
        easel.disc((x, lamp_y), (0.026, 0.026), (240, 240, 235))
    x0, y0, y1 = rng.uniform(0.27, 0.33), belt + 0.1, belt + rng.uniform(0.19, 0.25)
    easel.poly(_rounded(x0, y0, 1 - x0, y1, 0.03, 0.02), (24, 24, 24))
    for y in np.arange(y0 + 0.015, y1, rng.uniform(0.014, 0.03)):
        easel.line((x0 + 0.015, float(y)), (1 - x0 - 0.015, float(y)), (70, 70, 72) if rng.random() < 0.7 else (150, 150, 150), 0.003)
    easel.disc((0.5, (y0 + y1) / 2), (0.028, 0.028), (190, 190, 190))
    easel.disc((0.5, (y0 + y1) / 2), (0.02, 0.02), (60, 60, 60))
    easel.poly(_rounded(0.2, 0.77, 0.8, 0.87, 0.04, 0.03), (26, 26, 26))
    easel.line((0.2, 0.815), (0.8, 0.815), (60, 60, 60))
    for x in (0.13, 0.87):
        easel.disc((x, 0.815), (0.026, 0.026), (165, 165, 160))
    lamps = tuple((round(x * wide), round(lamp_y * high), round(0.035 * wide)) for x in (0.14, 0.86))
    return lamps, (0.5 * wide, rng.uniform(0.755, 0.79) * high, rng.uniform(0.26, 0.31) * wide)


def _rear(
    rng: np.random.Generator, easel: _Easel, belt: float, dark: Colour, square: bool, kind: str
) -> tuple[tuple[tuple[int, int, int], ...], tuple[float, float, float]]:
    wide, high = easel.wide, easel.high
    red = (35, 30, int(rng.integers(120, 190)))
    deep = rng.uniform(0.1, 0.2)
    easel.mirrored([(0.045, belt + 0.06), (0.2, belt + 0.08), (0.18, belt + 0.08 + deep * 0.7), (0.05, belt + 0.08 + deep)], red)
    easel.mirrored([(0.06, belt + 0.1), (0.12, belt + 0.105), (0.115, belt + 0.14), (0.06, belt + 0.14)], (90, 140, 215))
    easel.mirrored([(0.13, belt + 0.11), (0.17, belt + 0.11), (0.165, belt + 0.135), (0.13, belt + 0.135)], (215, 215, 215))
    if kind != "van":
        easel.line((0.2, belt + 0.05), (0.8, belt + 0.05), dark)
    easel.line((0.2, 0.74), (0.8, 0.74), dark)
    easel.poly(_rounded(0.1, 0.78, 0.9, 0.885, 0.04, 0.03), (34, 34, 36) if rng.random() < 0.6 else dark)
    easel.disc((0.5, belt + 0.075), (0.024, 0.024), (185, 185, 185))
    easel.line((0.68, belt + 0.1), (0.77, belt + 0.1), (190, 190, 190), 0.008)
    if rng.random() < 0.5:
        easel.disc((0.24, 0.9), (0.028, 0.016), (60, 60, 60))
    low = rng.random() < 0.2 and not square
    middle = 0.825 if low else belt + (0.19 if not square else 0.2)
    size = (0.19 if square else 0.29) * rng.uniform(0.92, 1.05)
    if not low:
        tall = size * (0.8 if square else 0.24) * wide / high
        easel.poly(_rounded(0.5 - size * 0.6, middle - tall * 0.75, 0.5 + size * 0.6, middle + tall * 0.75, 0.02, 0.02), tint(dark, 0.9))
    lamps = tuple((round(x * wide), round((belt + 0.12) * high), round(0.04 * wide)) for x in (0.12, 0.88))
    return lamps, (0.5 * wide, middle * high, size * wide)


def _motorcycle(rng: np.random.Generator, width: int, paint: Colour) -> Vehicle:
    """A motorcycle with its rider from behind; narrow, the plate below the lamp."""
    high = round(width * 1.9)
    easel = _Easel(np.zeros((high, width, 3), np.uint8), np.zeros((high, width), np.uint8), width, high)
    easel.poly(_rounded(0.4, 0.6, 0.6, 0.995, 0.09, 0.06), (20, 20, 20), body=True)
    easel.poly(_rounded(0.22, 0.12, 0.78, 0.56, 0.16, 0.12), tint(paint, 0.5, 15), body=True)
    easel.mirrored([(0.24, 0.16), (0.06, 0.34), (0.12, 0.4), (0.3, 0.27)], tint(paint, 0.45, 10), body=True)
    easel.mirrored([(0.02, 0.33), (0.16, 0.33), (0.16, 0.39), (0.02, 0.39)], (40, 40, 40), body=True)
    easel.disc((0.5, 0.08), (0.15, 0.15), tint(paint, 0.9, 10), body=True)
    easel.mirrored([(0.26, 0.5), (0.14, 0.72), (0.26, 0.82), (0.4, 0.58)], (52, 45, 40), body=True)
    easel.poly(_rounded(0.28, 0.47, 0.72, 0.6, 0.08, 0.04), paint, body=True)
    _shade(easel, rng)
    easel.poly(_rounded(0.38, 0.54, 0.62, 0.58, 0.04, 0.015), (35, 30, 170))
    easel.mirrored([(0.25, 0.575), (0.31, 0.575), (0.31, 0.6), (0.25, 0.6)], (60, 130, 225))
    lamps = ((round(0.5 * width), round(0.56 * high), round(0.07 * width)),)
    return Vehicle(easel.picture, easel.mask, (0.5 * width, 0.7 * high, 0.4 * width), lamps, False)
