"""Outlines and labels on pictures for people."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.records import Quad

GREEN, BLACK = (80, 230, 60), (0, 0, 0)


def draw_plate(picture: npt.NDArray[np.uint8], quad: Quad, label: str, scale: float = 1.0) -> None:
    """Outline a plate and write `label` above it, in place. `quad` in pixels of the unscaled picture, which is `scale` times as large here."""
    corners = np.round(quad.array() * scale).astype(np.int32)
    size = max(0.5, min(1.4, picture.shape[1] / 1100))
    thick = max(1, round(2 * size))
    cv2.polylines(picture, [corners], True, GREEN, thick, cv2.LINE_AA)
    place = (int(max(0, corners[:, 0].min())), int(max(26 * size, corners[:, 1].min() - 7 * size)))
    cv2.putText(picture, label, place, cv2.FONT_HERSHEY_SIMPLEX, size, BLACK, thick + 3, cv2.LINE_AA)
    cv2.putText(picture, label, place, cv2.FONT_HERSHEY_SIMPLEX, size, GREEN, thick, cv2.LINE_AA)
