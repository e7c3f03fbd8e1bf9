"""Training in stages: which layers learn in which phase of an experiment."""

from __future__ import annotations

from collections.abc import Callable

import keras

from edge.errors import ConfigError
from train.config import Experiment


def begins_stage(experiment: Experiment, step: int) -> bool:
    """Whether other layers learn from `step` on than in the step before."""
    return step > 0 and experiment.phase_at(step).freeze != experiment.phase_at(step - 1).freeze


def enter_stage(experiment: Experiment, step: int, model: keras.Model, optimizer: keras.Optimizer, loss: Callable[..., keras.KerasTensor]) -> None:
    """Compile the model so that those layers learn which the phase at `step` lets learn. Batch normalisation in a frozen part only infers.

    A stage begins with a fresh optimizer, in the old one's variables: the moments of the stage before say nothing about the layers that learn now.
    Raises ConfigError when a name of `freeze` fits no layer, or when nothing is left to learn.
    """
    prefixes = experiment.phase_at(step).freeze
    for prefix in prefixes:
        if not any(layer.name.startswith(prefix) for layer in model.layers):
            names = ", ".join(layer.name for layer in model.layers if layer.weights)
            raise ConfigError(f"{experiment.name}: freeze names {prefix!r}, and no layer's name begins so; those with weights are {names}")
    for layer in model.layers:
        layer.trainable = not layer.name.startswith(prefixes)
    if not model.trainable_variables:
        raise ConfigError(f"{experiment.name}: the phase at step {step} freezes every layer; leave one to learn")
    if begins_stage(experiment, step):
        for variable in optimizer.variables:  # the learning rate among them, which is set before every step
            variable.assign(keras.ops.zeros_like(variable))
    model.compile(optimizer=optimizer, loss=loss, jit_compile=False)
