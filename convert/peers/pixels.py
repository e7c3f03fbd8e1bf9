"""A photograph as a peer's network wants it. Its resize is OpenCV's own, as in the peers' code and their training; the device's is another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from convert.peers.base import Picture
from convert.peers.settings import Network

METHODS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos4": cv2.INTER_LANCZOS4,
}


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the photograph lies in the network's picture: place there = scale * place in the photograph + offset; (x, y) each."""

    scale: tuple[float, float]
    offset: tuple[float, float]

    def back(self, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, 4) x0 y0 x1 y1 in pixels of the network's picture -> of the photograph."""
        return np.asarray((boxes - np.tile(self.offset, 2)) / np.tile(self.scale, 2), np.float32)


def prepare(picture: Picture, wanted: Network) -> tuple[npt.NDArray[np.float32], Fit]:
    """(H, W, 3) BGR uint8 -> float32 of `wanted.shape`, and the fit."""
    if wanted.colour == "grey":
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    elif wanted.colour == "rgb":
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    boxed, fit = _fitted(picture, wanted)
    pixels = boxed.reshape(wanted.height, wanted.width, wanted.channels).astype(np.float32)
    values = (pixels - np.array(wanted.mean, np.float32)) / np.array(wanted.std, np.float32)
    return np.ascontiguousarray((values.transpose(2, 0, 1) if wanted.layout == "nchw" else values)[None], np.float32), fit


def _fitted(picture: Picture, wanted: Network) -> tuple[Picture, Fit]:
    height, width = picture.shape[:2]
    method = METHODS[wanted.resize]
    if wanted.fit == "stretch":
        scale = (wanted.width / width, wanted.height / height)
        return np.asarray(cv2.resize(picture, (wanted.width, wanted.height), interpolation=method), np.uint8), Fit(scale, (0.0, 0.0))
    one = min(wanted.width / width, wanted.height / height)
    inner_w, inner_h = max(1, round(width * one)), max(1, round(height * one))
    left, top = ((wanted.width - inner_w) // 2, (wanted.height - inner_h) // 2) if wanted.fit == "letterbox" else (0, 0)
    boxed = np.full((wanted.height, wanted.width, *picture.shape[2:]), wanted.fill, np.uint8)
    boxed[top : top + inner_h, left : left + inner_w] = cv2.resize(picture, (inner_w, inner_h), interpolation=method)
    return boxed, Fit((one, one), (float(left), float(top)))
