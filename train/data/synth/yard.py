"""The place where the demo clip happens: a driveway with a house, a garage, hedges and a lamp, in colour and by day."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import banks

Picture = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]

WIDE, HIGH = 1280, 720
FOCAL = 1700.0
"""Pixels."""
EYE_M = 1.9
"""Height of the camera over the ground."""
HORIZON = 196.0
"""Row of the horizon; the camera looks slightly down."""


def project(x_m: float, height_m: float, z_m: float) -> tuple[float, float]:
    """Pixel of a point `x_m` to the right of the camera's axis, `height_m` over the ground, `z_m` away."""
    return WIDE / 2 + FOCAL * x_m / z_m, HORIZON + FOCAL * (EYE_M - height_m) / z_m


def _ground(points: list[tuple[float, float]]) -> npt.NDArray[np.int32]:
    return np.array([[round(v) for v in project(x, 0.0, z)] for x, z in points], np.int32)


def _upright(x0: float, x1: float, low: float, top: float, z: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Corners of a rectangle that stands parallel to the picture, `z` metres away."""
    (a, b), (c, d) = project(x0, top, z), project(x1, low, z)
    return (round(a), round(b)), (round(c), round(d))


def _grain_plane(rng: np.random.Generator, picture: Picture) -> None:
    """Asphalt and grass get a grain that lies on the ground and shrinks with the distance, in place."""
    plane = banks.noise(rng, (1000, 1000)).copy()
    plane += (banks.clouds(rng, (1000, 1000)) - 0.5) * 3.0
    near, far = 3.0, 40.0
    corners = np.array([project(-12, 0, far), project(12, 0, far), project(12, 0, near), project(-12, 0, near)], np.float32)
    source = np.array([[0, 0], [1000, 0], [1000, 1000], [0, 1000]], np.float32)
    laid = cv2.warpPerspective(plane, cv2.getPerspectiveTransform(source, corners), (WIDE, HIGH), flags=cv2.INTER_AREA)
    picture[:] = np.clip(picture + cv2.GaussianBlur(laid, (0, 0), 1.6)[:, :, None] * 3.5, 0, 255)


def _foliage(rng: np.random.Generator, picture: Picture, outline: npt.NDArray[np.int32], green: tuple[int, int, int]) -> None:
    """Fill the outline with leaves: clouds of light and dark on green, in place."""
    mask = np.zeros((HIGH, WIDE), np.uint8)
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect(outline)
    x, y, w, h = max(0, x), max(0, y), min(w, WIDE - max(0, x)), min(h, HIGH - max(0, y))
    leaves = 0.75 + (banks.clouds(rng, (h, w)) - 0.5) * 0.5 + cv2.GaussianBlur(banks.noise(rng, (h, w)), (0, 0), 1.4) * 0.2
    light = np.linspace(1.2, 0.75, h, dtype=np.float32)[:, None]
    paint = np.clip(leaves[:, :, None] * light[:, :, None] * np.array(green, np.float32), 0, 255)
    alpha = mask[y : y + h, x : x + w, None].astype(np.float32) / 255
    region = picture[y : y + h, x : x + w]
    region[:] = region * (1 - alpha) + paint * alpha


def _hedge(rng: np.random.Generator, x0: float, x1: float, z0: float, z1: float, height: float) -> npt.NDArray[np.int32]:
    """The outline of a hedge along the drive from (x0, z0) to (x1, z1) with a bumpy top."""
    steps = np.linspace(0, 1, 26)
    top = [project(x0 + (x1 - x0) * t, height + rng.normal(0, 0.05), 1 / (1 / z0 + (1 / z1 - 1 / z0) * t)) for t in steps]
    foot = [project(x0 + (x1 - x0) * t, 0.0, 1 / (1 / z0 + (1 / z1 - 1 / z0) * t)) for t in steps[::-1]]
    return np.array(top + foot).round().astype(np.int32)


def _house(picture: Picture) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """A house at the end of the drive; returns its windows, which are lit at night. In place."""
    z = 46.0
    wall = _upright(-12.6, 1.6, 0, 4.6, z)
    cv2.rectangle(picture, *wall, (190, 208, 220), -1)
    roof = np.array([project(-13.6, 4.5, z), project(2.6, 4.5, z), project(0.4, 6.7, z), project(-11.2, 6.7, z)]).round().astype(np.int32)
    cv2.fillPoly(picture, [roof], (62, 70, 120), cv2.LINE_AA)
    for row in range(6):
        y = round(project(0, 4.5 + row * 0.37, z)[1])
        inset = row * 0.38
        cv2.line(picture, (round(project(-13.6 + inset, 0, z)[0]), y), (round(project(2.6 - inset, 0, z)[0]), y), (52, 60, 104), 1, cv2.LINE_AA)
    windows = [_upright(x, x + 1.6, low, low + 1.35, z) for low in (0.7, 2.75) for x in (-11.4, -8.3, -1.2)] + [_upright(-5.0, -3.4, 2.75, 4.1, z)]
    for (ax, ay), (bx, by) in windows:
        cv2.rectangle(picture, (ax - 2, ay - 2), (bx + 2, by + 2), (240, 243, 244), -1)
        cv2.rectangle(picture, (ax, ay), (bx, by), (110, 92, 74), -1)
        cv2.line(picture, ((ax + bx) // 2, ay), ((ax + bx) // 2, by), (240, 243, 244), 1)
    door = _upright(-4.9, -3.5, 0, 2.2, z)
    cv2.rectangle(picture, *door, (46, 62, 92), -1)
    garage = _upright(3.0, 10.4, 0, 2.9, 40.0)
    cv2.rectangle(picture, *garage, (178, 192, 204), -1)
    cv2.rectangle(picture, *_upright(2.5, 10.9, 2.8, 3.25, 40.0), (70, 74, 84), -1)
    (ax, ay), (bx, by) = _upright(4.0, 9.4, 0, 2.3, 40.0)
    cv2.rectangle(picture, (ax, ay), (bx, by), (222, 224, 226), -1)
    for y in range(ay + 5, by, 9):
        cv2.line(picture, (ax, y), (bx, y), (196, 199, 202), 1)
    return windows


def build(rng: np.random.Generator) -> tuple[Picture, Float]:
    """The yard by day, (HIGH, WIDE, 3) BGR, and the light of its lamp and windows at night, (HIGH, WIDE, 3) float32 to be added."""
    picture = np.zeros((HIGH, WIDE, 3), np.uint8)
    sky_rows = round(HORIZON) + 8
    for channel, (top, low) in enumerate(((226, 240), (186, 224), (140, 208))):
        picture[:sky_rows, :, channel] = np.linspace(top, low, sky_rows)[:, None]
    haze = np.clip((banks.clouds(rng, (sky_rows, WIDE)) - 0.5) * 2, 0, 1)[:, :, None] * 0.6
    picture[:sky_rows] = picture[:sky_rows] * (1 - haze) + 248 * haze
    picture[sky_rows:] = (72, 128, 92)
    for x, z, size in ((-19, 56, 5.6), (-15, 50, 5.0), (4, 56, 5.8), (9, 52, 5.4), (14, 48, 6.0), (17, 50, 5.2), (0, 60, 5.6)):
        cx, cy = project(x, size * 0.75, z)
        angle = np.linspace(0, 2 * np.pi, 30, endpoint=False)
        radius = FOCAL * size * 0.5 / z * (1 + rng.normal(0, 0.06, 30))
        _foliage(rng, picture, np.stack([cx + np.cos(angle) * radius * 1.1, cy + np.sin(angle) * radius], 1).round().astype(np.int32), (62, 118, 84))
    windows = _house(picture)
    cv2.fillPoly(picture, [_ground([(-3.1, 36), (3.1, 36), (3.1, 2.5), (-3.1, 2.5)])], (116, 114, 112))
    cv2.fillPoly(picture, [_ground([(-7, 40), (10.6, 40), (10.6, 29), (-7, 29)])], (120, 118, 116))
    _grain_plane(rng, picture)
    for side in (-1, 1):
        cv2.fillPoly(picture, [_ground([(side * 3.0, 29), (side * 3.16, 29), (side * 3.16, 2.5), (side * 3.0, 2.5)])], (176, 180, 182), cv2.LINE_AA)
    for z in np.arange(5, 24, 3.0):
        cv2.fillPoly(picture, [_ground([(-0.05, z + 1.2), (0.05, z + 1.2), (0.05, z), (-0.05, z)])], (196, 200, 200), cv2.LINE_AA)
    _foliage(rng, picture, _hedge(rng, -3.9, -4.2, 3.0, 28.0, 1.25), (58, 112, 66))
    _foliage(rng, picture, _hedge(rng, 3.9, 4.2, 3.0, 28.0, 1.05), (52, 104, 62))
    foot, head = project(4.6, 0, 14.0), project(4.6, 3.1, 14.0)
    cv2.line(picture, (round(foot[0]), round(foot[1])), (round(head[0]), round(head[1])), (62, 62, 60), 7, cv2.LINE_AA)
    lamp = (round(head[0]), max(14, round(head[1])))
    cv2.rectangle(picture, (lamp[0] - 12, lamp[1] - 12), (lamp[0] + 12, lamp[1] + 10), (205, 214, 216), -1)
    cv2.rectangle(picture, (lamp[0] - 15, lamp[1] - 15), (lamp[0] + 15, lamp[1] - 11), (58, 58, 56), -1)
    # Fine grain would cost the clip megabytes and show nothing.
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return picture, _night_lights(picture, windows, lamp)


def _night_lights(picture: Picture, windows: list[tuple[tuple[int, int], tuple[int, int]]], lamp: tuple[int, int]) -> Float:
    """Lit windows, the lamp's glow and the warm pool that it throws on the ground."""
    lights = np.zeros((HIGH, WIDE, 3), np.float32)
    warm = np.array((90, 170, 235), np.float32)
    for index, ((ax, ay), (bx, by)) in enumerate(windows):
        if index in (0, 2, 4, 6):
            lights[ay:by, ax:bx] += warm * 0.85
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32)
    away = np.hypot(x - lamp[0], y - lamp[1])
    lights += (np.exp(-((away / 26) ** 2)) * 1.1 + np.exp(-((away / 110) ** 2)) * 0.3)[:, :, None] * warm
    cx, cy = project(3.2, 0, 12.0)
    pool = np.exp(-(((x - cx) / 420) ** 2) - (((y - cy) / 120) ** 2)) * (y > HORIZON)
    lights += pool[:, :, None] * warm * (picture.astype(np.float32) / 255) * 0.5
    return cv2.GaussianBlur(lights, (0, 0), 1.2)
