"""Comparing with an int8 file whose channels were equalised."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the training side is not installed; ./setup.sh test installs it")

from convert.layers.levelling import level_like
from convert.layers.taps import Open
from convert.methods.editing import Editing
from convert.methods.equalise import chains, rescale


@pytest.fixture(scope="module")
def floats():
    """Two convolutions with ReLU between, as a float TFLite file."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((8, 8, 1), batch_size=1), keras.layers.Conv2D(6, 3, activation="relu"), keras.layers.Conv2D(4, 3)])
    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def answers(model, picture):
    net = Open(model, "a test")
    runtime = net._runtime
    runtime.set_tensor(runtime.get_input_details()[0]["index"], picture)
    runtime.invoke()
    return runtime.get_tensor(runtime.get_output_details()[0]["index"])


def test_the_float_file_gets_the_channels_of_the_other_and_stays_the_same_function(floats):
    rng = np.random.default_rng(0)
    model = Editing(floats)
    ((layer, readers),) = chains(model)
    factor = rng.uniform(0.3, 3.0, len(model.constant(layer.weights)))
    rescale(model, layer, readers, factor)
    wanted = {one.weights: model.constant(one.weights) for one in (layer, *readers)}
    # The other file's weights, with the noise of 8 bits on them.
    rough = {index: values + rng.normal(0, np.abs(values).max() / 255, values.shape) for index, values in wanted.items()}
    pairs = [SimpleNamespace(weights=(index, index), int8=index) for index in rough]

    levelled = level_like(floats, pairs, {index: (values, values) for index, values in rough.items()})

    found = Editing(levelled)
    for index, values in wanted.items():
        assert np.abs(found.constant(index) - values).max() < 0.03 * np.abs(values).max()
        assert np.abs(Editing(floats).constant(index) - values).max() > 0.2 * np.abs(values).max()
    picture = rng.normal(size=(1, 8, 8, 1)).astype(np.float32)
    assert np.allclose(answers(levelled, picture), answers(floats, picture), atol=1e-5)
