"""Sets lines of characters and marks into a distance field, and draws the marks that are no letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.plates.rules import MARKS
from train.data.synth import signs
from train.data.synth.faces import Face, Field
from train.data.synth.strokes import MASTER, PAD

_MARK_WIDTH = {" ": 0.3, "_": 0.65, "-": 0.42, ".": 0.22, "*": 0.62, ":": 0.3, "~": 0.9}
"""Width of a mark as a share of the character height, its gaps included."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a line is set: character height in pixels, `stretch` of the widths, `gap` between characters as a share of the height.

    `loose` (0..1) is how far the single characters stand out of line.
    """

    face: Face
    height: float
    stretch: float
    gap: float
    loose: float = 0.0


def _width(char: str, setting: Setting) -> float:
    """Pixels that the character takes, its gap included."""
    if char in MARKS:
        return _MARK_WIDTH[char] * setting.height
    scale = setting.height / MASTER
    own = (setting.face.field(char).shape[1] - 2 * PAD) * scale * setting.stretch
    if setting.face.mono:
        own = max(own, (setting.face.field("H").shape[1] - 2 * PAD) * scale * setting.stretch)
    return own + setting.gap * setting.height


def natural_width(line: str, setting: Setting) -> float:
    """Pixels that the line takes when nothing squeezes it."""
    return sum(_width(char, setting) for char in line)


def set_line(
    field: Field, line: str, setting: Setting, box: tuple[float, float, float, float], align: float, rng: np.random.Generator | None = None
) -> tuple[float, list[tuple[str, float, float]]]:
    """Put the line into `field` within `box` (x0, y0, x1, y1), squeezed when it is too wide; with `rng` as loosely as the setting says.

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
            across, down = round(x + (width * squeeze - glyph_width) / 2), round(top - PAD * scale_y)
            if rng is not None:
                glyph = _turned(glyph, float(rng.normal(0, 2.5)) * setting.loose)
                down += round(float(np.clip(rng.normal(0, 0.025), -0.05, 0.05)) * height * setting.loose)
            _paste(field, glyph, across, down)
        x += width * squeeze
    return scale_y, marks


def _turned(glyph: Field, degrees: float) -> Field:
    high, wide = glyph.shape
    return cv2.warpAffine(glyph, cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1.0), (wide, high), flags=cv2.INTER_LINEAR)


def _paste(field: Field, glyph: Field, x: int, y: int) -> None:
    """Union of the glyph with what is there; what lies outside the field is cut off."""
    high, wide = glyph.shape
    a, b, c, d = max(0, x), max(0, y), min(field.shape[1], x + wide), min(field.shape[0], y + high)
    if c > a and d > b:
        region = field[b:d, a:c]
        np.maximum(region, glyph[b - y : d - y, a - x : c - x], out=region)


def draw_marks(
    rng: np.random.Generator,
    luma: npt.NDArray[np.uint8],
    marks: list[tuple[str, float, float]],
    middle: float,
    height: float,
    ink: int,
    paper: int,
    script: str = "hanzi",
    motif: str = "",
) -> None:
    """Dashes, dots, crests, seals and signs of another `script`, in place. `middle` is the line's centre, `height` its character height, pixels."""
    for mark, x, width in marks:
        cx, cy = round(x), round(middle)
        if mark == "-":
            half, thick = max(2, round(width * rng.uniform(0.25, 0.36))), max(1, round(height * rng.uniform(0.04, 0.07)))
            cv2.rectangle(luma, (cx - half, cy - thick), (cx + half, cy + thick), ink, -1)
        elif mark == ".":
            low = round(height * (0.42 if rng.random() < 0.5 else 0.0))
            cv2.circle(luma, (cx, cy + low), max(2, round(height * rng.uniform(0.055, 0.085))), ink, -1, cv2.LINE_AA)
        elif mark == "*":
            signs.crest(rng, luma, (cx, cy), max(4, round(min(width * 0.45, height * rng.uniform(0.16, 0.36)))), ink, paper, motif)
        elif mark == ":":
            radius = max(3, round(height * rng.uniform(0.12, 0.19)))
            for sign in (-1, 1) if rng.random() < 0.8 else (-1,):
                cv2.circle(luma, (cx, cy + round(sign * height * 0.24)), radius, int((ink + 2 * paper) / 3 + rng.integers(-40, 30)) % 256, -1, cv2.LINE_AA)
        elif mark == "~":
            signs.SCRIPTS[script](rng, luma, (cx, cy), width * 0.84, height, ink)
