"""Marks that are drawn and not read: coats of arms, seals, signs of other scripts. All in place on uint8 luma."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]
Point = tuple[int, int]


def _polygon(luma: Luma, centre: Point, radius: int, corners: list[tuple[float, float]], tone: int) -> None:
    cv2.fillPoly(luma, [(np.array(corners) * radius + centre).round().astype(np.int32)], tone, cv2.LINE_AA)


def _sun(luma: Luma, centre: Point, radius: int, tone: int) -> None:
    """A ring with four bundles of rays, as on the plates of New Mexico."""
    cx, cy = centre
    thick = max(1, radius // 9)
    cv2.circle(luma, centre, max(2, round(radius * 0.36)), tone, max(1, radius // 7), cv2.LINE_AA)
    for offset, length in ((-0.27, 0.72), (-0.09, 0.98), (0.09, 0.98), (0.27, 0.72)):
        side, near, far = round(offset * radius), round(0.5 * radius), round(length * radius)
        for sign in (-1, 1):
            cv2.line(luma, (cx + side, cy + sign * near), (cx + side, cy + sign * far), tone, thick, cv2.LINE_AA)
            cv2.line(luma, (cx + sign * near, cy + side), (cx + sign * far, cy + side), tone, thick, cv2.LINE_AA)


def wheel(luma: Luma, centre: Point, radius: int, tone: int) -> None:
    """A wheel of spokes: a chakra, a hologram."""
    cv2.circle(luma, centre, radius, tone, max(1, radius // 8), cv2.LINE_AA)
    for angle in np.linspace(0, np.pi, 6, endpoint=False):
        dx, dy = round(radius * np.cos(angle)), round(radius * np.sin(angle))
        cv2.line(luma, (centre[0] - dx, centre[1] - dy), (centre[0] + dx, centre[1] + dy), tone, 1, cv2.LINE_AA)


def _star(luma: Luma, centre: Point, radius: int, tone: int) -> None:
    turns = zip(np.linspace(0, 2 * np.pi, 10, endpoint=False), (1, 0.42) * 5, strict=True)
    _polygon(luma, centre, radius, [(reach * np.sin(angle), -reach * np.cos(angle)) for angle, reach in turns], tone)


def _scribbles(rng: np.random.Generator, luma: Luma, centre: Point, radius: int, ink: int, paper: int) -> None:
    """What is left of a coat of arms' detail at this size."""
    cx, cy = centre
    for _ in range(3):
        dx, dy, ex, ey = (rng.uniform(-0.7, 0.7, 4) * radius).astype(int)
        tone = int(rng.integers(min(ink, paper), max(ink, paper) + 1))
        cv2.line(luma, (cx + int(dx), cy + int(dy)), (cx + int(ex), cy + int(ey)), tone, max(1, radius // 6), cv2.LINE_AA)


def crest(rng: np.random.Generator, luma: Luma, centre: Point, radius: int, ink: int, paper: int, motif: str = "") -> None:
    """A coat of arms, a seal, a star, a tree or a little map; `motif` "sun" asks for the sun of New Mexico."""
    tone = int(paper + (ink - paper) * rng.uniform(0.2, 0.9))
    kind = 0.97 if motif == "sun" else rng.random() * 0.98
    if kind < 0.3:
        cv2.circle(luma, centre, radius, tone, -1, cv2.LINE_AA)
    elif kind < 0.6:
        _polygon(luma, centre, radius, [(-0.8, -1), (0.8, -1), (0.8, 0.2), (0, 1.1), (-0.8, 0.2)], tone)
    elif kind < 0.74:
        blob = rng.normal(0, 1, (7, 2)) * radius * 0.6 + centre
        cv2.fillPoly(luma, [cv2.convexHull(blob.astype(np.int32))], tone, cv2.LINE_AA)
    elif kind < 0.8:
        return wheel(luma, centre, radius, tone)
    elif kind < 0.85:
        return _star(luma, centre, radius, tone)
    elif kind < 0.9:
        _polygon(luma, centre, radius, [(0, -1.3), (0.55, 0.8), (0.1, 0.8), (0.1, 1.2), (-0.1, 1.2), (-0.1, 0.8), (-0.55, 0.8)], tone)
        return None
    elif kind < 0.94:
        blob = rng.normal(0, 1, (7, 2)) * radius * 0.6 + centre
        cv2.polylines(luma, [cv2.convexHull(blob.astype(np.int32))], True, tone, max(1, radius // 9), cv2.LINE_AA)
        return None
    else:
        return _sun(luma, centre, round(radius * 1.1), tone)
    _scribbles(rng, luma, centre, radius, ink, paper)
    return None


def hanzi(rng: np.random.Generator, luma: Luma, centre: Point, width: float, height: float, ink: int) -> None:
    """A made-up sign of horizontal, vertical and falling strokes."""
    cx, cy = centre
    thick = max(2, round(height * 0.07))
    for share in np.sort(rng.uniform(-0.46, 0.46, int(rng.integers(2, 5)))):
        half = width * rng.uniform(0.25, 0.5)
        y = round(cy + share * height)
        cv2.line(luma, (round(cx - half), y), (round(cx + half), y + int(rng.integers(-2, 1))), ink, thick, cv2.LINE_AA)
    for share in rng.uniform(-0.4, 0.4, int(rng.integers(1, 4))):
        top, bottom = np.sort(rng.uniform(-0.5, 0.5, 2))
        x = round(cx + share * width)
        cv2.line(luma, (x, round(cy + top * height)), (x + int(rng.integers(-6, 4)), round(cy + max(bottom, top + 0.3) * height)), ink, thick, cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(-0.4, 0.1), rng.uniform(-0.4, 0.1)
        sign = 1 if rng.random() < 0.5 else -1
        a = (round(cx + sign * x * width), round(cy + y * height))
        cv2.line(luma, a, (round(a[0] + sign * 0.35 * width), round(a[1] + 0.4 * height)), ink, thick, cv2.LINE_AA)


def hangul(rng: np.random.Generator, luma: Luma, centre: Point, width: float, height: float, ink: int) -> None:
    """A made-up syllable: a consonant of angles or a ring, and a long stroke with a short one."""
    cx, cy = centre
    thick = max(2, round(height * 0.09))
    left, top, low = round(cx - 0.4 * width), round(cy - 0.32 * height), round(cy + 0.12 * height)
    kind = rng.random()
    if kind < 0.35:
        cv2.circle(luma, (round(cx - 0.16 * width), round(cy - 0.1 * height)), max(3, round(0.2 * min(width, height))), ink, thick, cv2.LINE_AA)
    else:
        cv2.polylines(luma, [np.array([[left, top], [cx, top], [cx, low]])[:: 1 if kind < 0.7 else -1]], False, ink, thick, cv2.LINE_AA)
        if kind > 0.55:
            cv2.line(luma, (left, low), (cx, low), ink, thick, cv2.LINE_AA)
    if rng.random() < 0.6:
        x, side = round(cx + 0.32 * width), 1 if rng.random() < 0.5 else -1
        cv2.line(luma, (x, round(cy - 0.48 * height)), (x, round(cy + 0.48 * height)), ink, thick, cv2.LINE_AA)
        cv2.line(luma, (x, cy), (x + side * round(0.16 * width), cy), ink, thick, cv2.LINE_AA)
    else:
        y = round(cy + 0.4 * height)
        cv2.line(luma, (left, y), (round(cx + 0.45 * width), y), ink, thick, cv2.LINE_AA)
        cv2.line(luma, (cx, y), (cx, round(y - 0.2 * height)), ink, thick, cv2.LINE_AA)


def curves(rng: np.random.Generator, luma: Luma, centre: Point, width: float, height: float, ink: int) -> None:
    """A made-up sign of arcs, loops and dots, as in the scripts of Arabia and of Thailand."""
    cx, cy = centre
    thick = max(2, round(height * 0.08))
    for _ in range(int(rng.integers(1, 4))):
        middle = (round(cx + rng.uniform(-0.22, 0.22) * width), round(cy + rng.uniform(-0.25, 0.25) * height))
        axes = (max(2, round(rng.uniform(0.12, 0.32) * width)), max(2, round(rng.uniform(0.1, 0.28) * height)))
        start = float(rng.uniform(0, 360))
        cv2.ellipse(luma, middle, axes, 0, start, start + float(rng.uniform(100, 230)), ink, thick, cv2.LINE_AA)
    if rng.random() < 0.6:
        x = round(cx + rng.uniform(-0.35, 0.35) * width)
        cv2.line(luma, (x, round(cy - 0.4 * height)), (x, round(cy + rng.uniform(0, 0.45) * height)), ink, thick, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 3))):
        cv2.circle(luma, (round(cx + rng.uniform(-0.3, 0.3) * width), round(cy + rng.uniform(-0.48, 0.48) * height)), max(1, thick // 2), ink, -1, cv2.LINE_AA)


def script_line(rng: np.random.Generator, luma: Luma, script: str, box: tuple[float, float, float, float], ink: int) -> None:
    """A word of a script in `box` (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    size = y1 - y0
    for x in np.arange(x0 + size / 2, x1, size * 0.95):
        SCRIPTS[script](rng, luma, (round(float(x)), round((y0 + y1) / 2)), size * 0.8, size, ink)


Sign = Callable[[np.random.Generator, Luma, Point, float, float, int], None]
SCRIPTS: Mapping[str, Sign] = {"hanzi": hanzi, "hangul": hangul, "curves": curves}
