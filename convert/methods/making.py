"""From a SavedModel and calibration pictures to an int8 file by a recipe. Runs in a process that may die; `convert.quantize` starts it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from convert.methods.bias import correct_biases
from convert.methods.editing import Editing
from convert.methods.equalise import equalise
from convert.methods.ranges import METHODS, min_max
from convert.methods.recipes import CONVERTER, Recipe
from convert.methods.rounding import round_to_outputs
from convert.methods.taps import Array, Histogram, histograms

SPARE = 2
"""Every so many pictures are enough for the steps that win back: they look at means and products, not at extremes."""


def int8_converter(saved: Path, pictures: Array) -> Any:
    """A converter to 8 bits throughout, calibrated by TensorFlow itself on (N, H, W, 1) float32 pictures."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None]] for picture in pictures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter


def make_int8(saved: Path, pictures: Array, recipe: Recipe, scratch: Path) -> bytes:
    """The int8 file. What several recipes have in common is kept in `scratch` and used again."""
    converter = int8_converter(saved, pictures)
    if not recipe.plain:
        floats = _floats(saved, pictures, recipe, scratch)
        # The converter's own last steps, before and after, stay as they are: sharing equal buffers, its metadata, types of input and output.
        converter._quantize = lambda *_, **__: _quantized(floats, pictures[::SPARE], recipe)
    return bytes(converter.convert())


def _floats(saved: Path, pictures: Array, recipe: Recipe, scratch: Path) -> bytes:
    """The float file with the range of every tensor noted, by the recipe's method."""
    plain = scratch / "calibrated.tflite"
    if not plain.is_file():
        converter = int8_converter(saved, pictures)
        converter._experimental_calibrate_only = True
        plain.write_bytes(bytes(converter.convert()))
    levelled = "equalise" in recipe.win_back
    floats = plain
    if levelled:
        floats = scratch / "equalised.tflite"
        if not floats.is_file():
            floats.write_bytes(equalise(plain.read_bytes(), pictures))
    if recipe.method == CONVERTER:
        return floats.read_bytes()
    counted = floats.with_suffix(".histograms")
    if not counted.is_file():
        counted.write_bytes(pickle.dumps(histograms(floats.read_bytes(), pictures)))
    return with_ranges(floats.read_bytes(), pickle.loads(counted.read_bytes()), recipe.method)


def with_ranges(calibrated: bytes, found: dict[int, Histogram], method: str) -> bytes:
    """The float file with ranges chosen anew.

    The input keeps its own: a luma value and its number differ by 128. The outputs keep their extremes whatever the method: what is cut off
    there is the order among the surest, and that is what a detector is asked for.
    """
    model = Editing(calibrated)
    for tensor, histogram in found.items():
        if tensor not in model.inputs:
            model.set_range(tensor, *(min_max if tensor in model.outputs else METHODS[method])(histogram))
    return model.to_bytes()


def _quantized(floats: bytes, pictures: Array, recipe: Recipe) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    made = bytes(mlir_quantize(floats, False, input_data_type=tf.int8, output_data_type=tf.int8))
    if "round" in recipe.win_back:
        made = round_to_outputs(floats, made, pictures)
    return correct_biases(floats, made, pictures) if "bias" in recipe.win_back else made
