"""Winning back: weights rounded up or down so that the layer's output is met, not each weight.

Adaptive rounding (AdaRound, Nagel et al. 2020, arXiv 2004.10568) in the closed form of GPTQ (Frantar et al. 2022, arXiv 2210.17323; Hassibi and
Stork 1993): the weights of a channel are rounded one after the other, and what one is off by is made good by those that are left, as far as the
layer's inputs on the calibration pictures go together. No gradient, no learning rate.
"""

from __future__ import annotations

import math

import numpy as np

from convert.methods.editing import Editing, Numbers
from convert.methods.layers import along, grid, pairs, patches
from convert.methods.taps import Array, passes

ROWS = 48
"""Positions of a picture that are looked at."""
DAMPING = 0.01
"""Share of the mean of the diagonal that is added to it: inputs that never occur must not blow weights up."""


def round_to_outputs(floats: bytes, ints: bytes, pictures: Array, seed: int = 0) -> bytes:
    """The int8 file with the weights of its convolutions and dense layers rounded anew."""
    one, other = Editing(floats), Editing(ints)
    both = [pair for pair in pairs(one, other) if pair.ints.kind in ("conv", "dense")]
    shapes = [other.constant(pair.ints.weights).shape for pair in both]
    sums = [np.zeros((int(np.prod(shape[1:])),) * 2) for shape in shapes]
    rng = np.random.default_rng(seed)
    for tap in passes(ints, pictures):
        for pair, shape, total in zip(both, shapes, sums, strict=True):
            inputs = tap(pair.ints.input)
            positions = inputs.size // inputs.shape[-1] if pair.ints.kind == "dense" else math.prod(grid(pair.ints, inputs.shape[1:3], shape))
            rows = patches(pair.ints, inputs, shape, rng.choice(positions, min(ROWS, positions), replace=False)).astype(np.float64)
            total += rows.T @ rows
    for pair, total in zip(both, sums, strict=True):
        scale, _ = other.scales(pair.ints.weights)
        steps = one.constant(pair.floats.weights).astype(np.float64) / along(scale, pair.ints)
        other.set_constant(pair.ints.weights, adapt(steps.reshape(len(steps), -1), total).reshape(steps.shape))
    return other.to_bytes()


def adapt(steps: Numbers, products: Numbers) -> Numbers:
    """(out, n) real weights in steps -> integers from -127 to 127. `products` (n, n): the sum of the inputs' outer products.

    Minimises each channel's squared output error on those inputs, greedily.
    """
    left = np.array(steps, np.float64)
    found = np.zeros_like(left)
    damped = products + np.eye(len(products)) * (DAMPING * max(float(np.mean(np.diag(products))), 1e-9))
    order = np.argsort(-np.diag(damped), kind="stable")
    upper = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    left = left[:, order]
    for place in range(left.shape[1]):
        found[:, place] = np.clip(np.round(left[:, place]), -127, 127)
        off = (left[:, place] - found[:, place]) / upper[place, place]
        left[:, place + 1 :] -= np.outer(off, upper[place, place + 1 :])
    back = np.empty_like(found)
    back[:, order] = found
    return back
