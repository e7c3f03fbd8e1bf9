"""The float file with its channels scaled as an int8 file has them, where that was equalised: layer by layer the two can be compared only so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convert.layers.matching import Pair
from convert.layers.measure import Floats
from convert.methods.editing import Editing
from convert.methods.equalise import MOST, chains, rescale


def level_like(floats: bytes, pairs: Sequence[Pair], weights: Mapping[int, tuple[Floats, Floats]]) -> bytes:
    """The same function as `floats`. A channel's factor is the one that brings its float weights nearest to those of the int8 file.

    `weights` are those of `convert.layers.taps.weights_of`: by the layer's int8 tensor the float ones and the int8 ones.
    """
    model = Editing(floats)
    theirs = {pair.weights[0]: weights[pair.int8][1] for pair in pairs if pair.weights is not None}
    for layer, readers in chains(model):
        other = theirs.get(layer.weights)
        # What an earlier layer's factor did to these weights is in them already.
        mine = model.constant(layer.weights)
        if other is None or other.shape != mine.shape:
            continue
        one, two = (np.asarray(values, np.float64).reshape(len(mine), -1) for values in (mine, other))
        power, shared = np.square(one).sum(axis=1), (one * two).sum(axis=1)
        factor = np.divide(power, shared, out=np.ones_like(power), where=(power > 0) & (shared > 0))
        rescale(model, layer, readers, np.clip(factor, 1.0 / MOST, MOST))
    return model.to_bytes()
