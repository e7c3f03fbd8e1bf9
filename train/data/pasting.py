"""Flat pictures put into a photograph: in perspective, and in the light of the place."""

from __future__ import annotations

import cv2
import numpy as np

from edge.records import Luma, Quad

Rng = np.random.Generator


def random_quad(rng: Rng, aspect: float, width: int, height: int) -> Quad:
    """A plate of that aspect seen from somewhere, wholly inside the picture; smaller ones are as frequent as larger ones by the octave."""
    while True:
        wide = float(np.exp(rng.uniform(np.log(14.0), np.log(0.7 * width))))
        yaw, pitch, roll = rng.normal(0, 0.45), rng.normal(0, 0.25), rng.normal(0, 0.1) if rng.random() < 0.8 else rng.normal(0, 0.35)
        distance = rng.uniform(2.0, 6.0)
        flat = np.array([[-1, -1 / aspect, 0], [1, -1 / aspect, 0], [1, 1 / aspect, 0], [-1, 1 / aspect, 0]]) * 0.5
        cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
        turn = (
            np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
            @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
            @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        )
        solid = flat @ turn.T
        seen = solid[:, :2] / (solid[:, 2:] + distance) * distance
        seen *= wide
        size = seen.max(axis=0) - seen.min(axis=0)
        if size[0] < 9 or size[1] < 4 or size[0] > width - 4 or size[1] > height - 4:
            continue
        corner = rng.uniform((2, 2), (width - 2 - size[0], height - 2 - size[1]))
        return Quad.from_array(seen - seen.min(axis=0) + corner)


def paste(rng: Rng, luma: Luma, flat: Luma, quad: Quad) -> Luma:
    """`flat` warped onto `quad` with anti-aliased edges, its white set near the light of the place."""
    box = quad.box
    h, w = luma.shape
    x0, y0, x1, y1 = max(int(box.x0) - 2, 0), max(int(box.y0) - 2, 0), min(int(box.x1) + 3, w), min(int(box.y1) + 3, h)
    part = luma[y0:y1, x0:x1].astype(np.float32)
    while flat.shape[1] > 2.5 * box.width and min(flat.shape) > 8:
        flat = np.asarray(cv2.resize(flat, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    fh, fw = flat.shape
    corners = np.array([[0, 0], [fw, 0], [fw, fh], [0, fh]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners - 0.5, (quad.array() - (x0, y0)).astype(np.float32) - 0.5)
    size = (x1 - x0, y1 - y0)
    warped = cv2.warpPerspective(flat, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    mask = cv2.warpPerspective(np.full_like(flat, 255), matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    light = np.clip(np.percentile(luma[max(y0 - 30, 0) : y1 + 30, max(x0 - 30, 0) : x1 + 30], 80) / 200, 0.2, 1.2)
    warped = warped * (light if rng.random() < 0.7 else rng.uniform(0.4, 1.3)) + rng.normal(0, 8)
    if rng.random() < 0.5:
        soft = rng.uniform(0.3, 1.0)
        warped, mask = cv2.GaussianBlur(warped, (0, 0), soft), cv2.GaussianBlur(mask, (0, 0), soft)
    out = luma.copy()
    out[y0:y1, x0:x1] = np.clip(part * (1 - mask) + warped * mask, 0, 255).astype(np.uint8)
    return out
