"""From float Keras weights to a graph that becomes clean int8: batch of one, recurrence written out as plain operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from edge.vision.alphabet import CLASSES
from train.models.crnn import ROWS
from train.models.detector import OUTPUTS

Array = npt.NDArray[np.float32]


def detector_function(model: keras.Model) -> Any:
    """(1, H, W, 1) float32 -> score, box, corners."""

    def forward(luma: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = model(luma, training=False)
        return {name: outputs[name] for name in OUTPUTS}

    return forward


def reader_function(model: keras.Model) -> Any:
    """(1, H, W, 1) float32 -> logits (1, steps or slots, 37).

    Keras' recurrent layers become one matrix product for the inputs of all steps and, unrolled, one product a step for the state: the
    loop that the converter would make of them crashes in int8. At the first step the state is nothing, and so is its product.
    """
    walks = [[_cell(layer.forward_layer), _cell(layer.backward_layer)] for layer in model.layers if isinstance(layer, keras.layers.Bidirectional)]
    if not walks:
        return lambda luma: {"logits": model(luma, training=False)}
    front = keras.Model(model.input, model.get_layer("columns").output)
    heads = {layer.name: [np.asarray(value) for value in layer.get_weights()] for layer in model.layers if layer.name in ("early", "classes")}

    def forward(luma: tf.Tensor) -> dict[str, tf.Tensor]:
        columns = states = front(luma, training=False)[0]
        for there, back in walks:
            states = tf.concat([_gru(states, there, False), _gru(states, back, True)], axis=1)
        rows = _by_row(states, *heads["classes"])
        if "early" in heads:
            rows = [late + early for late, early in zip(rows, _by_row(columns, *heads["early"]), strict=True)]
        return {"logits": tf.concat(rows, axis=0)[None]}

    return forward


def _cell(layer: Any) -> list[Array]:
    """Kernel, recurrent kernel and bias of a GRU layer."""
    return [np.asarray(value) for value in layer.cell.get_weights()]


def _by_row(states: tf.Tensor, weights: Array, bias: Array) -> list[tf.Tensor]:
    """What a dense layer says about each row of the plate, (steps, 37) each."""
    return [tf.matmul(states, weights[:, row * CLASSES : (row + 1) * CLASSES]) + bias[row * CLASSES : (row + 1) * CLASSES] for row in range(ROWS)]


def _gru(columns: tf.Tensor, cell: list[Array], backwards: bool) -> tf.Tensor:
    """(steps, features) -> (steps, units): a GRU with reset_after=False (Cho et al. 2014); `cell` is its kernel, recurrent kernel and bias."""
    kernel, recurrent, bias = cell
    units = recurrent.shape[0]
    inputs = tf.matmul(columns, kernel) + bias
    gates, candidate = recurrent[:, : 2 * units], recurrent[:, 2 * units :]
    steps = int(inputs.shape[0])
    state: tf.Tensor | None = None
    states: list[tf.Tensor] = [None] * steps
    for step in reversed(range(steps)) if backwards else range(steps):
        here = inputs[step : step + 1]
        if state is None:
            update = tf.sigmoid(here[:, :units])
            state = (1.0 - update) * tf.tanh(here[:, 2 * units :])
        else:
            both = tf.sigmoid(here[:, : 2 * units] + tf.matmul(state, gates))
            update, reset = both[:, :units], both[:, units:]
            proposal = tf.tanh(here[:, 2 * units :] + tf.matmul(reset * state, candidate))
            state = proposal + update * (state - proposal)
        states[step] = state
    return tf.concat(states, axis=0)


FUNCTIONS = {"detector": detector_function, "reader": reader_function}


def save_graph(model: keras.Model, kind: str, folder: Path) -> None:
    """A SavedModel with one signature: batch of one, weights frozen in."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    shape = (1, *(int(size) for size in model.input.shape[1:]))
    concrete = tf.function(FUNCTIONS[kind](model)).get_concrete_function(tf.TensorSpec(shape, tf.float32, name="luma"))
    names = sorted(concrete.structured_outputs)
    frozen = convert_variables_to_constants_v2(concrete)
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="luma")])  # type: ignore[untyped-decorator]
    def serve(luma: tf.Tensor) -> dict[str, tf.Tensor]:
        values = frozen(luma)
        return {name: value for name, value in zip(names, values if isinstance(values, (list, tuple)) else [values], strict=True)}

    module.serve = serve
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
