"""Things that a detector may take for a plate and on which nothing is written."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]


def _bars(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """Grille bars, upright or level."""
    step, thick = int(rng.integers(8, 40)), int(rng.integers(2, 14))
    level = rng.random() < 0.6
    limit = luma.shape[0] if level else luma.shape[1]
    for at in range(int(rng.integers(step)), limit, step):
        if level:
            cv2.line(luma, (0, at), (luma.shape[1], at + int(rng.integers(-2, 3))), ink, thick)
        else:
            cv2.line(luma, (at, 0), (at + int(rng.integers(-4, 5)), luma.shape[0]), ink, thick)


def _rings(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """A badge: rings, side by side or one within another."""
    high, wide = luma.shape
    radius, thick = int(high * rng.uniform(0.18, 0.42)), int(rng.integers(3, 12))
    count = int(rng.integers(1, 5))
    for i in range(count):
        x = round(wide / 2 + (i - (count - 1) / 2) * radius * rng.uniform(1.2, 1.6))
        cv2.ellipse(luma, (x, high // 2), (radius, round(radius * rng.uniform(0.5, 1))), 0, 0, 360, ink, thick, cv2.LINE_AA)


def _lights(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """Blurred lamps."""
    high, wide = luma.shape
    for _ in range(int(rng.integers(1, 5))):
        cv2.circle(luma, (int(rng.integers(wide)), int(rng.integers(high))), int(rng.integers(5, high // 2)), int(rng.integers(0, 256)), -1)
    luma[:] = cv2.GaussianBlur(luma, (0, 0), float(rng.uniform(3, 20)))


def _arrow(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """An arrow or a chevron."""
    high, wide = luma.shape
    y, x = high // 2, wide // 2
    reach = int(min(wide, 3 * high) * rng.uniform(0.2, 0.4)) * (1 if rng.random() < 0.5 else -1)
    thick = int(rng.integers(5, 20))
    if rng.random() < 0.7:
        cv2.line(luma, (x - reach, y), (x + reach, y), ink, thick, cv2.LINE_AA)
    for sign in (-1, 1):
        cv2.line(luma, (x + reach, y), (x + reach // 3, y + sign * high // 3), ink, thick, cv2.LINE_AA)


def _pictogram(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """The inside of a road sign: a ring, a bar, a triangle."""
    high, wide = luma.shape
    centre, radius = (wide // 2, high // 2), int(high * rng.uniform(0.3, 0.48))
    kind = rng.random()
    if kind < 0.4:
        cv2.circle(luma, centre, radius, ink, int(rng.integers(4, 18)), cv2.LINE_AA)
        cv2.rectangle(luma, (centre[0] - radius // 2, centre[1] - radius // 6), (centre[0] + radius // 2, centre[1] + radius // 6), ink, -1)
    else:
        corners = np.array([[0, -1], [0.9, 0.7], [-0.9, 0.7]]) * radius + centre
        cv2.polylines(luma, [corners.astype(np.int32)], True, ink, int(rng.integers(4, 14)), cv2.LINE_AA)


def _texture(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """Leaves, gravel, cloth: noise of some coarseness."""
    high, wide = luma.shape
    step = int(rng.integers(3, 24))
    coarse = rng.integers(0, 256, (high // step + 2, wide // step + 2), dtype=np.uint8)
    noise = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_NEAREST)
    share = float(rng.uniform(0.2, 1.0))
    luma[:] = cv2.addWeighted(luma, 1 - share, noise, share, 0)


def _slots(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """A honeycomb or mesh of an air intake."""
    step = int(rng.integers(14, 36))
    for row, y in enumerate(range(0, luma.shape[0] + step, step)):
        for x in range((row % 2) * step // 2, luma.shape[1] + step, step):
            cv2.circle(luma, (x, y), step // 3, ink, -1, cv2.LINE_AA)


def _edges(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """Body panels that meet."""
    high, wide = luma.shape
    for _ in range(int(rng.integers(1, 4))):
        points = np.array([[0, rng.integers(high)], [wide, rng.integers(high)], [wide, high], [0, high]])
        cv2.fillPoly(luma, [points.astype(np.int32)], int(rng.integers(0, 256)), cv2.LINE_AA)


def _plain(rng: np.random.Generator, luma: Luma, ink: int) -> None:
    """A blank plate: a border at most."""
    if rng.random() < 0.7:
        cv2.rectangle(luma, (4, 4), (luma.shape[1] - 5, luma.shape[0] - 5), ink, int(rng.integers(1, 5)))


KINDS: tuple[Callable[[np.random.Generator, Luma, int], None], ...] = (_bars, _rings, _lights, _arrow, _pictogram, _texture, _slots, _edges, _plain)


def draw(rng: np.random.Generator) -> Luma:
    """(120, 130..600) uint8 picture of something without text."""
    luma = np.full((120, int(120 * np.exp(rng.uniform(0.1, 1.6)))), int(rng.integers(10, 246)), np.uint8)
    for _ in range(2 if rng.random() < 0.3 else 1):
        KINDS[int(rng.integers(len(KINDS)))](rng, luma, int(rng.integers(0, 256)))
    return luma
