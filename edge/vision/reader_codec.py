"""Both directions of the reader's output layout, codec `ctc-rows-v1`.

The reader gives logits (steps, 37): CTC classes (0 = blank, then 0-9, A-Z) along the upper row of the plate from left to right and then
along the lower row. A plate of one line is written in the upper row and the lower stays blank, so nobody has to tell the reader how many
lines there are. CTC: Graves et al. 2006, Connectionist temporal classification.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge.records import Character, PlateRead
from edge.vision import layouts
from edge.vision.alphabet import ALPHABET, BLANK, CLASSES
from edge.vision.quant import softmax

NAME = layouts.ROWS
MAX_LENGTH = 14
BY_ROW = True
"""Whether the layout tells the plate's rows apart."""
Array = npt.NDArray[np.float32]


def encode(text: str, length: int = MAX_LENGTH) -> npt.NDArray[np.int32]:
    """Text -> (length,) int32 class indices, padded with blank. Raises ValueError on a foreign character or a text too long."""
    if len(text) > length:
        raise ValueError(f"{text!r} is longer than {length} characters")
    label = np.full(length, BLANK, dtype=np.int32)
    for place, char in enumerate(text):
        label[place] = 1 + ALPHABET.index(char)
    return label


def spell(label: npt.ArrayLike) -> str:
    """Inverse of `encode`."""
    return "".join(ALPHABET[int(index) - 1] for index in np.asarray(label) if int(index) != BLANK)


def as_logits(upper: str, lower: str = "", steps: int = 64, certainty: float = 9.0) -> Array:
    """Logits (steps, 37) that a perfect reader would give: what the round-trip test decodes. Raises ValueError when a line does not fit."""
    logits = np.zeros((steps, CLASSES), dtype=np.float32)
    logits[:, BLANK] = certainty
    half = steps // 2
    for line, start in ((upper, 0), (lower, half)):
        step, before = start, ""
        for char in line:
            step += 1 if char == before else 0  # a blank between two equal characters
            if step >= start + half:
                raise ValueError(f"{line!r} does not fit in {half} steps")
            logits[step, BLANK], logits[step, 1 + ALPHABET.index(char)] = 0.0, certainty
            step, before = step + 1, char
    return logits


def decode(logits: Array, runners_up: int = 2) -> PlateRead:
    """Best path: logits (steps, 37) float32 -> PlateRead. The input is left as it is.

    A character's confidence is the highest probability along its run of steps; the plate's is the product over its characters.
    """
    best = logits.argmax(axis=-1)
    half = len(best) // 2
    begins = np.flatnonzero(np.diff(best, prepend=-1))
    if best[half] == best[half - 1]:  # a run does not cross from the upper into the lower row
        begins = np.insert(begins, np.searchsorted(begins, half), half)  # as union1d, which loads numpy.ma
    ends = np.append(begins[1:], len(best))
    written = best[begins] != BLANK
    begins, ends = begins[written], ends[written]
    if len(begins) == 0:
        return PlateRead("", 0.0, ())
    first, last = begins[0], ends[-1]
    probabilities = softmax(logits[first:last])
    peaks = [begin + int(probabilities[begin - first : end - first, best[begin]].argmax()) for begin, end in zip(begins, ends, strict=True)]
    rows = probabilities[np.array(peaks) - first]
    order = np.argsort(-rows, axis=-1, kind="stable")[:, : runners_up + 2]
    characters = tuple(Character(ALPHABET[best[peak] - 1], float(row[best[peak]])) for peak, row in zip(peaks, rows, strict=True))
    alternatives = tuple(
        tuple(Character(ALPHABET[kind - 1], float(row[kind])) for kind in kinds if kind not in (best[peak], BLANK))[:runners_up]
        for peak, row, kinds in zip(peaks, rows, order, strict=True)
    )
    lines = 2 if begins[0] < half <= begins[-1] else 1
    return PlateRead("".join(c.char for c in characters), math.prod(c.confidence for c in characters), characters, lines, alternatives)
