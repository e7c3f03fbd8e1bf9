"""Pictures made once and reused by random crops: fresh noise for every plate would cost more than all the rest.

Everything is lazy and seeded, so that the same generator state gives the same picture in every process.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import blanks

Float = npt.NDArray[np.float32]
_SIDE = 1024


@cache
def _noises() -> tuple[Float, Float, Float]:
    """White, slightly and clearly smoothed noise, (_SIDE, _SIDE) float32 each, mean 0, standard deviation 1."""
    rng = np.random.default_rng(41)
    white = rng.standard_normal((_SIDE, _SIDE), dtype=np.float32)
    bank = [white]
    for sigma in (0.7, 1.3):
        smooth = cv2.GaussianBlur(white, (0, 0), sigma)
        bank.append(smooth / smooth.std())
    return bank[0], bank[1], bank[2]


def noise(rng: np.random.Generator, shape: tuple[int, int]) -> Float:
    """A random crop of sensor noise, (h, w) float32, standard deviation 1; larger pictures get it tiled."""
    bank = _noises()
    sheet = bank[int(rng.integers(3))]
    high, wide = shape
    if high > _SIDE or wide > _SIDE:
        sheet = np.tile(sheet, (high // _SIDE + 1, wide // _SIDE + 1))
    y, x = int(rng.integers(sheet.shape[0] - high + 1)), int(rng.integers(sheet.shape[1] - wide + 1))
    return sheet[y : y + high, x : x + wide]


@cache
def _clouds() -> Float:
    """Fractal clouds, (24, 128, 256) float32 in 0..1."""
    rng = np.random.default_rng(43)
    sheets = []
    for _ in range(24):
        sheet = np.zeros((128, 256), np.float32)
        for octave in range(int(rng.integers(1, 3)), 7):
            rows, columns = 2**octave, 2 ** (octave + 1)
            rough = rng.random((min(rows, 128), min(columns, 256)), dtype=np.float32)
            sheet += cv2.resize(rough, (256, 128), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.5, 0.8) ** octave
        low, high = np.percentile(sheet, (1, 99))
        sheets.append(np.clip((sheet - low) / (high - low), 0, 1))
    return np.stack(sheets)


def clouds(rng: np.random.Generator, shape: tuple[int, int]) -> Float:
    """A random cut of a cloud, stretched to (h, w), float32 0..1."""
    bank = _clouds()
    sheet = bank[int(rng.integers(len(bank)))]
    high, wide = int(rng.integers(24, 129)), int(rng.integers(48, 257))
    y, x = int(rng.integers(128 - high + 1)), int(rng.integers(256 - wide + 1))
    return cv2.resize(sheet[y : y + high, x : x + wide], (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


@cache
def _lights() -> Float:
    """How light falls on a plate: (256, 32, 64) float32 factors around 1, gradients and the edges of shadows."""
    rng = np.random.default_rng(47)
    y, x = np.mgrid[-1:1:32j, -1:1:64j].astype(np.float32)
    bank = []
    for index in range(256):
        light = 1 + rng.normal(0, 0.13) * x + rng.normal(0, 0.13) * y
        if index % 3 == 0:
            angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
            if rng.random() < 0.5:
                # A bumper's or a boot lid's shadow lies level across the plate.
                angle = np.pi / 2 * rng.choice([-1, 1]) + rng.normal(0, 0.12)
            side = (np.cos(angle) * x + np.sin(angle) * y - offset) / rng.uniform(0.03, 0.35)
            light = light * (1 - rng.uniform(0.2, 0.7) / (1 + np.exp(-np.clip(side * 3, -30, 30))))
        bank.append(np.clip(light, 0.1, 2.0))
    return np.stack(bank).astype(np.float32)


def light(rng: np.random.Generator, shape: tuple[int, int]) -> Float:
    """A random fall of light, (h, w) float32 factors."""
    bank = _lights()
    return cv2.resize(bank[int(rng.integers(len(bank)))], (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


@cache
def _surroundings() -> list[npt.NDArray[np.uint8]]:
    """What a car looks like around its plate: (160, 320) uint8 pictures of body panels, bumpers, grilles, gravel."""
    rng = np.random.default_rng(53)
    bank = []
    for _ in range(160):
        high, wide = 160, 320
        tone = float(rng.uniform(8, 235))
        picture = np.full((high, wide), tone, np.float32) + np.linspace(rng.normal(0, 18), rng.normal(0, 18), high, dtype=np.float32)[:, None]
        picture = np.clip(picture, 0, 255).astype(np.uint8)
        for _ in range(int(rng.integers(0, 4))):
            # Creases and gaps of the body run level, more or less.
            y = int(rng.integers(high))
            band = int(rng.integers(2, 60))
            corners = np.array([[0, y], [wide, y + rng.integers(-18, 19)], [wide, y + band], [0, y + band + rng.integers(-9, 10)]], np.int32)
            cv2.fillPoly(picture, [corners], int(np.clip(tone + rng.normal(0, 55), 0, 255)), cv2.LINE_AA)
        if rng.random() < 0.25:
            other = cv2.resize(blanks.draw(rng), (wide, high))
            picture = cv2.addWeighted(picture, 0.4, other, 0.6, 0)
        if rng.random() < 0.2:
            cv2.circle(picture, (int(rng.integers(wide)), int(rng.integers(high))), int(rng.integers(10, 50)), int(rng.integers(0, 256)), -1, cv2.LINE_AA)
        bank.append(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.5, 4))))
    return bank


def surrounding(rng: np.random.Generator, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A random cut of a car's surface, (h, w) uint8."""
    bank = _surroundings()
    sheet = bank[int(rng.integers(len(bank)))]
    high, wide = int(rng.integers(50, 161)), int(rng.integers(100, 321))
    y, x = int(rng.integers(160 - high + 1)), int(rng.integers(320 - wide + 1))
    return cv2.resize(sheet[y : y + high, x : x + wide], (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


@cache
def _rains() -> Float:
    """Streaks of rain, (8, 64, 256) float32 0..1."""
    rng = np.random.default_rng(59)
    sheets = []
    for _ in range(8):
        sheet = np.zeros((64, 256), np.uint8)
        slant = int(rng.integers(-8, 9))
        for _ in range(int(rng.integers(15, 60))):
            x, y, length = int(rng.integers(256)), int(rng.integers(-20, 64)), int(rng.integers(6, 26))
            cv2.line(sheet, (x, y), (x + slant * length // 20, y + length), int(rng.integers(60, 256)), 1, cv2.LINE_AA)
        sheets.append(sheet.astype(np.float32) / 255)
    return np.stack(sheets)


def rain(rng: np.random.Generator, shape: tuple[int, int]) -> Float:
    """Streaks of rain, (h, w) float32 0..1."""
    return cv2.resize(_rains()[int(rng.integers(8))], (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
