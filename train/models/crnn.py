"""The plate reader: convolutions, a recurrent layer along the columns, CTC along two rows. Layout of its output: `edge.vision.reader_codec`."""

from __future__ import annotations

import keras
from keras import layers

from edge.vision.alphabet import CLASSES
from train.models.blocks import convolve, residual

ROWS = 2
WIDTHS = (24, 32, 64, 96, 128)


def build_crnn(height: int = 48, width: int = 128, widths: tuple[int, ...] = WIDTHS, units: int = 64) -> keras.Model:
    """Luma (B, height, width, 1) float32, normalised -> logits (B, 2 * width / 4, 37).

    The convolutions leave two rows of columns, the upper and the lower half of the plate. The recurrent layer walks the columns and sees
    both rows at once, so it knows whether the plate has one line or two before it writes either.
    """
    luma = keras.Input((height, width, 1), name="luma")
    x = columns_of(luma, widths)
    x = layers.Dropout(0.1, name="drop", seed=1)(x)
    x = walk(x, units, "recurrent")
    x = layers.Dense(ROWS * CLASSES, dtype="float32", name="classes")(x)  # float32 under mixed precision too: CTC adds up many small numbers
    return keras.Model(luma, rows_of(x), name="crnn")


def columns_of(luma: keras.KerasTensor, widths: tuple[int, ...], prefix: str = "") -> keras.KerasTensor:
    """Convolutions: luma (B, H, W, 1) -> columns (B, W / 4, 2 * widths[4]), the upper row's channels before the lower row's."""
    x = convolve(luma, widths[0], f"{prefix}stem", size=5, stride=2)
    x = convolve(x, widths[1], f"{prefix}at2")
    x = convolve(x, widths[2], f"{prefix}down4", stride=2)
    x = residual(x, f"{prefix}at4")
    x = convolve(x, widths[3], f"{prefix}down8", stride=(2, 1))
    x = residual(x, f"{prefix}at8")
    rows_left = luma.shape[1] // 8
    x = convolve(x, widths[4], f"{prefix}rows", size=(rows_left // ROWS, 3), stride=(rows_left // ROWS, 1))
    x = layers.Permute((2, 1, 3), name="columns_first")(x)
    return layers.Reshape((luma.shape[2] // 4, ROWS * widths[4]), name="columns")(x)


def walk(x: keras.KerasTensor, units: int, name: str) -> keras.KerasTensor:
    """A bidirectional GRU along the columns, in the form that `convert.export` can write out: (B, columns, features) -> (B, columns, 2 * units)."""
    return layers.Bidirectional(layers.GRU(units, return_sequences=True, reset_after=False, name=f"{name}_gru"), name=name)(x)


def rows_of(x: keras.KerasTensor) -> keras.KerasTensor:
    """What each column says about both rows, (B, columns, 2 * 37) -> logits (B, 2 * columns, 37): the upper row's steps, then the lower row's."""
    columns = x.shape[1]
    x = layers.Reshape((columns, ROWS, CLASSES), dtype="float32", name="by_row")(x)
    x = layers.Permute((2, 1, 3), dtype="float32", name="rows_first")(x)
    return layers.Reshape((ROWS * columns, CLASSES), dtype="float32", name="logits")(x)
