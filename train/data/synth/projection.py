"""Lays flat drawings into a scene in perspective."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth.wear import Plate, weather

Luma = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


def paint(rng: np.random.Generator, picture: Luma, plate: Plate, quad: Points, light: float = 1.0, lift: float = 0.0) -> None:
    """Project the plate onto `quad` in `picture`, in place; its luma is multiplied by `light` and raised by `lift`."""
    across, down = float(np.hypot(*(quad[1] - quad[0]))), float(np.hypot(*(quad[3] - quad[0])))
    high, wide = plate.luma.shape
    # Averaged down to about its size in the picture first: the projection itself only interpolates.
    size = (int(np.clip(across * 1.15, 8, wide)), int(np.clip(down * 1.15, 4, high)))
    flat = cv2.resize(plate.luma, size, interpolation=cv2.INTER_AREA)
    if across > 40:
        weather(rng, flat)
    if light != 1.0 or lift:
        flat = cv2.convertScaleAbs(flat, alpha=light, beta=lift)
    framed = rng.random() < 0.3
    edge = max(1, round(size[1] * 0.06)) if framed else 1
    tone = int(rng.integers(0, 60) * light) if framed else 0
    flat = cv2.copyMakeBorder(flat, edge, edge, edge, edge, cv2.BORDER_CONSTANT if framed else cv2.BORDER_REPLICATE, value=tone)
    margin = edge if framed else 0
    x0, y0 = np.maximum(0, np.floor(quad.min(0)).astype(int) - 2 - margin * 2)
    x1, y1 = np.minimum((picture.shape[1], picture.shape[0]), np.ceil(quad.max(0)).astype(int) + 2 + margin * 2)
    if x1 <= x0 or y1 <= y0:
        return
    source = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32) + edge - 0.5
    matrix = cv2.getPerspectiveTransform(source, (quad - (x0, y0) - 0.5).astype(np.float32))
    mask = np.zeros(flat.shape, np.uint8)
    mask[edge - margin : flat.shape[0] - edge + margin, edge - margin : flat.shape[1] - edge + margin] = 255
    target = (int(x1 - x0), int(y1 - y0))
    laid = cv2.warpPerspective(flat, matrix, target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(mask, matrix, target, flags=cv2.INTER_LINEAR)
    region = picture[y0:y1, x0:x1]
    region[:] = cv2.add(cv2.multiply(region, 255 - alpha, scale=1 / 255), cv2.multiply(laid, alpha, scale=1 / 255))


def lay(picture: Luma, luma: Luma, mask: Luma, matrix: npt.NDArray[np.float64], outline: Points) -> None:
    """Project a vehicle (its luma and mask) by `matrix` over the picture, in place; `outline` (4, 2) is where its corners fall."""
    x0, y0 = np.maximum(0, np.floor(outline.min(0)).astype(int) - 2)
    x1, y1 = np.minimum((picture.shape[1], picture.shape[0]), np.ceil(outline.max(0)).astype(int) + 2)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    # The bank's pictures are about 300 wide: far cars are averaged down before the projection.
    shrink = min(1.0, max(float(np.hypot(*(outline[1] - outline[0]))), 8.0) * 1.2 / luma.shape[1])
    if shrink < 0.9:
        size = (max(2, round(luma.shape[1] * shrink)), max(2, round(luma.shape[0] * shrink)))
        factor = np.diag([luma.shape[1] / size[0], luma.shape[0] / size[1], 1.0])
        luma, mask, matrix = cv2.resize(luma, size, interpolation=cv2.INTER_AREA), cv2.resize(mask, size, interpolation=cv2.INTER_AREA), matrix @ factor
    matrix = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64) @ matrix
    target = (int(x1 - x0), int(y1 - y0))
    laid, alpha = cv2.warpPerspective(luma, matrix, target), cv2.warpPerspective(mask, matrix, target)
    region = picture[y0:y1, x0:x1]
    region[:] = cv2.add(cv2.multiply(region, 255 - alpha, scale=1 / 255), cv2.multiply(laid, alpha, scale=1 / 255))


def glow(rng: np.random.Generator, picture: Luma, x: float, y: float, radius: float) -> None:
    """A lit lamp with its halo, in place."""
    reach = max(3, int(radius * rng.uniform(2.5, 6)))
    cx, cy = round(x), round(y)
    a, b, c, d = max(0, cx - reach), max(0, cy - reach), min(picture.shape[1], cx + reach + 1), min(picture.shape[0], cy + reach + 1)
    if c <= a or d <= b:
        return
    gx, gy = np.arange(a, c, dtype=np.float32)[None] - cx, np.arange(b, d, dtype=np.float32)[:, None] - cy
    distance = np.sqrt(gx * gx + gy * gy) / reach
    halo = np.maximum(0, 1 - distance) ** 2 * rng.uniform(80, 220) + (distance < radius / reach) * 160
    picture[b:d, a:c] = np.minimum(picture[b:d, a:c] + halo, 255)
