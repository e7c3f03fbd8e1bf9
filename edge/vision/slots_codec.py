"""Both directions of the reader's output layout, codec `slots-v1`.

The reader gives logits (slots, 37), one row a place of the text in reading order: classes 1 to 36 are 0-9, A-Z, class 0 is the pad that stands
where nothing is written. The text begins in the first slot; the places after its end hold the pad. The two lines of a plate follow one another,
and the layout does not say where the second begins. After Goodfellow et al. 2013, Multi-digit number recognition from street view imagery.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge.records import Character, PlateRead
from edge.vision import layouts, reader_codec
from edge.vision.alphabet import ALPHABET, CLASSES
from edge.vision.quant import softmax

NAME = layouts.SLOTS
SLOTS = 12
PAD = 0
BY_ROW = False
"""Whether the layout tells the plate's rows apart."""
Array = npt.NDArray[np.float32]


def encode(text: str, slots: int = SLOTS) -> npt.NDArray[np.int32]:
    """Text -> (slots,) int32 class indices. Raises ValueError on a foreign character or a text longer than the slots."""
    return reader_codec.encode(text, slots)


def spell(label: npt.ArrayLike) -> str:
    """Inverse of `encode`."""
    return reader_codec.spell(label)


def as_logits(text: str, slots: int = SLOTS, certainty: float = 9.0) -> Array:
    """Logits (slots, 37) that a perfect reader would give: what the round-trip test decodes."""
    logits = np.zeros((slots, CLASSES), dtype=np.float32)
    logits[np.arange(slots), encode(text, slots)] = certainty
    return logits


def decode(logits: Array, runners_up: int = 2) -> PlateRead:
    """The best class of each slot: logits (slots, 37) float32 -> PlateRead. The input is left as it is.

    A pad is skipped wherever it stands. The plate's confidence is the probability of all its slots; as it is also the product over the characters,
    the last one answers for the pads: where one more character may follow, the last is unsure.
    """
    probabilities = softmax(logits)
    best = logits.argmax(axis=-1)
    places = np.flatnonzero(best != PAD)
    if len(places) == 0:
        return PlateRead("", 0.0, ())
    sure = probabilities[np.arange(len(best)), best]
    own = sure[places].astype(float)
    own[-1] *= float(sure[best == PAD].prod())
    characters = tuple(Character(ALPHABET[best[place] - 1], float(one)) for place, one in zip(places, own, strict=True))
    order = np.argsort(-probabilities[places], axis=-1, kind="stable")[:, : runners_up + 2]
    alternatives = tuple(
        tuple(Character(ALPHABET[kind - 1], float(probabilities[place, kind])) for kind in kinds if kind not in (best[place], PAD))[:runners_up]
        for place, kinds in zip(places, order, strict=True)
    )
    return PlateRead("".join(c.char for c in characters), math.prod(c.confidence for c in characters), characters, 1, alternatives)
