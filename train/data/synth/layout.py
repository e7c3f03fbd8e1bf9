"""Sets lines of characters and marks into a distance field, and draws the marks that are no letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.plates.rules import MARKS
from train.data.synth.faces import Face, Field
from train.data.synth.strokes import MASTER, PAD

_MARK_WIDTH = {" ": 0.3, "_": 0.65, "-": 0.42, ".": 0.22, "*": 0.62, ":": 0.3, "~": 0.9}
"""Width of a mark as a share of the character height, its gaps included."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a line is set: character height in pixels, `stretch` of the widths, `gap` between characters as a share of the height."""

    face: Face
    height: float
    stretch: float
    gap: float


def _width(char: str, setting: Setting) -> float:
    """Pixels that the character takes, its gap included."""
    if char in MARKS:
        return _MARK_WIDTH[char] * setting.height
    scale = setting.height / MASTER
    own = (setting.face.field(char).shape[1] - 2 * PAD) * scale * setting.stretch
    if setting.face.mono:
        own = max(own, (setting.face.field("H").shape[1] - 2 * PAD) * scale * setting.stretch)
    return own + setting.gap * setting.height


def set_line(field: Field, line: str, setting: Setting, box: tuple[float, float, float, float], align: float) -> tuple[float, list[tuple[str, float, float]]]:
    """Put the line into `field` within `box` (x0, y0, x1, y1), squeezed when it is too wide.

    Returns the pixels per master pixel (for the sharpness of the ink) and the marks as (mark, centre x, width).
    """
    x0, y0, x1, y1 = box
    widths = [_width(char, setting) for char in line]
    total, room = sum(widths), x1 - x0
    squeeze = min(1.0, room / max(total, 1.0))
    height = setting.height if squeeze > 0.6 else setting.height * max(0.5, squeeze / 0.6)
    x = x0 + (room - total * squeeze) * align
    top = (y0 + y1 - height) / 2
    scale_y = height / MASTER
    marks = []
    for char, width in zip(line, widths, strict=True):
        if char in MARKS:
            marks.append((char, x + width * squeeze / 2, width * squeeze))
        else:
            master = setting.face.field(char)
            scale_x = setting.height / MASTER * setting.stretch * squeeze
            glyph_width = max(2, round(master.shape[1] * scale_x))
            glyph = cv2.resize(master, (glyph_width, max(2, round(master.shape[0] * scale_y))), interpolation=cv2.INTER_LINEAR)
            _paste(field, glyph, round(x + (width * squeeze - glyph_width) / 2), round(top - PAD * scale_y))
        x += width * squeeze
    return scale_y, marks


def _paste(field: Field, glyph: Field, x: int, y: int) -> None:
    """Union of the glyph with what is there; what lies outside the field is cut off."""
    high, wide = glyph.shape
    a, b, c, d = max(0, x), max(0, y), min(field.shape[1], x + wide), min(field.shape[0], y + high)
    if c > a and d > b:
        region = field[b:d, a:c]
        np.maximum(region, glyph[b - y : d - y, a - x : c - x], out=region)


def draw_marks(
    rng: np.random.Generator, luma: npt.NDArray[np.uint8], marks: list[tuple[str, float, float]], middle: float, height: float, ink: int, paper: int
) -> None:
    """Dashes, dots, crests, seals and Hanzi, in place. `middle` is the line's centre, `height` its character height, pixels."""
    for mark, x, width in marks:
        cx, cy = round(x), round(middle)
        if mark == "-":
            half, thick = max(2, round(width * rng.uniform(0.25, 0.36))), max(1, round(height * rng.uniform(0.04, 0.07)))
            cv2.rectangle(luma, (cx - half, cy - thick), (cx + half, cy + thick), ink, -1)
        elif mark == ".":
            low = round(height * (0.42 if rng.random() < 0.5 else 0.0))
            cv2.circle(luma, (cx, cy + low), max(2, round(height * rng.uniform(0.055, 0.085))), ink, -1, cv2.LINE_AA)
        elif mark == "*":
            crest(rng, luma, (cx, cy), max(4, round(min(width * 0.45, height * rng.uniform(0.16, 0.34)))), ink, paper)
        elif mark == ":":
            radius = max(3, round(height * rng.uniform(0.12, 0.19)))
            for sign in (-1, 1) if rng.random() < 0.8 else (-1,):
                cv2.circle(luma, (cx, cy + round(sign * height * 0.24)), radius, int((ink + 2 * paper) / 3 + rng.integers(-40, 30)) % 256, -1, cv2.LINE_AA)
        elif mark == "~":
            hanzi(rng, luma, (cx, cy), width * 0.84, height, ink)


def crest(rng: np.random.Generator, luma: npt.NDArray[np.uint8], centre: tuple[int, int], radius: int, ink: int, paper: int) -> None:
    """A coat of arms, a seal or a little map as a blob with some detail, in place."""
    cx, cy = centre
    tone = int(paper + (ink - paper) * rng.uniform(0.2, 0.9))
    kind = rng.random()
    if kind < 0.45:
        cv2.circle(luma, centre, radius, tone, -1, cv2.LINE_AA)
    elif kind < 0.8:
        shield = np.array([[-0.8, -1], [0.8, -1], [0.8, 0.2], [0, 1.1], [-0.8, 0.2]]) * radius + centre
        cv2.fillPoly(luma, [shield.astype(np.int32)], tone, cv2.LINE_AA)
    else:
        blob = rng.normal(0, 1, (7, 2)) * radius * 0.6 + centre
        cv2.fillPoly(luma, [cv2.convexHull(blob.astype(np.int32))], tone, cv2.LINE_AA)
    for _ in range(3):
        dx, dy, ex, ey = (rng.uniform(-0.7, 0.7, 4) * radius).astype(int)
        cv2.line(
            luma,
            (cx + int(dx), cy + int(dy)),
            (cx + int(ex), cy + int(ey)),
            int(rng.integers(min(ink, paper), max(ink, paper) + 1)),
            max(1, radius // 6),
            cv2.LINE_AA,
        )


def hanzi(rng: np.random.Generator, luma: npt.NDArray[np.uint8], centre: tuple[int, int], width: float, height: float, ink: int) -> None:
    """A made-up sign of horizontal, vertical and falling strokes, in place."""
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
