"""Backgrounds for scenes: a bank of drawn streets, yards and walls without any plate, and lettering that is none."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import banks, blanks, furniture
from train.data.synth.vehicles import Vehicle, draw_vehicle
from train.data.synth.wording import READABLE

Luma = npt.NDArray[np.uint8]
_HIGH, _WIDE = 480, 640


def _texture(rng: np.random.Generator, region: Luma, contrast: float, speck: float) -> None:
    """Make a flat region look like a surface, in place."""
    shade = (banks.clouds(rng, region.shape[:2]) - 0.5) * contrast + banks.noise(rng, region.shape[:2]) * speck
    region[:] = np.clip(region + shade, 0, 255)


def _sky(rng: np.random.Generator, picture: Luma, horizon: int) -> None:
    picture[:horizon] = np.linspace(rng.uniform(110, 250), rng.uniform(170, 252), horizon)[:, None]
    if rng.random() < 0.6:
        _texture(rng, picture[:horizon], rng.uniform(5, 50), 0.5)


def _houses(rng: np.random.Generator, picture: Luma, horizon: int) -> None:
    """Fronts with windows along the street."""
    x = -int(rng.integers(80))
    while x < _WIDE:
        wide, top, tone = int(rng.integers(60, 260)), int(horizon * rng.uniform(0.0, 0.7)), int(rng.integers(50, 215))
        cv2.rectangle(picture, (x, top), (x + wide, horizon), tone, -1)
        step_x, step_y = int(rng.integers(18, 50)), int(rng.integers(22, 60))
        pane = int(np.clip(tone + rng.choice([-60, -35, 45]), 0, 255))
        for wy in range(top + 10, horizon - step_y // 2, step_y):
            for wx in range(x + 8, x + wide - step_x // 2, step_x):
                cv2.rectangle(picture, (wx, wy), (wx + step_x // 2, wy + step_y // 2), pane, -1)
        x += wide + int(rng.integers(-5, 40))


def _trees(rng: np.random.Generator, picture: Luma, horizon: int) -> None:
    """Crowns and hedges: clumps of noise."""
    for _ in range(int(rng.integers(1, 7))):
        radius = int(rng.integers(25, 120))
        x, y = int(rng.integers(_WIDE)), horizon - int(rng.integers(0, 100))
        a, b, c, d = max(0, x - radius), max(0, y - radius), min(_WIDE, x + radius), min(_HIGH, y + radius)
        mask = np.zeros((d - b, c - a), np.uint8)
        cv2.circle(mask, (x - a, y - b), radius, 255, -1)
        leaves = np.clip(banks.clouds(rng, mask.shape) * rng.uniform(60, 130) + banks.noise(rng, mask.shape) * 14 + rng.uniform(5, 60), 0, 255).astype(np.uint8)
        cv2.copyTo(leaves, mask, picture[b:d, a:c])


def _road(rng: np.random.Generator, picture: Luma, horizon: int) -> None:
    picture[horizon:] = np.linspace(rng.uniform(70, 150), rng.uniform(60, 190), _HIGH - horizon)[:, None]
    _texture(rng, picture[horizon:], rng.uniform(10, 50), rng.uniform(2, 9))
    vanishing = int(rng.integers(_WIDE // 4, 3 * _WIDE // 4))
    for _ in range(int(rng.integers(0, 5))):
        foot = int(rng.integers(-_WIDE // 2, 3 * _WIDE // 2))
        half = int(rng.integers(2, 14))
        corners = np.array([[vanishing, horizon], [foot - half, _HIGH], [foot + half, _HIGH]], np.int32)
        cv2.fillPoly(picture, [corners], int(rng.integers(150, 250)), cv2.LINE_AA)


def _wall(rng: np.random.Generator, picture: Luma, horizon: int) -> None:
    """Bricks, a fence, a roller door or plain plaster over all."""
    tone = int(rng.integers(40, 220))
    picture[:horizon] = tone
    joint, kind = int(np.clip(tone + rng.choice([-40, 40]), 0, 255)), rng.random()
    step_y, step_x = int(rng.integers(8, 26)), int(rng.integers(20, 60))
    if kind < 0.7:
        for row, y in enumerate(range(0, horizon, step_y)):
            cv2.line(picture, (0, y), (_WIDE, y), joint, 1)
            if kind < 0.4:
                for x in range((row % 2) * step_x // 2, _WIDE, step_x):
                    cv2.line(picture, (x, y), (x, min(horizon, y + step_y)), joint, 1)
    else:
        for x in range(0, _WIDE, step_x):
            cv2.rectangle(picture, (x, 0), (x + step_x // 3, horizon), joint, -1)
    _texture(rng, picture[:horizon], rng.uniform(10, 60), rng.uniform(1, 6))


@cache
def _streets() -> list[Luma]:
    rng = np.random.default_rng(61)
    bank = []
    for _ in range(72):
        picture = np.zeros((_HIGH, _WIDE), np.uint8)
        horizon = int(_HIGH * rng.uniform(0.25, 0.65))
        kind = rng.random()
        if kind < 0.62:
            _sky(rng, picture, horizon)
            if rng.random() < 0.7:
                _houses(rng, picture, horizon)
            if rng.random() < 0.7:
                _trees(rng, picture, horizon)
            _road(rng, picture, horizon)
        elif kind < 0.85:
            _wall(rng, picture, horizon)
            _road(rng, picture, horizon)
        elif kind < 0.94:
            picture[:] = cv2.resize(banks.surrounding(rng, (120, 160)), (_WIDE, _HIGH))
        else:
            picture[:] = cv2.resize(blanks.draw(rng), (_WIDE, _HIGH))
        for _ in range(int(rng.integers(0, 5))):
            x, thick = int(rng.integers(_WIDE)), int(rng.integers(2, 12))
            cv2.line(picture, (x, 0), (x + int(rng.integers(-9, 10)), horizon + 30), int(rng.integers(20, 220)), thick, cv2.LINE_AA)
        bank.append(picture)
    return bank


def street(rng: np.random.Generator, size: tuple[int, int]) -> Luma:
    """A random cut of a drawn place, `size` = (height, width)."""
    bank = _streets()
    picture = bank[int(rng.integers(len(bank)))]
    share = rng.uniform(0.55, 1.0)
    high, wide = int(_HIGH * share), int(_WIDE * share)
    y, x = int(rng.integers(_HIGH - high + 1)), int(rng.integers(_WIDE - wide + 1))
    cut = cv2.resize(picture[y : y + high, x : x + wide], (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.flip(cut, 1) if rng.random() < 0.5 else cut


@cache
def vehicles() -> list[tuple[Vehicle, Luma]]:
    """A bank of vehicles, 300 pixels wide, with their luma."""
    rng = np.random.default_rng(67)
    drawn = [draw_vehicle(rng, 300, square=bool(rng.random() < 0.3)) for _ in range(70)]
    return [(vehicle, cv2.cvtColor(vehicle.picture, cv2.COLOR_BGR2GRAY)) for vehicle in drawn]


def _words(rng: np.random.Generator) -> str:
    """A shop's name, a phone number, a road's number, a clock."""
    kind = rng.random()
    if kind < 0.35:
        words = furniture.WORDINGS["slogan"] + furniture.WORDINGS["state"]
        return words[int(rng.integers(len(words)))]
    digits = "".join(str(d) for d in rng.integers(0, 10, 12))
    if kind < 0.6:
        return f"{digits[:4]} {digits[4:7]} {digits[7 : 7 + int(rng.integers(0, 4))]}"
    if kind < 0.8:
        return f"20{digits[:2]}-0{digits[2]}-1{digits[3]} 1{digits[4]}:2{digits[5]}:3{digits[6]}"
    return "".join(READABLE[i] for i in rng.integers(0, 26, int(rng.integers(3, 9))))


def write_signs(rng: np.random.Generator, picture: Luma) -> None:
    """Lettering, stickers, road signs and the camera's own clock: nothing that a detector should take for a plate. In place."""
    high, wide = picture.shape
    for _ in range(int(rng.integers(0, 4))):
        size = int(rng.integers(3, 13)) * 2
        x, y = int(rng.integers(wide)), int(rng.integers(high))
        text = _words(rng)
        tone = int(rng.integers(0, 256))
        # A plain board behind lettering would look just like a plate: boards are long or tall.
        if rng.random() < 0.3:
            span = round(len(text) * size * 0.8)
            cv2.rectangle(picture, (x - span, y - 2 * size), (x + span, y + 2 * size), (tone + 120) % 256, -1)
        furniture.put_legend(rng, picture, text, (x, y), size, tone, wide * 0.6)
    if rng.random() < 0.25:
        centre, radius = (int(rng.integers(wide)), int(rng.integers(high))), int(rng.integers(6, 30))
        cv2.circle(picture, centre, radius, int(rng.integers(0, 256)), -1, cv2.LINE_AA)
        cv2.circle(picture, centre, round(radius * 0.75), int(rng.integers(0, 256)), -1, cv2.LINE_AA)
        furniture.put_legend(rng, picture, str(rng.integers(1, 13) * 10), centre, max(6, round(radius * 0.8)), int(rng.integers(0, 256)), radius * 1.4)
    if rng.random() < 0.15:
        tone = 255 if rng.random() < 0.7 else 0
        row = 10 if rng.random() < 0.5 else high - 12
        digits = "".join(str(d) for d in rng.integers(0, 10, 6))
        furniture.put_legend(
            rng, picture, f"20{digits[:2]}-1{digits[2]}-0{digits[3]} 1{digits[4]}:4{digits[5]}", (wide * rng.uniform(0.25, 0.8), row), 10, tone, wide * 0.5
        )
