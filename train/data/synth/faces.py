"""Faces: anything that can hand out a distance field for a character, and the registry of all faces by family.

A distance field is resized like a picture and only then cut to ink, so that one master serves every size and every weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from train.data.synth.fonts import available
from train.data.synth.glyphs import GLYPHS
from train.data.synth.strokes import MASTER, PAD, SLOPE, Style, stroke_field

Field = npt.NDArray[np.uint8]
_OVERSAMPLING = 2
_FIELDS: dict[tuple[str, str], Field] = {}


@dataclass(frozen=True, slots=True)
class Face:
    """Either a style of the project's stroke font or a font file. `mono` faces keep one pitch for all characters."""

    name: str
    style: Style | None = None
    path: str = ""
    mono: bool = False

    def field(self, char: str) -> Field:
        """(MASTER + 2 PAD, width + 2 PAD) uint8 distance field; any character for a file, A-Z0-9 for the stroke font."""
        # Looked up by name: hashing a style with all its alternates costs more than resizing a glyph.
        found = _FIELDS.get((self.name, char))
        if found is None:
            found = _FIELDS[self.name, char] = self._make(char)
        return found

    def _make(self, char: str) -> Field:
        if self.style is not None and char in GLYPHS:
            return stroke_field(char, self.style)
        return _file_field(self.path, char) if self.path else np.zeros((MASTER + 2 * PAD, MASTER // 3 + 2 * PAD), np.uint8)


@lru_cache(maxsize=8)
def _opened(path: str) -> ImageFont.FreeTypeFont:
    """The font at the size at which its capital H is _OVERSAMPLING masters high."""
    trial = ImageFont.truetype(path, 400)
    top, bottom = trial.getbbox("H", anchor="ls")[1::2]
    return ImageFont.truetype(path, max(8, round(400 * MASTER * _OVERSAMPLING / max(1.0, bottom - top))))


def _file_field(path: str, char: str) -> Field:
    font = _opened(path)
    left, _, right, _ = font.getbbox(char, anchor="ls")
    pad, high = PAD * _OVERSAMPLING, MASTER * _OVERSAMPLING
    width = max(1, round(right - left))
    width += width % 2
    picture = Image.new("L", (width + 2 * pad, high + 2 * pad), 0)
    ImageDraw.Draw(picture).text((pad - left, pad + high), char, fill=255, anchor="ls", font=font)
    ink = (np.asarray(picture) > 127).astype(np.uint8)
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    size = (ink.shape[1] // _OVERSAMPLING, ink.shape[0] // _OVERSAMPLING)
    return np.clip(128 + SLOPE / _OVERSAMPLING * cv2.resize(inside, size, interpolation=cv2.INTER_AREA), 0, 255).astype(np.uint8)


# Per family: how many styles, then the ranges of pen, width and roundness, and the shares of soft and of monospaced ones.
_RANGES: Mapping[str, tuple[int, tuple[float, float], tuple[float, float], tuple[float, float], float, float]] = {
    "fe": (10, (0.125, 0.155), (0.52, 0.62), (0.42, 0.5), 0.3, 1.0),
    "din": (10, (0.12, 0.16), (0.48, 0.62), (0.4, 0.5), 0.2, 0.3),
    "gb": (8, (0.165, 0.195), (0.58, 0.66), (0.36, 0.5), 0.1, 0.2),
    "us": (14, (0.1, 0.15), (0.42, 0.56), (0.4, 0.5), 0.7, 0.5),
    "in": (10, (0.12, 0.2), (0.5, 0.75), (0.25, 0.5), 0.3, 0.3),
    "vn": (6, (0.13, 0.165), (0.5, 0.62), (0.4, 0.5), 0.4, 0.6),
    "cn": (6, (0.1, 0.13), (0.46, 0.54), (0.44, 0.5), 0.4, 0.8),
    "nl": (5, (0.12, 0.15), (0.54, 0.64), (0.2, 0.36), 0.1, 0.6),
    "soft": (8, (0.1, 0.17), (0.48, 0.66), (0.3, 0.5), 1.0, 0.5),
    "wide": (8, (0.13, 0.22), (0.66, 0.95), (0.25, 0.5), 0.3, 0.2),
    "thin": (6, (0.06, 0.1), (0.42, 0.72), (0.3, 0.5), 0.4, 0.3),
    "br": (8, (0.11, 0.15), (0.5, 0.62), (0.2, 0.42), 0.2, 0.2),
    "slab": (4, (0.15, 0.19), (0.5, 0.64), (0.12, 0.3), 0.1, 0.4),
}
_ALTERNATES: Mapping[str, Mapping[str, int]] = {
    "fe": {"6": 0, "9": 0, "1": 0, "4": 1, "3": 0, "W": 0, "M": 0},
    "gb": {"1": 2, "6": 0, "9": 0, "B": 1, "4": 0, "3": 0, "G": 1, "I": 0},
    "cn": {"6": 2, "9": 2, "1": 2, "4": 0, "Q": 1},
    "vn": {"6": 0, "9": 0, "1": 1, "4": 0},
}


def _style(rng: np.random.Generator, family: str) -> Style:
    """A random style of the family. Alternates that give the family its look are kept in three draws of four."""
    _, pen, width, roundness, soft, mono = _RANGES[family]
    alternates = {char: int(rng.integers(len(shapes))) for char, shapes in GLYPHS.items() if len(shapes) > 1}
    if rng.random() < 0.8:
        # A bare upright for the 1 is rare outside Britain and China.
        alternates["1"] = int(rng.choice([0, 1, 3]))
    if rng.random() < 0.75:
        alternates |= _ALTERNATES.get(family, {})
    if rng.random() < 0.6:
        alternates |= {"A": 0, "B": 0, "S": 0, "8": 0, "M": 0}
    return Style(
        pen=float(rng.uniform(*pen)),
        width=float(rng.uniform(*width)),
        roundness=float(rng.uniform(*roundness)),
        soft=bool(rng.random() < soft),
        mono=bool(rng.random() < mono),
        alternates=tuple(sorted(alternates.items())),
        # Where a plate's lettering tells the nought from the O, the nought is the slimmer one.
        nought=float(rng.uniform(0.78, 0.94)) if rng.random() < (0.85 if family in ("br", "us", "din") else 0.5) else 1.0,
    )


@cache
def families() -> Mapping[str, tuple[Face, ...]]:
    """All faces by family; "any" holds every face that may write a plate, "small" those for legends."""
    rng = np.random.default_rng(20)
    table: dict[str, list[Face]] = {}
    for family, (count, *_) in _RANGES.items():
        for index in range(count):
            style = _style(rng, family)
            table.setdefault(family, []).append(Face(f"stroke-{family}-{index}", style, mono=style.mono))
    for font, path in available().items():
        face = Face(font.name, path=str(path), mono="mono" in font.families)
        for family in font.families:
            table.setdefault(family, []).append(face)
    every = {face.name: face for name, faces in table.items() if name != "small" for face in faces}
    table["any"] = list(every.values())
    table.setdefault("small", [face for face in table["any"] if face.style is not None][:6])
    return {name: tuple(faces) for name, faces in table.items()}


@cache
def ink_table(boldness: float, slope: float) -> npt.NDArray[np.uint8]:
    """Lookup table (256,) uint8 from a field to ink 0..255. `boldness` in master pixels; `slope` is output pixels a master pixel."""
    distance = (np.arange(256) - 128) / SLOPE + boldness
    return np.clip(distance * slope * 255 + 127.5, 0, 255).astype(np.uint8)
