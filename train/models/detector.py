"""The plate detector: four levels down, two back up, one head at a stride of 8 pixels. Layout of its outputs: `edge.vision.detector_codec`."""

from __future__ import annotations

import math

import keras
from keras import layers

from train.models.blocks import convolve, residual

OUTPUTS = {"score": 2, "box": 4, "corners": 8}
PRIOR = 0.01
"""Share of cells that hold a plate, roughly: the score starts there, so that the first steps are not all about emptiness (Lin et al. 2017)."""


def build_detector(height: int | None, width: int | None, widths: tuple[int, ...] = (16, 32, 48, 64, 96)) -> keras.Model:
    """Luma (B, height, width, 1) float32, normalised -> score, box and corners, each (B, height / 8, width / 8, channels)."""
    luma = keras.Input((height, width, 1), name="luma")
    x = convolve(luma, widths[0], "stem", stride=2)
    x = convolve(x, widths[1], "down4", stride=2)  # nothing more at this size: few channels on many pixels are what int8 kernels are worst at
    x = convolve(x, widths[2], "down8", stride=2)
    at8 = residual(x, "at8")
    x = convolve(at8, widths[3], "down16", stride=2)
    at16 = residual(x, "at16")
    x = convolve(at16, widths[4], "down32", stride=2)
    x = residual(x, "at32")
    x = convolve(x, widths[4], "deep32")
    at16 = _join(x, at16, "join16")
    x = _join(at16, at8, "join8")
    x = convolve(x, widths[2], "head")
    outputs = {}
    for name, channels in OUTPUTS.items():
        bias = keras.initializers.Constant(-math.log((1 - PRIOR) / PRIOR)) if name == "score" else "zeros"
        outputs[name] = layers.Conv2D(
            channels, 1, dtype="float32", kernel_initializer=keras.initializers.RandomNormal(stddev=0.01), bias_initializer=bias, name=name
        )(x)
    return keras.Model(luma, outputs, name="detector")


def _join(coarse: keras.KerasTensor, fine: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Bring the coarse level to the fine one's size and width, add, smooth (feature pyramid, Lin et al. 2017).

    A transposed convolution: unlike a resize it takes pictures of any size on every backend, and XNNPACK runs it in int8.
    """
    x = layers.Conv2DTranspose(fine.shape[-1], 2, strides=2, kernel_initializer="he_normal", name=f"{name}_up")(coarse)
    x = layers.Add(name=f"{name}_add")([x, fine])
    return convolve(x, fine.shape[-1], f"{name}_smooth")


def for_training(model: keras.Model) -> keras.Model:
    """The same weights with one output (B, h, w, 14): score, box, corners side by side, as `detector_loss` takes them."""
    together = layers.Concatenate(dtype="float32", name="together")([model.output[name] for name in OUTPUTS])
    return keras.Model(model.input, together, name="detector_training")
