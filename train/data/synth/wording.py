"""From a country's format to the characters and marks of one plate."""

from __future__ import annotations

import numpy as np

from edge.plates.rules import MARKS, Format

READABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CUMULATIVE: dict[tuple[str, ...], np.ndarray] = {}


def write(rng: np.random.Generator, form: Format) -> list[str]:
    """One or two lines of characters and marks, drawn from the format."""
    lines, line = [], ""
    for place in form.places:
        if place.mark == "|":
            lines.append(line)
            line = ""
        elif place.mark:
            line += place.mark
        elif not place.optional or rng.random() < 0.6:
            line += place.choices[int(rng.random() * len(place.choices))]
    return [*lines, line]


def read(lines: list[str]) -> str:
    """What is visibly written, upper line first, marks left out."""
    return "".join(char for line in lines for char in line if char not in MARKS)


def write_anything(rng: np.random.Generator, lines: int) -> list[str]:
    """Characters of no country: 2 to 10 of them, letters and digits in runs as well as mixed, some gaps and dashes."""
    count = int(np.clip(round(rng.normal(6.6 if lines == 1 else 7.4, 1.5)), 2, 10))
    kind = rng.random()
    if kind < 0.3:
        chars = "".join(READABLE[i] for i in rng.integers(0, 36, count))
    else:
        chars, letters = "", bool(rng.random() < 0.5)
        while len(chars) < count:
            run = int(rng.integers(1, 5))
            low, high = (0, 26) if letters else (26, 36)
            chars += "".join(READABLE[i] for i in rng.integers(low, high, run))
            letters = not letters
        chars = chars[:count]
    chars = _decided(rng, chars)
    if lines == 2 and count >= 3:
        cut = int(np.clip(round(count * rng.uniform(0.3, 0.6)), 1, count - 1))
        return [_spaced(rng, chars[:cut], 0.35), _spaced(rng, chars[cut:], 0.3)]
    return [_spaced(rng, chars, 0.6)]


def _decided(rng: np.random.Generator, chars: str) -> str:
    """Most of the O, 0, I and 1 that no neighbour explains become another character: on many plates they look the same, and guessing is no reading."""
    out = []
    for i, char in enumerate(chars):
        alike = sum(other.isdigit() == char.isdigit() for other in chars[max(0, i - 1) : i] + chars[i + 1 : i + 2])
        if char in "O0I1" and alike < min(2, len(chars) - 1) and rng.random() < 0.85:
            pool = "23456789" if char.isdigit() else "ABCDEFGHJKLMNPRSTUVWXYZ"
            char = pool[int(rng.integers(len(pool)))]
        out.append(char)
    return "".join(out)


def _spaced(rng: np.random.Generator, chars: str, share: float) -> str:
    """`chars` with a mark or two put in."""
    for _ in range(2):
        if len(chars) > 2 and rng.random() < share:
            cut = int(rng.integers(1, len(chars)))
            mark = "  -.*:_"[int(rng.integers(7))]
            if chars[cut - 1] not in MARKS and chars[cut] not in MARKS:
                chars = chars[:cut] + mark + chars[cut:]
    return chars
