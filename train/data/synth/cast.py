"""The vehicles of the demo clip with their plates and the times of their passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import furniture
from train.data.synth.plates import DrawnPlate, PlateArtist
from train.data.synth.vehicles import Colour, Vehicle, draw_vehicle

Picture = npt.NDArray[np.uint8]

CAR_PIXELS = 1100
"""Width at which a car is drawn before it is scaled to its distance."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One vehicle's way through the picture: `front` ones come, others leave. `again` repeats the plate of that pass."""

    start_s: float
    kind: str
    front: bool
    paint: Colour
    country: str
    lines: int = 1
    lane_m: float = 0.0
    near_m: float = 5.3
    again: int | None = None


PASSES: tuple[Pass, ...] = (
    Pass(0.6, "hatch", True, (150, 95, 40), "de", lane_m=-0.5),
    Pass(7.6, "saloon", False, (40, 40, 150), "es", lane_m=0.4),
    Pass(18.6, "suv", True, (188, 190, 192), "cz", lane_m=-1.35, near_m=5.4),
    Pass(19.6, "saloon", True, (52, 52, 56), "fr", lane_m=1.25, near_m=5.5),
    Pass(26.4, "hatch", False, (60, 110, 60), "gb", lines=2, lane_m=0.1),
    Pass(33.4, "hatch", True, (150, 95, 40), "de", lane_m=-0.3, again=0),
    Pass(40.6, "suv", True, (225, 225, 225), "pl", lane_m=0.35),
)


@dataclass(frozen=True, slots=True)
class Actor:
    """A vehicle with its plate on it, in a pyramid of sizes: each (picture BGR, mask, mask of the plate)."""

    levels: tuple[tuple[Picture, Picture, Picture], ...]
    vehicle: Vehicle
    plate: DrawnPlate
    plate_share: tuple[float, float]


def fair_plate(rng: np.random.Generator, artist: PlateArtist, country: str, lines: int) -> DrawnPlate:
    """A plate of the country with strong contrast and enough characters to be worth reading."""
    while True:
        plate = artist.draw(rng, country)
        if plate.lines == lines and len(plate.text) >= 6 and np.ptp(plate.luma) > 165 and np.median(plate.luma) > 150:
            return plate


def in_colour(plate: DrawnPlate) -> Picture:
    """The plate in BGR: a yellow rear plate for Britain, a blue strip where the left edge is dark."""
    luma = plate.luma.astype(np.float32)
    picture = np.stack([luma, luma, luma], 2)
    if plate.country == "gb":
        picture *= np.array((0.28, 0.86, 1.0), np.float32)
    strip = round(plate.luma.shape[0] * 0.34)
    if plate.country != "gb" and float(np.median(luma[:, : strip // 2])) < 130:
        blue = np.array((1.9, 0.75, 0.4), np.float32)
        picture[:, :strip] = np.where(luma[:, :strip, None] < 130, np.minimum(luma[:, :strip, None] * blue + (40, 10, 0), 255), picture[:, :strip])
    return np.clip(picture, 0, 255).astype(np.uint8)


def make_actor(rng: np.random.Generator, entry: Pass, plate: DrawnPlate) -> Actor:
    vehicle = draw_vehicle(rng, CAR_PIXELS, entry.kind, entry.front, entry.paint, square=entry.lines == 2)
    picture, mask = vehicle.picture.copy(), vehicle.mask
    cx, cy, wide = vehicle.plate
    # A car is 1.8 m wide: the plate keeps its true size, 52 cm or 28.5 cm for the square one.
    wide = CAR_PIXELS * (0.52 if plate.lines == 1 else 0.34) / 1.8
    tall = wide * plate.luma.shape[0] / plate.luma.shape[1]
    laid = cv2.resize(in_colour(plate), (round(wide), round(tall)), interpolation=cv2.INTER_AREA)
    x, y = round(cx - wide / 2), round(cy - tall / 2)
    cv2.rectangle(picture, (x - 6, y - 6), (x + laid.shape[1] + 5, y + laid.shape[0] + 5), (18, 18, 18), -1)
    picture[y : y + laid.shape[0], x : x + laid.shape[1]] = laid
    shine = np.zeros(mask.shape, np.uint8)
    shine[y : y + laid.shape[0], x : x + laid.shape[1]] = 255
    levels = [(picture, mask, shine)]
    while levels[-1][1].shape[1] > 90:
        half = (levels[-1][1].shape[1] // 2, levels[-1][1].shape[0] // 2)
        levels.append(tuple(cv2.resize(layer, half, interpolation=cv2.INTER_AREA) for layer in levels[-1]))  # type: ignore[arg-type]
    return Actor(tuple(levels), vehicle, plate, (wide, tall))


def distance(entry: Pass, t: float) -> float | None:
    """Metres from the camera to the car `t` seconds after its start, None before and after its pass."""
    # Ten knots: quick far away, slow and for a moment almost still near the gate, then out of the picture.
    times = np.array([0.0, 1.0, 2.0, 3.0, 3.8, 4.6, 5.4, 6.0, 6.5])
    near = entry.near_m
    path = np.array([26.0, 17.5, 11.8, 8.4, near + 1.5, near + 0.55, near - 0.15, near - 1.4, near - 2.9])
    if not entry.front:
        path = path[::-1] - 0.7
        times = 6.5 - times[::-1]
    if not 0 <= t <= times[-1]:
        return None
    return float(max(1.6, np.interp(t, times, path)))


VAN_LEGENDS = ("Fresh Bread & Cakes", "Tel. 555 0142")


def draw_van(rng: np.random.Generator, legends: Sequence[str] = VAN_LEGENDS) -> tuple[Picture, Picture]:
    """A delivery van from its side with a shop's name and telephone number on it: lettering, but no plate. BGR and mask."""
    wide, high = 1000, 430
    picture, mask = np.zeros((high, wide, 3), np.uint8), np.zeros((high, wide), np.uint8)
    white: Colour = (232, 234, 236)
    outline = np.array([[18, 40], [40, 16], [660, 14], [735, 40], [850, 175], [960, 215], [985, 250], [988, 350], [20, 356]], np.int32)
    for canvas, colour in ((picture, white), (mask, 255)):
        cv2.fillPoly(canvas, [outline], colour, cv2.LINE_AA)
    shade = np.linspace(1.03, 0.72, high, dtype=np.float32)[:, None, None]
    picture[:] = np.clip(picture * shade, 0, 255)
    cv2.fillPoly(picture, [np.array([[690, 52], [728, 56], [828, 176], [690, 182]], np.int32)], (88, 76, 64), cv2.LINE_AA)
    cv2.fillPoly(picture, [np.array([[720, 60], [735, 64], [790, 130], [760, 178], [716, 180]], np.int32)], (120, 106, 92), cv2.LINE_AA)
    cv2.line(picture, (672, 30), (672, 350), (150, 152, 154), 3, cv2.LINE_AA)
    cv2.rectangle(picture, (20, 300), (985, 322), (140, 105, 30), -1)
    for x in (205, 800):
        cv2.circle(picture, (x, 352), 74, (40, 40, 42), -1, cv2.LINE_AA)
        cv2.circle(mask, (x, 352), 74, 255, -1)
        cv2.circle(picture, (x, 352), 42, (150, 152, 154), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 352), 12, (60, 60, 60), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (972, 262), (16, 26), 0, 0, 360, (225, 235, 238), -1, cv2.LINE_AA)
    luma = np.full((high, wide), 255, np.uint8)
    for number, text in enumerate(legends):
        furniture.put_legend(rng, luma, text, (345, 110 + 115 * number), 62 + 4 * number, 30, 560 - 90 * number)
    picture[:] = picture * (luma.astype(np.float32)[:, :, None] / 255) + (255 - luma.astype(np.float32)[:, :, None]) / 255 * np.array((140, 90, 20), np.float32)
    return picture, mask
