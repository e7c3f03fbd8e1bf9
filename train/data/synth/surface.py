"""What time, weather and the car dealer do to a plate, before any camera sees it. Everything works in place on uint8 luma."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import banks, furniture

Luma = npt.NDArray[np.uint8]


def emboss(rng: np.random.Generator, luma: Luma) -> None:
    """Light from one side on raised characters: one flank brighter, the other darker."""
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.45)
    if rng.random() < 0.6:
        angle = rng.normal(-np.pi / 2, 0.5)
    dx, dy = np.cos(angle) * depth / 2, np.sin(angle) * depth / 2
    kernel = np.array([[0, -dy, 0], [-dx, 1, dx], [0, dy, 0]], np.float32)
    luma[:] = cv2.filter2D(luma, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def fade(rng: np.random.Generator, luma: Luma) -> None:
    """Paint worn off in patches: ink and paper come nearer to each other."""
    mean = float(luma.mean())
    weight = 1 - banks.clouds(rng, luma.shape[:2]) * rng.uniform(0.2, 0.75)
    luma[:] = (luma - mean) * weight + mean


def soil(rng: np.random.Generator, luma: Luma) -> None:
    """A film of dirt, heavier in patches and sometimes towards the bottom."""
    high, wide = luma.shape
    film = banks.clouds(rng, (high, wide))
    sharpness, level = rng.uniform(1.5, 7), rng.uniform(0.35, 0.95)
    film = np.clip((film - level) * sharpness + 0.2, 0, 1)
    if rng.random() < 0.35:
        film *= np.linspace(rng.uniform(0, 0.4), 1.3, high, dtype=np.float32)[:, None]
    film *= rng.uniform(0.2, 0.75)
    tone = rng.uniform(30, 150)
    luma[:] = np.clip(luma + (tone - luma) * np.minimum(film, 0.65), 0, 255)


def speckle(rng: np.random.Generator, luma: Luma) -> None:
    """Flies, stone chips, splashes."""
    high, wide = luma.shape
    for _ in range(int(rng.integers(2, 14))):
        radius = max(1, round(high * float(rng.exponential(0.014))))
        cv2.circle(luma, (int(rng.integers(wide)), int(rng.integers(high))), min(radius, high // 14 + 1), int(rng.integers(20, 230)), -1, cv2.LINE_AA)


def scratch(rng: np.random.Generator, luma: Luma) -> None:
    """A dent or scratch across."""
    high, wide = luma.shape
    for _ in range(int(rng.integers(1, 4))):
        a, b = (int(rng.integers(wide)), int(rng.integers(high))), (int(rng.integers(wide)), int(rng.integers(high)))
        cv2.line(luma, a, b, int(rng.integers(30, 230)), 1, cv2.LINE_AA)


def bolt(rng: np.random.Generator, luma: Luma, box: tuple[int, int, int, int]) -> None:
    """Two or four screw heads with a glint on the plate that lies in `box` (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    wide, high = x1 - x0, y1 - y0
    radius = max(1, round(high * rng.uniform(0.03, 0.055)))
    tone, spread = int(rng.integers(20, 220)), rng.uniform(0.25, 0.47)
    rows = ((0.1, 0.9), (0.5,), (0.12,))[int(rng.integers(3))]
    for row in rows:
        for side in (-1, 1):
            centre = (round((x0 + x1) / 2 + side * spread * wide), round(y0 + row * high))
            cv2.circle(luma, centre, radius, tone, -1, cv2.LINE_AA)
            if radius > 2:
                cv2.circle(luma, (centre[0] - 1, centre[1] - 1), radius // 2, min(255, tone + 60), -1, cv2.LINE_AA)


def mount(rng: np.random.Generator, plate: Luma, infrared: bool) -> tuple[Luma, tuple[int, int, int, int]]:
    """Put the plate on a car: surroundings, shadow, frame, dealer lettering, rounded corners.

    Returns the flat picture with 45 % of the plate's height and 12 % of its width around, and the plate's box (x0, y0, x1, y1) in it.
    """
    high, wide = plate.shape
    pad_x, pad_y = round(wide * 0.12 + high * 0.2), round(high * 0.45)
    world = banks.surrounding(rng, (high + 2 * pad_y, wide + 2 * pad_x))
    if infrared:
        world = (world * float(rng.uniform(0.03, 0.25))).astype(np.uint8)
    x0, y0, x1, y1 = pad_x, pad_y, pad_x + wide, pad_y + high
    if rng.random() < 0.45:
        drop = max(1, round(high * rng.uniform(0.03, 0.12)))
        cv2.rectangle(world, (x0, y0 - drop), (x1 + drop // 2, y1 + drop), int(world[y0, x0] * rng.uniform(0.1, 0.6)), -1)
    if rng.random() < 0.5:
        _frame(rng, world, (x0, y0, x1, y1), high, infrared)
    _inlay(rng, world, plate, x0, y0)
    if rng.random() < 0.18:
        _rim(rng, world, (x0, y0, x1, y1), infrared)
    return world, (x0, y0, x1, y1)


def _frame(rng: np.random.Generator, world: Luma, box: tuple[int, int, int, int], high: int, infrared: bool) -> None:
    x0, y0, x1, y1 = box
    tone = int(rng.integers(4, 60)) if rng.random() < 0.75 else int(rng.integers(110, 235))
    tone = tone // 4 if infrared else tone
    rim = max(1, round(high * rng.uniform(0.02, 0.09)))
    foot = max(rim, round(high * rng.uniform(0.05, 0.24))) if rng.random() < 0.45 else rim
    head = max(rim, round(high * rng.uniform(0.05, 0.2))) if rng.random() < 0.12 else rim
    cv2.rectangle(world, (x0 - rim, y0 - head), (x1 + rim, y1 + foot), tone, -1)
    light = tone + 130 if tone < 90 else tone - 90
    for deep, row in ((foot, y1 + foot / 2), (head, y0 - head / 2)):
        if deep >= max(5, high * 0.08) and rng.random() < 0.8:
            words = furniture.WORDINGS["dealer"]
            furniture.put_legend(
                rng, world, words[int(rng.integers(len(words)))], ((x0 + x1) / 2, row), round(deep * 0.75), max(0, min(255, light)), (x1 - x0) * 0.8
            )


def _rim(rng: np.random.Generator, world: Luma, box: tuple[int, int, int, int], infrared: bool) -> None:
    """A frame that reaches over the plate's edges: a few hundredths of its height, on one, two or all sides."""
    x0, y0, x1, y1 = box
    high = y1 - y0
    tone = int(rng.integers(4, 200)) // (4 if infrared else 1)
    for edge in range(4) if rng.random() < 0.5 else rng.permutation(4)[: int(rng.integers(1, 3))]:
        reach = max(1, round(high * rng.uniform(0.01, 0.07)))
        a, b, c, d = ((x0, y0, x1, y0 + reach), (x0, y0, x0 + reach, y1), (x0, y1 - reach, x1, y1), (x1 - reach, y0, x1, y1))[int(edge)]
        cv2.rectangle(world, (a, b), (c, d), tone, -1)


def _inlay(rng: np.random.Generator, world: Luma, plate: Luma, x: int, y: int) -> None:
    """Lay the plate in, with rounded corners in two cases of three."""
    high, wide = plate.shape
    radius = round(high * rng.uniform(0.03, 0.16))
    region = world[y : y + high, x : x + wide]
    if radius < 2 or rng.random() < 0.33:
        region[:] = plate
        return
    mask = np.zeros((high, wide), np.uint8)
    cv2.rectangle(mask, (radius, 0), (wide - 1 - radius, high - 1), 255, -1)
    cv2.rectangle(mask, (0, radius), (wide - 1, high - 1 - radius), 255, -1)
    for cx in (radius, wide - 1 - radius):
        for cy in (radius, high - 1 - radius):
            cv2.circle(mask, (cx, cy), radius, 255, -1)
    cv2.copyTo(plate, mask, region)


def cover(rng: np.random.Generator, world: Luma, box: tuple[int, int, int, int]) -> None:
    """A tow bar, a cable or an edge before the plate; at most a fifth of its height, so that it can still be read."""
    x0, y0, x1, y1 = box
    high = y1 - y0
    tone = int(rng.integers(0, 120))
    if rng.random() < 0.5:
        x = int(rng.integers(x0, x1))
        radius = max(2, round(high * rng.uniform(0.1, 0.24)))
        cv2.circle(world, (x, y1), radius, tone, -1, cv2.LINE_AA)
        cv2.rectangle(world, (x - radius // 2, y1), (x + radius // 2, world.shape[0]), tone, -1)
    elif rng.random() < 0.5:
        edge = y1 - round(high * rng.uniform(0.02, 0.09))
        cv2.rectangle(world, (0, edge), (world.shape[1], world.shape[0]), tone, -1)
    else:
        edge = y0 + round(high * rng.uniform(0.02, 0.09))
        cv2.rectangle(world, (0, 0), (world.shape[1], edge), tone, -1)
