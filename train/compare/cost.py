"""What a network costs to run, from its layers."""

from __future__ import annotations

import math

import keras
from keras import layers


def macs(model: keras.Model) -> int:
    """Multiply-accumulates of one run of a reader: convolutions, dense and recurrent layers. Activations and additions are not counted."""
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: keras.Layer) -> int:
    match layer:
        case layers.Conv2D():
            _, high, wide, _ = layer.output.shape
            return int(high * wide * math.prod(layer.kernel.shape))
        case layers.Dense():
            return int(math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape))
        case layers.Bidirectional():
            cells = (layer.forward_layer.cell, layer.backward_layer.cell)
            return int(layer.output.shape[1] * sum(math.prod(part.shape) for cell in cells for part in (cell.kernel, cell.recurrent_kernel)))
        case _:
            return 0
