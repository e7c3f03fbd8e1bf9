"""Luma to the network's numbers and back: normalisation and int8, once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.records import Luma
from edge.vision.layouts import NORMALISATION as NORMALISATION

CENTRE, SPREAD = 128.0, 128.0


def normalise(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """uint8 0..255 -> float32 -1..0.992, any shape."""
    return np.asarray((luma.astype(np.float32) - CENTRE) / SPREAD, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Scale:
    """real = (quantized - zero_point) * scale, for a whole tensor."""

    scale: float
    zero_point: int

    def quantize(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
        """float32 -> int8, rounded to nearest, clipped."""
        return np.asarray(np.clip(np.round(values / self.scale) + self.zero_point, -128, 127), dtype=np.int8)

    def dequantize(self, values: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
        """int8 -> float32."""
        return np.asarray((values.astype(np.float32) - self.zero_point) * self.scale, dtype=np.float32)

    def quantized(self, value: float) -> float:
        """Where a real value lies on the quantized axis, unrounded: compare int8 numbers with it."""
        return value / self.scale + self.zero_point

    def luma_table(self) -> npt.NDArray[np.uint8]:
        """(256,) table from luma to the int8 input, as bytes: one look-up instead of float arithmetic for each pixel."""
        return self.quantize(normalise(np.arange(256, dtype=np.uint8))).view(np.uint8)


def quantize_luma(luma: Luma, table: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """(H, W) uint8 -> (H, W) int8 through `Scale.luma_table`."""
    import cv2  # here alone: the page, which imports this module by way of the rules, needs no OpenCV

    return np.asarray(cv2.LUT(luma, table), dtype=np.uint8).view(np.int8)


def sigmoid(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Logistic function that does not overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), dtype=np.float32)


def softmax(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Along the last axis."""
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)
