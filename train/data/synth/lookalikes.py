"""Lettering that is no plate: what a detector must leave alone and a reader must not trust. Telephone numbers, clocks, shop names, boards, badges."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import blanks, furniture
from train.data.synth.faces import Face, families, ink_table
from train.data.synth.strokes import MASTER, PAD

Luma = npt.NDArray[np.uint8]
_LOWER = "aaabcdeeefghiiijklmnnnoooprrrsssttuuvwyz"


def _digits(rng: np.random.Generator, count: int) -> str:
    return "".join(str(d) for d in rng.integers(0, 10, count))


def _word(rng: np.random.Generator) -> str:
    return "".join(_LOWER[i] for i in rng.integers(0, len(_LOWER), int(rng.integers(3, 10))))


def _wording(rng: np.random.Generator, numbers: bool) -> list[str]:
    """One to four lines that nobody would take for a registration; with `numbers` also telephones and dates."""
    kind = rng.random() if numbers else rng.uniform(0.4, 1.0)
    # A single large word could be a personal registration.
    slogans = [text for name in ("slogan", "dealer", "state") for text in furniture.WORDINGS[name] if " " in text]
    if kind < 0.2:
        return [f"{_digits(rng, 2)}{'/.-:'[int(rng.integers(4))]}{_digits(rng, 2)}{'/.- '[int(rng.integers(4))]}20{_digits(rng, 2)}"]
    if kind < 0.4:
        return [f"{'0+'[int(rng.integers(2))]}{_digits(rng, 3)} {_digits(rng, 3)} {_digits(rng, 3)} {_digits(rng, int(rng.integers(0, 4)))}".strip()]
    if kind < 0.6:
        word = _word(rng)
        return [word.title() if rng.random() < 0.4 else word]
    if kind < 0.75:
        return [slogans[int(rng.integers(len(slogans)))]]
    lines = []
    for _ in range(int(rng.integers(2, 5))):
        lines.append(slogans[int(rng.integers(len(slogans)))] if rng.random() < 0.4 else f"{_word(rng)} {_word(rng)}")
    return lines


def _line(text: str, face: Face) -> npt.NDArray[np.uint8]:
    """A line of text as distance field, (MASTER + 2 PAD, width)."""
    gap = np.zeros((MASTER + 2 * PAD, MASTER // 3), np.uint8)
    return np.hstack([gap if char == " " else face.field(char)[:, PAD // 3 : -PAD // 3] for char in text] or [gap])


def ink(rng: np.random.Generator, text: str, high: int) -> Luma:
    """A line of text in some hand, as ink 0..255; (high, W)."""
    face = _face(rng)
    return _written(rng, text, face, high, ink_table(float(rng.uniform(-1.0, 1.5)), high / MASTER))


def _face(rng: np.random.Generator) -> Face:
    faces = [face for face in families()["any"] if face.path] or list(families()["small"])
    return faces[int(rng.integers(len(faces)))]


def _written(rng: np.random.Generator, text: str, face: Face, high: int, table: npt.NDArray[np.uint8]) -> Luma:
    # The stroke font has no small letters: without font files everything is written large.
    field = _line(text if face.path else text.upper(), face)
    width = max(4, round(field.shape[1] * high / MASTER * rng.uniform(0.8, 1.15)))
    return np.asarray(cv2.LUT(cv2.resize(field, (width, high), interpolation=cv2.INTER_AREA), table), np.uint8)


def _lettering(rng: np.random.Generator, numbers: bool) -> Luma:
    """Lines of lettering on a plain, a shaded or a dark board, framed or not."""
    face = _face(rng)
    high = int(rng.integers(24, 64))
    paper, ink = int(rng.integers(0, 256)), int(rng.integers(0, 256))
    if abs(paper - ink) < 60:
        ink = (paper + 128) % 256
    table = ink_table(float(rng.uniform(-1.0, 1.5)), high / MASTER)
    rows = [_written(rng, text, face, high, table) for text in _wording(rng, numbers)]
    wide, edge = max(row.shape[1] for row in rows), int(high * rng.uniform(0.1, 0.8))
    ink_map = np.zeros((len(rows) * high + 2 * edge, wide + 2 * edge), np.uint8)
    for place, row in enumerate(rows):
        left = edge + (wide - row.shape[1]) // 2
        ink_map[edge + place * high : edge + (place + 1) * high, left : left + row.shape[1]] = row
    share = ink_map.astype(np.float32) / 255
    luma = np.clip(paper + (ink - paper) * share, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        cv2.rectangle(luma, (1, 1), (luma.shape[1] - 2, luma.shape[0] - 2), ink, int(rng.integers(1, 4)))
    return luma


def draw(rng: np.random.Generator, numbers: bool = True) -> Luma:
    """A flat uint8 picture, some 40 to 300 pixels high, that is no plate. Without `numbers` nothing on it could be read as a plate of digits."""
    return _lettering(rng, numbers) if rng.random() < 0.65 else blanks.draw(rng)
