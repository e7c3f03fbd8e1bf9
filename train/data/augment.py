"""What happens to real photographs on their way into training: geometry with the truth carried along, and the camera's faults."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.records import Box, Luma, Quad
from edge.vision.image import PAD, resize

Rng = np.random.Generator
Matrix = npt.NDArray[np.float64]
_NOISE = np.random.default_rng(20260101).standard_normal((1024, 1024)).astype(np.float32)  # fresh noise costs more than the network's step


def warp(luma: Luma, matrix: Matrix, width: int, height: int, fill: int = PAD) -> Luma:
    """Affine (2, 3) from pixels of `luma` to a (height, width) picture; shrinking is done by averaging first."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    while scale < 0.6 and min(luma.shape) > 8:
        half_w, half_h = luma.shape[1] // 2, luma.shape[0] // 2
        matrix = matrix @ np.diag([luma.shape[1] / half_w, luma.shape[0] / half_h, 1.0])
        luma = resize(luma, half_w, half_h)
        scale *= 2
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from pixel centres
    return np.asarray(cv2.warpAffine(luma, shifted, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill), np.uint8)


def carry(box: Box, matrix: Matrix) -> Box:
    """The box around a carried box."""
    corners = Quad.from_box(box).array() @ matrix[:, :2].T + matrix[:, 2]
    return Quad.from_array(corners).box


def jitter_quad(rng: Rng, box: Box, spread: float, tilt: float = 0.0) -> Quad:
    """The box's corners, each moved by up to `spread` of its height, and turned by up to `tilt` radians around its middle."""
    points = Quad.from_box(box).array().astype(np.float64)
    middle = points.mean(axis=0)
    angle = rng.normal(0, tilt / 2) if tilt else 0.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points - middle) @ turn.T + middle
    return Quad.from_array(points + rng.uniform(-spread, spread, (4, 2)) * box.height)


def expose(rng: Rng, luma: Luma) -> Luma:
    """Gamma, gain, offset, now and then a gradient of light or a negative; through one look-up table."""
    level = np.linspace(0, 1, 256, dtype=np.float32)
    level = level ** np.exp(rng.normal(0, 0.35))
    gain = np.exp(rng.normal(0, 0.25))
    level = (level - 0.5) * gain + 0.5 + rng.normal(0, 0.1)
    if rng.random() < 0.1:  # night: little light, little contrast
        level = level * rng.uniform(0.15, 0.6)
    out = np.asarray(cv2.LUT(luma, np.clip(level * 255, 0, 255).astype(np.uint8)), np.uint8)
    if rng.random() < 0.2:
        h, w = luma.shape
        slope = (
            np.linspace(rng.uniform(0.4, 1), rng.uniform(0.6, 1.3), w, dtype=np.float32)[None]
            * np.linspace(rng.uniform(0.6, 1), 1.1, h, dtype=np.float32)[:, None]
        )
        out = np.clip(out * slope, 0, 255).astype(np.uint8)
    return out


def blur(rng: Rng, luma: Luma, most: float) -> Luma:
    """Out of focus or in motion, up to `most` pixels."""
    kind = rng.random()
    amount = most * rng.random() ** 2
    if amount < 0.3:
        return luma
    if kind < 0.5:
        return np.asarray(cv2.GaussianBlur(luma, (0, 0), amount / 2 + 0.2), np.uint8)
    length = max(3, round(amount * 2) | 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.normal(0, 0.5) if rng.random() < 0.7 else rng.uniform(-1.6, 1.6)
    middle, reach = length // 2, length / 2
    a = (round(middle - np.cos(angle) * reach), round(middle - np.sin(angle) * reach))
    b = (round(middle + np.cos(angle) * reach), round(middle + np.sin(angle) * reach))
    cv2.line(kernel, a, b, 1.0)
    return np.asarray(cv2.filter2D(luma, -1, kernel / max(kernel.sum(), 1.0)), np.uint8)


def add_noise(rng: Rng, luma: Luma, most: float = 14.0) -> Luma:
    """Sensor noise from the bank, coarse or fine."""
    sigma = most * rng.random() ** 3
    if sigma < 0.7:
        return luma
    h, w = luma.shape
    y, x = int(rng.integers(0, 1024 - min(h, 1023))), int(rng.integers(0, 1024 - min(w, 1023)))
    return np.clip(luma + _NOISE[y : y + h, x : x + w] * sigma, 0, 255).astype(np.uint8)


def compress(rng: Rng, luma: Luma) -> Luma:
    """There and back through JPEG at a random quality."""
    ok, data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(18, 90))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8) if ok else luma


def coarsen(rng: Rng, luma: Luma, least: float) -> Luma:
    """Down to a share of its size between `least` and 1 and up again: a plate from farther away."""
    share = rng.uniform(least, 1.0)
    if share > 0.92:
        return luma
    small = resize(luma, max(8, round(luma.shape[1] * share)), max(6, round(luma.shape[0] * share)))
    return np.asarray(cv2.resize(small, (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_CUBIC), np.uint8)


def erase(rng: Rng, luma: Luma) -> Luma:
    """A small patch of flat luma over the picture: dirt, a bolt, a tow-bar."""
    h, w = luma.shape
    out = luma.copy()
    eh, ew = max(1, int(h * rng.uniform(0.05, 0.35))), max(1, int(w * rng.uniform(0.01, 0.06)))
    y, x = int(rng.integers(0, h - eh + 1)), int(rng.integers(0, w - ew + 1))
    out[y : y + eh, x : x + ew] = int(rng.integers(0, 256))
    return out


def photograph(rng: Rng, luma: Luma, least: float = 0.45, most_blur: float = 3.0) -> Luma:
    """The camera's faults on a small picture, in the order in which they happen."""
    if rng.random() < 0.08:
        luma = np.asarray(255 - luma, np.uint8)
    luma = expose(rng, luma)
    if rng.random() < 0.4:
        luma = blur(rng, luma, most_blur)
    if rng.random() < 0.35:
        luma = coarsen(rng, luma, least)
    if rng.random() < 0.5:
        luma = add_noise(rng, luma, 10.0)
    if rng.random() < 0.3:
        luma = compress(rng, luma)
    return luma
