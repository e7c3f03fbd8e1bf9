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


class ConversionError(PlatewatchError, RuntimeError):
    """The converter gave up."""


def quantize(run: Path, folders: list[Path], out: Path, timeout_s: float = 1800.0) -> Path:
    """Convert the run folder's averaged weights into the file `out`. Raises ConversionError with the converter's last words."""
    experiment = load_experiment(run / "experiment.toml")
    phase = experiment.phases[-1]
    with tempfile.TemporaryDirectory() as scratch:
        pictures = Path(scratch) / "calibration.npy"
        np.save(pictures, calibration_set(experiment.kind, phase.width, phase.height, folders))
        command = [sys.executable, "-m", "convert.quantize", str(run), str(pictures), str(out)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
        except subprocess.TimeoutExpired:
            raise ConversionError(f"{run}: the converter did not end within {timeout_s:.0f} s") from None
    if done.returncode or not out.is_file():
        words = [line for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        raise ConversionError(f"{run}: the converter ended with code {done.returncode}: {words[-1]}")
    return out


def convert(run: Path, pictures: Path, out: Path) -> None:
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
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([picture[None]] for picture in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        model_bytes = converter.convert()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(model_bytes)


if __name__ == "__main__":
    convert(*(Path(word) for word in sys.argv[1:4]))
