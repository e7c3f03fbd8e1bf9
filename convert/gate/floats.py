"""The float side of the gate: Keras itself, or a float32 file that is first held against Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convert.calibrate import calibration_set
from convert.nets import VariantNet
from convert.quantize import quantize
from edge.errors import PlatewatchError
from edge.model.tflite import Net, quiet
from train.config import load_experiment
from train.evaluation.nets import WEIGHTS, float_net, load_network

SIDES = ("tflite", "keras")
BOUND = 1e-3
"""Two ways to add up the same 32-bit floats differ by about 1e-5 in a logit; another network differs by more than this."""
PICTURES = 8


class FloatsDiffer(PlatewatchError, ValueError):
    """The float32 file does not compute what the Keras network computes."""


def float_side(run: Path, choice: str, scratch: Path) -> tuple[str, Net]:
    """(name, net) of the run folder's float weights. "tflite" makes `scratch/float32.tflite` and checks it; raises FloatsDiffer when it is not the same."""
    if choice == "keras":
        return "Keras", _keras(run)
    file = quantize(run, [], scratch / "float32.tflite", "float32")
    return "float32 .tflite", checked(run, file)[0]


def checked(run: Path, file: Path) -> tuple[VariantNet, float]:
    """The float32 file as a net, and the largest difference to Keras in any output. Raises FloatsDiffer above BOUND."""
    experiment = load_experiment(run / "experiment.toml")
    net = VariantNet(file.read_bytes(), file.name)
    phase = experiment.phases[-1]
    pictures = calibration_set(experiment.kind, phase.width, phase.height, [], drawn=PICTURES - 1)
    worst = difference(_keras(run), net, np.round(pictures * 128).astype(np.int8))
    if worst > BOUND:
        raise FloatsDiffer(f"{file}: differs from Keras by up to {worst:.2g} in an output, more than {BOUND}; make it anew, or verify with --float keras")
    return net, worst


def _keras(run: Path) -> Net:
    experiment = load_experiment(run / "experiment.toml")
    with quiet():  # TensorFlow speaks of its processor while it is loaded
        net: Net = float_net(load_network(experiment, run / WEIGHTS), experiment.kind)
    return net


def difference(first: Net, second: Net, inputs: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> float:
    """The largest difference in any output over all (N, H, W, 1) int8 inputs; infinite where an output has another shape or is no number."""
    worst = 0.0
    for one in inputs:
        outputs = [{array.shape[-1]: array for array in net.run(one[None])} for net in (first, second)]
        if {key: array.shape for key, array in outputs[0].items()} != {key: array.shape for key, array in outputs[1].items()}:
            return float("inf")
        for channels, array in outputs[0].items():
            apart = float(np.abs(array - outputs[1][channels]).max())
            worst = max(worst, apart) if np.isfinite(apart) else float("inf")
    return worst
