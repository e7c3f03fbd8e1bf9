"""Scenes without a plate: bare vehicles, vans with a shop's name and telephone number, boards, numbers on walls. By day, by night, from near and afar."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from train.data import augment
from train.data.synth import lookalikes, streets
from train.data.synth.cast import draw_van
from train.data.synth.legends import legend
from train.data.synth.projection import lay
from train.data.synth.wear import corners_in_view

Luma = npt.NDArray[np.uint8]
Thing = tuple[Luma, Luma]
"""Luma and mask."""
BANK = 160


def draw(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Luma, list[object]]:
    """A scene, (height, width) uint8 = `size`, and the plates in it: none."""
    high, wide = size
    picture = streets.street(rng, size)
    if rng.random() < 0.5:
        streets.write_signs(rng, picture)
    for _ in range(int(rng.integers(1, 5))):
        _place(rng, picture, _thing(rng))
    light = rng.random()
    if light < 0.3:  # dusk and night: little is left of what something is, but that it has four corners
        picture = np.asarray(cv2.convertScaleAbs(picture, alpha=float(rng.uniform(0.08, 0.7)), beta=float(rng.uniform(0, 12))), np.uint8)
    for _ in range(int(rng.integers(0, 4)) if light < 0.25 else 0):
        centre = (int(rng.integers(wide)), int(rng.integers(high)))
        cv2.circle(picture, centre, int(rng.integers(2, 14)), 255, -1, cv2.LINE_AA)
    return _shoot(rng, picture), []


def flat(rng: np.random.Generator) -> Luma:
    """A flat picture to put into a photograph: a board, or a piece of a vehicle's side with its lettering."""
    return lookalikes.draw(rng) if rng.random() < 0.5 else _side(rng)


def _thing(rng: np.random.Generator) -> Thing:
    kind = rng.random()
    if kind < 0.25:
        bank = streets.vehicles()
        vehicle, luma = bank[int(rng.integers(len(bank)))]
        return luma, vehicle.mask
    if kind < 0.5:
        vans = _vans()
        return vans[int(rng.integers(len(vans)))]
    luma = _side(rng) if kind < 0.7 else lookalikes.draw(rng, numbers=False)
    if kind > 0.9:  # letters alone, painted on whatever is there
        ink = lookalikes.ink(rng, legend(rng), int(rng.integers(20, 60)))
        return np.full_like(ink, int(rng.integers(0, 256))), np.where(ink > 127, 255, 0).astype(np.uint8)
    return luma, np.full_like(luma, 255)


def _place(rng: np.random.Generator, picture: Luma, thing: Thing) -> None:
    """Somewhere, at any size, seen from somewhere; in place."""
    luma, mask = thing
    across = float(np.exp(rng.uniform(np.log(24.0), np.log(1.6 * picture.shape[1]))))
    high, wide = luma.shape
    outline = corners_in_view(rng, across, across * high / wide, 0.6, (40, 15, 10))
    outline += np.array([rng.uniform(-0.1, 1.1) * picture.shape[1], rng.uniform(0.1, 1.0) * picture.shape[0]])
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    lay(picture, luma, mask, cv2.getPerspectiveTransform(corners, outline.astype(np.float32)), outline)


@cache
def _vans() -> list[Thing]:
    """A bank of vans, each with other words: to draw one costs more than the network's step."""
    rng = np.random.default_rng(67)
    return [_van(rng) for _ in range(BANK)]


def _van(rng: np.random.Generator) -> Thing:
    picture, mask = draw_van(rng, [legend(rng) for _ in range(int(rng.integers(1, 4)))])
    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    if rng.random() < 0.4:  # another paint; then the letters are often the brighter ones
        luma = np.asarray(255 - luma, np.uint8) if rng.random() < 0.5 else np.asarray(cv2.convertScaleAbs(luma, alpha=float(rng.uniform(0.3, 0.9))), np.uint8)
    return (luma, mask) if rng.random() < 0.6 else (np.ascontiguousarray(luma[:, ::-1]), np.ascontiguousarray(mask[:, ::-1]))


def _side(rng: np.random.Generator) -> Luma:
    """A piece of a vehicle's side or of a wall with one to four lines; uint8, some 60 to 300 pixels high."""
    paper, ink = rng.integers(0, 256, 2).astype(int)
    if abs(paper - ink) < 50:
        ink = (paper + 128) % 256
    rows = [lookalikes.ink(rng, legend(rng), int(rng.integers(18, 56))) for _ in range(int(rng.integers(1, 5)))]
    gap = int(rng.integers(4, 40))
    high, wide = sum(row.shape[0] + gap for row in rows) + gap, int(max(row.shape[1] for row in rows) + rng.integers(10, 200))
    share = np.zeros((high, wide), np.float32)
    top = gap
    for row in rows:
        left = int(rng.integers(0, wide - row.shape[1] + 1))
        share[top : top + row.shape[0], left : left + row.shape[1]] = row / 255.0
        top += row.shape[0] + gap
    shade = np.linspace(rng.uniform(-25, 25), rng.uniform(-25, 25), high, dtype=np.float32)[:, None]
    return np.clip(paper + shade + (float(ink) - paper) * share, 0, 255).astype(np.uint8)


def _shoot(rng: np.random.Generator, picture: Luma) -> Luma:
    picture = augment.expose(rng, picture)
    if rng.random() < 0.4:
        picture = augment.blur(rng, picture, 1.8)
    if rng.random() < 0.4:
        picture = augment.add_noise(rng, picture, 18.0)
    return augment.compress(rng, picture) if rng.random() < 0.3 else picture
