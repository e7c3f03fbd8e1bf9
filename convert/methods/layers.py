"""The layers of a float file beside those of the int8 file made from it, and what they compute."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convert.methods.editing import Editing, Layer
from edge.errors import PlatewatchError

Numbers = npt.NDArray[Any]
PADDINGS = ("SAME", "VALID")


class MethodError(PlatewatchError, ValueError):
    """A method does not fit the network."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One layer in both files."""

    floats: Layer
    ints: Layer


def pairs(floats: Editing, ints: Editing) -> list[Pair]:
    """Those with weights and a bias of their own; a layer that a recurrence calls at every step is left out.

    Raises MethodError where the two files are not the same network.
    """
    if [floats.name(one.output) for one in floats.layers] != [ints.name(one.output) for one in ints.layers]:
        raise MethodError("the int8 file has other layers than the float one; take no --win-back step but equalise")
    calls = Counter(layer.weights for layer in floats.layers)
    both = zip(floats.layers, ints.layers, strict=True)
    return [Pair(a, b) for a, b in both if a.bias is not None and b.bias is not None and calls[a.weights] == 1]


def real_weights(ints: Editing, layer: Layer) -> Numbers:
    """int8 weights of a layer as float64, in the shape of the file."""
    scale, zero_point = ints.scales(layer.weights)
    return np.asarray((ints.constant(layer.weights) - zero_point[0]) * along(scale, layer), np.float64)


def along(channels: Numbers, layer: Layer) -> Numbers:
    """(out,) numbers shaped so that they multiply the layer's weights."""
    return channels if layer.kind == "depthwise" else channels.reshape(-1, *([1] * (1 if layer.kind == "dense" else 3)))


def linear(layer: Layer, inputs: Numbers, weights: Numbers) -> Numbers:
    """What the layer computes before bias and activation, for one input as it stands in the file (1, H, W, in) or (rows, in): (positions, out) float64."""
    import tensorflow as tf

    with tf.device("/CPU:0"):
        options = layer.options
        if layer.kind == "dense":
            return np.asarray(inputs.reshape(-1, weights.shape[1]) @ weights.T, np.float64)
        padding, strides = PADDINGS[options.padding], [1, options.strideH, options.strideW, 1]
        if layer.kind == "depthwise":
            kernel = weights.transpose(1, 2, 3, 0).reshape(*weights.shape[1:3], inputs.shape[3], -1)
            told = tf.nn.depthwise_conv2d(inputs, kernel, strides, padding, dilations=[options.dilationHFactor, options.dilationWFactor])
        elif layer.kind == "transposed":
            high, wide = inputs.shape[1] * options.strideH, inputs.shape[2] * options.strideW
            if padding == "VALID":
                high, wide = high + max(0, weights.shape[1] - options.strideH), wide + max(0, weights.shape[2] - options.strideW)
            told = tf.nn.conv2d_transpose(inputs, weights.transpose(1, 2, 0, 3), [1, high, wide, weights.shape[0]], strides, padding)
        else:
            dilations = [1, options.dilationHFactor, options.dilationWFactor, 1]
            told = tf.nn.conv2d(inputs, weights.transpose(1, 2, 3, 0), strides, padding, dilations=dilations)
        return np.asarray(told, np.float64).reshape(-1, weights.shape[3] if layer.kind == "depthwise" else weights.shape[0])


def patches(layer: Layer, inputs: Numbers, shape: tuple[int, ...], places: npt.NDArray[np.intp]) -> Numbers:
    """The rows that a dense layer's or a convolution's weights of that shape are multiplied with, at some of its output's positions.

    (len(places), h * w * in), in the order of the file's weights. `places` counts the output's positions row by row.
    """
    if layer.kind == "dense":
        return np.asarray(inputs.reshape(-1, inputs.shape[-1])[places])
    options, (high, wide) = layer.options, shape[1:3]
    reach_y, reach_x = (high - 1) * options.dilationHFactor + 1, (wide - 1) * options.dilationWFactor + 1
    rows, columns = grid(layer, inputs.shape[1:3], shape)
    above = left = 0
    below, right = reach_y, reach_x
    if PADDINGS[options.padding] == "SAME":
        above = max(0, (rows - 1) * options.strideH + reach_y - inputs.shape[1]) // 2
        left = max(0, (columns - 1) * options.strideW + reach_x - inputs.shape[2]) // 2
    padded = np.pad(inputs[0], ((above, below), (left, right), (0, 0)))
    ys = (places // columns * options.strideH)[:, None] + np.arange(high) * options.dilationHFactor
    xs = (places % columns * options.strideW)[:, None] + np.arange(wide) * options.dilationWFactor
    return np.asarray(padded[ys[:, :, None], xs[:, None, :]].reshape(len(places), -1))


def grid(layer: Layer, size: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a convolution's output for an input of `size` (H, W) and weights of `shape`."""
    options = layer.options
    if PADDINGS[options.padding] == "SAME":
        return -(-size[0] // options.strideH), -(-size[1] // options.strideW)
    reach = [(shape[1] - 1) * options.dilationHFactor, (shape[2] - 1) * options.dilationWFactor]
    return (size[0] - reach[0] - 1) // options.strideH + 1, (size[1] - reach[1] - 1) // options.strideW + 1
