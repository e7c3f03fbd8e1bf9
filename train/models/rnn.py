"""Recurrent layers over the picture's own columns, no convolution before them; CTC along two rows. Layout of its output: `edge.vision.reader_codec`."""

from __future__ import annotations

import keras
from keras import layers

from edge.vision.alphabet import CLASSES
from train.models.crnn import ROWS, rows_of, walk


def build_rnn(height: int = 48, width: int = 128, columns: int = 4, units: tuple[int, ...] = (96, 96)) -> keras.Model:
    """Luma (B, height, width, 1) float32, normalised -> logits (B, 2 * width / columns, 37).

    A step of the recurrence is a strip of `columns` columns, its pixels as they are.
    """
    luma = keras.Input((height, width, 1), name="luma")
    x = layers.Permute((2, 1, 3), name="columns_first")(luma)
    x = layers.Reshape((width // columns, columns * height), name="columns")(x)
    for number, here in enumerate(units, start=1):
        x = walk(x, here, f"recurrent{number}")
    x = layers.Dropout(0.1, name="drop", seed=1)(x)
    x = layers.Dense(ROWS * CLASSES, dtype="float32", name="classes")(x)
    return keras.Model(luma, rows_of(x), name="rnn")
