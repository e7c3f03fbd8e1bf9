"""The plate reader: convolutions, a recurrent layer along the columns, CTC along two rows. Layout of its output: `edge.vision.reader_codec`."""

from __future__ import annotations

import keras
from keras import layers

from edge.vision.alphabet import CLASSES
from train.models.blocks import convolve, residual

ROWS = 2


def build_crnn(height: int = 48, width: int = 128, widths: tuple[int, ...] = (24, 32, 64, 96, 128), units: int = 64) -> keras.Model:
    """Luma (B, height, width, 1) float32, normalised -> logits (B, 2 * width / 4, 37).

    The convolutions leave two rows of columns, the upper and the lower half of the plate. The recurrent layer walks the columns and sees
    both rows at once, so it knows whether the plate has one line or two before it writes either.
    """
    luma = keras.Input((height, width, 1), name="luma")
    x = convolve(luma, widths[0], "stem", size=5, stride=2)
    x = convolve(x, widths[1], "at2")
    x = convolve(x, widths[2], "down4", stride=2)
    x = residual(x, "at4")
    x = convolve(x, widths[3], "down8", stride=(2, 1))
    x = residual(x, "at8")
    rows_left = height // 8
    x = layers.Conv2D(
        widths[4], (rows_left // ROWS, 3), strides=(rows_left // ROWS, 1), padding="same", use_bias=False, kernel_initializer="he_normal", name="rows_conv"
    )(x)
    x = layers.BatchNormalization(momentum=0.98, epsilon=1e-3, name="rows_bn")(x)
    x = layers.ReLU(name="rows_relu")(x)
    columns = width // 4
    x = layers.Permute((2, 1, 3), name="columns_first")(x)
    x = layers.Reshape((columns, ROWS * widths[4]), name="columns")(x)
    x = layers.Dropout(0.1, name="drop", seed=1)(x)
    x = layers.Bidirectional(layers.GRU(units, return_sequences=True, reset_after=False, name="gru"), name="recurrent")(x)
    x = layers.Dense(ROWS * CLASSES, dtype="float32", name="classes")(x)  # float32 under mixed precision too: CTC adds up many small numbers
    x = layers.Reshape((columns, ROWS, CLASSES), dtype="float32", name="by_row")(x)
    x = layers.Permute((2, 1, 3), dtype="float32", name="rows_first")(x)
    return keras.Model(luma, layers.Reshape((ROWS * columns, CLASSES), dtype="float32", name="logits")(x), name="crnn")
