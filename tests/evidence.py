"""Logits of readers that waver, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edge.records import PlateRead
from edge.vision.alphabet import ALPHABET, BLANK
from edge.vision.reader_codec import as_logits, decode

Doubts = Mapping[int, Mapping[str, float]]
"""Place in the text -> other characters there ("" for none) and their probabilities."""


def wavering(upper: str, doubts: Doubts | None = None, lower: str = "") -> npt.NDArray[np.float32]:
    """Logits (64, 37) of a reader that is sure of everything but the `doubts`."""
    logits = as_logits(upper, lower, certainty=16.0)
    steps = np.flatnonzero(logits.argmax(axis=1) != BLANK)
    for place, others in (doubts or {}).items():
        own = (upper + lower)[place]
        row = np.full(logits.shape[1], -16.0, np.float32)
        for char, p in {own: 1.0 - sum(others.values()), **others}.items():
            row[1 + ALPHABET.index(char) if char else BLANK] = np.log(p)
        logits[steps[place]] = row
    return logits


def unseen(upper: str, before: int, char: str, p: float) -> npt.NDArray[np.float32]:
    """A reader that sees `char` before the place `before` with probability `p`, too little to tell it."""
    logits = wavering(upper[:before] + char + upper[before:])
    step = np.flatnonzero(logits.argmax(axis=1) != BLANK)[before]
    logits[step] = -16.0
    logits[step, BLANK], logits[step, 1 + ALPHABET.index(char)] = np.log(1.0 - p), np.log(p)
    return logits


def read_of(logits: npt.NDArray[np.float32]) -> PlateRead:
    """What the device's reader makes of them."""
    return replace(decode(logits), logits=logits)
