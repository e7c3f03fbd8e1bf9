"""Keras weights -> TFLite, in a process of its own: a crash of the converter is an error message and not a dead program."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from convert.calibrate import Calibration, choose
from convert.methods.recipes import Recipe, recipe_for
from edge.errors import ConfigError, PlatewatchError
from train.config import Experiment, load_experiment

VARIANTS = {
    "float32": "32-bit floats throughout",
    "float16": "weights kept in 16 bits, computed in 32",
    "dynamic": "weights in 8 bits, activations quantized while running",
    "int8": "8 bits throughout, per channel: what ships",
    "int16x8": "weights in 8 bits, activations in 16",
}
"""What the converter can make, and what it is."""
TIMEOUT_S = 1800.0


class ConversionError(PlatewatchError, RuntimeError):
    """The converter gave up, or what it made is not what its record says."""


def quantize(run: Path, folders: list[Path], out: Path, variant: str = "int8", timeout_s: float = TIMEOUT_S, recipe: Recipe | None = None) -> Path:
    """Convert the run folder's averaged weights into the file `out`, and write `record_file(out)` beside it: how it was made.

    `recipe` is how int8 is calibrated, None for what measured best on the shipped network of that kind. Raises ConversionError with the
    converter's last words.
    """
    experiment = trained(run)
    phase = experiment.phases[-1]
    chosen = choose(experiment.kind, phase.width, phase.height, folders)
    with tempfile.TemporaryDirectory() as scratch:
        return make(run, chosen, out, recipe or recipe_for(experiment.kind), Path(scratch), variant, timeout_s)


def trained(run: Path) -> Experiment:
    """The experiment of a run folder that has weights. Raises ConfigError."""
    experiment = load_experiment(run / "experiment.toml")
    if not (run / "average.weights.h5").is_file():
        raise ConfigError(f"{run / 'average.weights.h5'}: no such file; name a run folder of python -m train fit")
    return experiment


def make(run: Path, chosen: Calibration, out: Path, recipe: Recipe, scratch: Path, variant: str = "int8", timeout_s: float = TIMEOUT_S) -> Path:
    """As `quantize`, on pictures that are chosen already. Recipes that share a `scratch` folder share the work that they have in common."""
    pictures = scratch / "calibration.npy"
    if not pictures.is_file():
        np.save(pictures, chosen.pictures)
    made = scratch / "made.tflite"
    made.unlink(missing_ok=True)
    job = [str(run), str(scratch), str(made), variant, recipe.method, *recipe.win_back]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "convert.quantize", *job],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    except subprocess.TimeoutExpired:
        raise ConversionError(f"{run}: the converter did not end within {timeout_s:g} s") from None
    if done.returncode or not made.is_file():
        words = [line for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        raise ConversionError(f"{run}: the converter ended with code {done.returncode}: {words[-1]}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, out)
    except OSError as error:
        raise ConversionError(f"{out}: cannot be written ({error.strerror}); name another file with --out") from None
    told = origin(run, chosen, recipe, variant) | {"sha256": _digest(out)}
    record_file(out).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return out


def origin(run: Path, chosen: Calibration, recipe: Recipe, variant: str = "int8") -> dict[str, Any]:
    """What a file is made of: its record, all but the file's own hash."""
    by_recipe = {"method": recipe.method, "win_back": list(recipe.win_back)} if variant == "int8" else {}
    weights = _digest(run / "average.weights.h5")
    return {"v": 1, "variant": variant, **by_recipe, **chosen.as_json(), "tensorflow": _version(), "weights_sha256": weights}


def record_file(model_file: Path) -> Path:
    """Where `quantize` writes how a file was made."""
    return model_file.with_suffix(".json")


def calibration_record(model_file: Path) -> dict[str, Any]:
    """How a file was made: variant, method, win_back, seed, pictures by source, hashes, TensorFlow's version.

    Raises ConversionError where the record is missing or is another file's.
    """
    path = record_file(model_file)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConversionError(f"{model_file}: {path.name} does not stand beside it; make the file anew with python -m convert quantize") from None
    except (OSError, ValueError) as error:
        raise ConversionError(f"{path}: cannot be read ({error}); make the file anew with python -m convert quantize") from None
    if not model_file.is_file():
        raise ConversionError(f"{model_file}: no such file; python -m convert quantize makes one")
    if not isinstance(told, dict) or told.get("sha256") != _digest(model_file):
        raise ConversionError(f"{path}: is the record of another file; make {model_file.name} anew with python -m convert quantize")
    return told


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    for name in ("tensorflow-cpu", "tensorflow"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def convert(run: Path, scratch: Path, out: Path, variant: str = "int8", recipe: Recipe | None = None) -> None:
    """The conversion itself; call it in a process that may die. `scratch` holds calibration.npy."""
    import tensorflow as tf

    from convert.export import save_graph
    from convert.methods.making import int8_converter, make_int8
    from train.evaluation.nets import load_network

    experiment = load_experiment(run / "experiment.toml")
    calibration = np.load(scratch / "calibration.npy")
    saved = scratch / "saved"
    if not (saved / "done").is_file():
        save_graph(load_network(experiment, run / "average.weights.h5"), experiment.kind, saved)
        (saved / "done").touch()
    if variant == "int8":
        model = make_int8(saved, calibration, recipe or recipe_for(experiment.kind), scratch)
    else:
        converter = int8_converter(saved, calibration)
        converter.inference_input_type = converter.inference_output_type = tf.float32
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if variant == "int16x8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
        else:
            converter.representative_dataset = None
        if variant == "float32":
            converter.optimizations = []
        if variant == "float16":
            converter.target_spec.supported_types = [tf.float16]
        model = bytes(converter.convert())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(model)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], Recipe(sys.argv[5], tuple(sys.argv[6:])))
