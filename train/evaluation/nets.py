"""Float networks behind the interface of the device's interpreter, so that float and int8 go through the same code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import BundleError, ConfigError
from edge.model.detector import CHANNELS, Detector
from edge.model.manifest import Manifest
from edge.model.reader import Reader
from edge.vision.alphabet import ALPHABET
from edge.vision.quant import Scale
from train.config import Experiment, load_experiment

Array = npt.NDArray[np.float32]
WEIGHTS = "average.weights.h5"


class Plain:
    """The scale of numbers that are what they say."""

    def dequantize(self, values: Array) -> Array:
        return values

    def quantized(self, value: float) -> float:
        return value


class FloatNet:
    """A float network as an `edge.model.tflite.Net`. `forward` takes (1, H, W, 1) float32 and gives the outputs in order."""

    def __init__(self, forward: Callable[[Array], list[Array]], shape: tuple[int, ...], output_shapes: list[tuple[int, ...]]) -> None:
        self._forward, self.shape, self.output_shapes = forward, shape, output_shapes
        self.scale_in = Scale(1.0 / 128.0, 0)
        self.scales_out: list[Any] = [Plain() for _ in output_shapes]

    def run(self, values: npt.NDArray[np.int8]) -> list[Any]:
        """As `edge.model.tflite.Interpreter.run`, with float outputs."""
        return self._forward(self.scale_in.dequantize(values))


def float_net(model: Any, kind: str) -> FloatNet:
    """A Keras network as a net of the device. Detector: outputs score, box, corners by name. Reader: logits. Any backend of Keras."""
    shape = (1, *(int(size) for size in model.input.shape[1:]))

    def sizes(output: Any) -> tuple[int, ...]:
        return (1, *(int(size) for size in output.shape[1:]))

    if kind == "reader":
        return FloatNet(lambda values: [np.asarray(model.predict_on_batch(values))], shape, [sizes(model.output)])

    def find(values: Array) -> list[Array]:
        outputs = model.predict_on_batch(values)
        return [np.asarray(outputs[name]) for name in CHANNELS]

    return FloatNet(find, shape, [sizes(model.output[name]) for name in CHANNELS])


def load_network(experiment: Experiment, weights: Path) -> Any:
    """The Keras network with its weights at the size of the last phase. Raises ConfigError when the file is missing or of another network."""
    import keras

    from train.models.detector import build_detector, for_training
    from train.models.readers import reader_network

    keras.mixed_precision.set_global_policy("float32")
    phase = experiment.phases[-1]
    if experiment.kind == "detector":
        model = build_detector(phase.height, phase.width, **experiment.network)
        holder = for_training(model)
    else:
        model = holder = reader_network(experiment).model
    if not weights.is_file():
        raise ConfigError(f"{weights}: no such file; name a run folder of python -m train fit")
    try:
        holder.load_weights(weights)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{weights}: these are not weights of the network of {experiment.name} ({str(error).splitlines()[0]})") from None
    return model


def load_run(folder: Path, settings: dict[str, float], lowest: float, views: int) -> Detector | Reader:
    """The model of a run folder, in float, as the device's Detector (down to the score `lowest`) or Reader. `settings` go into its manifest."""
    experiment = load_experiment(folder / "experiment.toml")
    model = load_network(experiment, folder / WEIGHTS)
    phase = experiment.phases[-1]
    about = {
        "name": f"{experiment.name} (float)",
        "kind": experiment.kind,
        "codec": experiment.codec,
        "width": phase.width,
        "height": phase.height,
        "alphabet": ALPHABET if experiment.kind == "reader" else "",
        "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
    }
    try:
        manifest = Manifest.of({**about, **settings})
    except BundleError as error:
        raise ConfigError(f"--{error}") from None
    net = float_net(model, experiment.kind)
    return Detector(manifest, net, lowest, views) if experiment.kind == "detector" else Reader(manifest, net)
