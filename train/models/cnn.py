"""Convolutions alone, one head for each place of the text (Goodfellow et al. 2013). Layout of its output: `edge.vision.slots_codec`."""

from __future__ import annotations

import keras
from keras import layers

from edge.vision.alphabet import CLASSES
from edge.vision.slots_codec import SLOTS
from train.models.blocks import convolve, residual


def build_cnn(
    height: int = 48, width: int = 128, widths: tuple[int, ...] = (24, 32, 64, 96, 128), squeeze: int = 32, units: int = 256, slots: int = SLOTS
) -> keras.Model:
    """Luma (B, height, width, 1) float32, normalised -> logits (B, slots, 37).

    Which character is the fourth is a question about the whole plate, so every head sees all of it: the picture is squeezed to few channels, laid
    out flat and mixed once.
    """
    luma = keras.Input((height, width, 1), name="luma")
    x = convolve(luma, widths[0], "stem", size=5, stride=2)
    x = convolve(x, widths[1], "at2")
    x = convolve(x, widths[2], "down4", stride=2)
    x = residual(x, "at4")
    x = convolve(x, widths[3], "down8", stride=(2, 1))
    x = residual(x, "at8")
    x = convolve(x, widths[4], "down16", stride=(1, 2))
    x = convolve(x, squeeze, "squeeze", size=1)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dropout(0.1, name="drop", seed=1)(x)
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name="mix")(x)
    x = layers.Dense(slots * CLASSES, dtype="float32", name="heads")(x)  # one product for the heads of all places
    return keras.Model(luma, layers.Reshape((slots, CLASSES), dtype="float32", name="logits")(x), name="cnn")
