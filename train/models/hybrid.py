"""A reader made in stages: convolutions that read by themselves, and a recurrent layer that learns what they still get wrong."""

from __future__ import annotations

import keras
from keras import layers

from edge.vision.alphabet import CLASSES
from train.models.crnn import ROWS, WIDTHS, columns_of, rows_of, walk


def build_hybrid(height: int = 48, width: int = 128, widths: tuple[int, ...] = WIDTHS, units: int = 64) -> keras.Model:
    """Luma (B, height, width, 1) float32, normalised -> logits (B, 2 * width / 4, 37).

    Two heads, added up: `early` on the columns of the convolutions (`front_...`), `classes` behind the recurrent layer. `classes` begins at nothing, so
    while `recurrent` and `classes` are frozen the convolutions are a reader of their own, and once they learn they begin from that reader.
    """
    luma = keras.Input((height, width, 1), name="luma")
    columns = columns_of(luma, widths, prefix="front_")
    x = layers.Dropout(0.1, name="drop", seed=1)(columns)
    early = layers.Dense(ROWS * CLASSES, dtype="float32", name="early")(x)
    late = layers.Dense(ROWS * CLASSES, dtype="float32", kernel_initializer="zeros", name="classes")(walk(x, units, "recurrent"))
    return keras.Model(luma, rows_of(layers.Add(dtype="float32", name="both")([early, late])), name="hybrid")
