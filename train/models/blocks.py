"""Building blocks. Plain 3x3 convolutions, batch normalisation and ReLU: on a CPU with int8 dot products they beat depthwise ones at equal work."""

from __future__ import annotations

import keras
from keras import layers


def convolve(
    x: keras.KerasTensor, channels: int, name: str, size: int | tuple[int, int] = 3, stride: int | tuple[int, int] = 1, activate: bool = True
) -> keras.KerasTensor:
    """Convolution, batch normalisation (folded away by the converter), ReLU."""
    x = layers.Conv2D(channels, size, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.98, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if activate else x


def residual(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Two convolutions and a bypass (He et al. 2016); width and size stay as they are."""
    channels = x.shape[-1]
    y = convolve(x, channels, f"{name}a")
    y = convolve(y, channels, f"{name}b", activate=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))
