"""Winning back: what rounding the weights is off by on average is taken out of the biases.

Bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2 and appendix D; Banner et al. 2019). Rounded weights shift each channel's mean. A
layer is linear up to its activation, so the mean shift of its output is what the shift of the weights makes of its mean input: one pass over the
calibration pictures is enough for all layers. Each layer answers for its own weights alone. Corrected all at once from the difference to the whole
int8 network, every layer would also make good what those above it have made good already: measured, twice the error instead of less.
"""

from __future__ import annotations

import numpy as np

from convert.methods.editing import Editing
from convert.methods.layers import linear, pairs, real_weights
from convert.methods.taps import Array, means


def correct_biases(floats: bytes, ints: bytes, pictures: Array) -> bytes:
    """The int8 file with its int32 biases corrected, channel by channel."""
    one, other = Editing(floats), Editing(ints)
    both = pairs(one, other)
    inputs = means(floats, pictures, [pair.floats.input for pair in both])
    for pair in both:
        if pair.ints.bias is None:
            continue
        off = one.constant(pair.floats.weights) - real_weights(other, pair.ints)
        shift = linear(pair.floats, inputs[pair.floats.input], off).mean(axis=0)
        scale, _ = other.scales(pair.ints.bias)
        other.set_constant(pair.ints.bias, other.constant(pair.ints.bias) + np.round(shift / scale).astype(np.int64))
    return other.to_bytes()
