"""Winning back: channels of very different size share one scale; sizes are moved from a layer's output into the next layer's weights.

Cross-layer equalisation (Nagel et al. 2019, arXiv 1906.04721; Meller et al. 2019, arXiv 1902.01917): ReLU(s x) = s ReLU(x) for s > 0, so a channel
may leave one layer s times smaller and meet weights s times greater in the next. The weights here have a scale a channel already; what is
levelled out is the channel's range in between against the weights that read it.
"""

from __future__ import annotations

import numpy as np

from convert.methods.editing import Editing, Layer, Numbers
from convert.methods.taps import Array, passes

MOST = 8.0
"""No channel is scaled by more than this."""


def equalise(floats: bytes, pictures: Array) -> bytes:
    """The float file with its channels levelled, and the ranges of what lies in between noted anew: the same function up to float rounding."""
    model = Editing(floats)
    chain = chains(model)
    widths = {layer.output: len(model.constant(layer.weights)) for layer, _ in chain}
    lows, highs = ({output: np.zeros(width) for output, width in widths.items()} for _ in range(2))
    for tap in passes(floats, pictures):
        for output, width in widths.items():
            values = tap(output).reshape(-1, width)
            np.minimum(lows[output], values.min(axis=0), out=lows[output])
            np.maximum(highs[output], values.max(axis=0), out=highs[output])
    for layer, readers in chain:
        low, high = lows[layer.output], highs[layer.output]
        weights = np.max([np.abs(model.constant(one.weights)).reshape(-1, len(low)).max(axis=0) for one in readers], axis=0)
        factor = levels(np.maximum(-low, high), weights)
        rescale(model, layer, readers, factor)
        model.set_range(layer.output, float((low / factor).min()), float((high / factor).max()))
    return model.to_bytes()


def rescale(model: Editing, layer: Layer, readers: list[Layer], factor: Numbers) -> None:
    """Divide the channels that `layer` gives by `factor` (C,), and make up for it in the weights of all that read them."""
    made = model.constant(layer.weights)
    model.set_constant(layer.weights, made / factor.reshape(-1, *([1] * (made.ndim - 1))))
    if layer.bias is not None:
        model.set_constant(layer.bias, model.constant(layer.bias) / factor)
    for one in readers:
        model.set_constant(one.weights, model.constant(one.weights) * factor)


def levels(reach: Numbers, weights: Numbers) -> Numbers:
    """(C,) factor a channel is divided by in between and multiplied by in the next layer's weights; their geometric mean is 1."""
    alive = (reach > 0) & (weights > 0)
    factor = np.ones_like(reach, np.float64)
    factor[alive] = np.sqrt(reach[alive] / weights[alive])
    factor[alive] /= np.exp(np.mean(np.log(factor[alive]))) if alive.any() else 1.0
    return np.clip(factor, 1.0 / MOST, MOST)


def chains(model: Editing) -> list[tuple[Layer, list[Layer]]]:
    """Layers with ReLU or no activation whose output nothing reads but convolutions and dense layers, with those."""
    found = []
    for layer in model.layers:
        readers = [one for one in model.layers if one.input == layer.output]
        widths = {model.constant(one.weights).shape[-1] for one in readers}
        alone = len(readers) == model.uses[layer.output] > 0 and layer.output not in model.outputs
        plain = layer.kind != "depthwise" and all(one.kind in ("conv", "dense", "transposed") for one in readers)
        once = all(sum(other.weights == one.weights for other in model.layers) == 1 for one in (layer, *readers))
        if alone and plain and once and (layer.relu or layer.linear) and widths == {len(model.constant(layer.weights))}:
            found.append((layer, readers))
    return found
