"""Keras weights -> full-int8 TFLite, per channel, in a process of its own: a crash of the converter is an error message and not a dead program."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from convert.calibrate import calibration_set
from edge.errors import PlatewatchError
from train.config import load_experiment

VARIANTS = {
    "float32": "32-bit floats throughout",
    "float16": "weights kept in 16 bits, computed in 32",
    "dynamic": "weights in 8 bits, activations quantized while running",
    "int8": "8 bits throughout, per channel: what ships",
    "int16x8": "weights in 8 bits, activations in 16",
}
"""What the converter can make, and what it is."""


class ConversionError(PlatewatchError, RuntimeError):
    """The converter gave up."""


def quantize(run: Path, folders: list[Path], out: Path, variant: str = "int8", timeout_s: float = 1800.0) -> Path:
    """Convert the run folder's averaged weights into the file `out`. Raises ConversionError with the converter's last words."""
    experiment = load_experiment(run / "experiment.toml")
    phase = experiment.phases[-1]
    with tempfile.TemporaryDirectory() as scratch:
        pictures = Path(scratch) / "calibration.npy"
        np.save(pictures, calibration_set(experiment.kind, phase.width, phase.height, folders))
        command = [sys.executable, "-m", "convert.quantize", str(run), str(pictures), str(out), variant]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
        except subprocess.TimeoutExpired:
            raise ConversionError(f"{run}: the converter did not end within {timeout_s:.0f} s") from None
    if done.returncode or not out.is_file():
        words = [line for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        raise ConversionError(f"{run}: the converter ended with code {done.returncode}: {words[-1]}")
    return out


def convert(run: Path, pictures: Path, out: Path, variant: str = "int8") -> None:
    """The conversion itself; call it in a process that may die."""
    import tensorflow as tf

    from convert.export import save_graph
    from train.evaluation.nets import load_network

    experiment = load_experiment(run / "experiment.toml")
    model = load_network(experiment, run / "average.weights.h5")
    calibration = np.load(pictures)
    with tempfile.TemporaryDirectory() as scratch:
        save_graph(model, experiment.kind, Path(scratch))
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        if variant != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if variant == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if variant in ("int8", "int16x8"):
            converter.representative_dataset = lambda: ([picture[None]] for picture in calibration)
        if variant == "int8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        if variant == "int16x8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
        model_bytes = converter.convert()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(model_bytes)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
