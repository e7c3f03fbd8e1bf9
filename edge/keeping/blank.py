"""Parts of the picture that nobody may see, made black."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edge.attention.regions import Polygon
from edge.vision.image import resize

Picture = npt.NDArray[np.uint8]


def blank(picture: Picture, polygons: Sequence[Polygon], origin: tuple[int, int] = (0, 0), size: tuple[int, int] | None = None) -> None:
    """Blacken polygons (shares of a frame of `size` width and height) in place, in the part of the frame (H, W) or (H, W, 3) that begins at `origin`."""
    width, height = size or (picture.shape[1], picture.shape[0])
    fill(picture, ([(x * width - origin[0], y * height - origin[1]) for x, y in polygon] for polygon in polygons))


def fill(picture: Picture, polygons: Iterable[Sequence[tuple[float, float]]]) -> None:
    """Blacken polygons (pixels of this picture) in place, the pixels that they only touch too."""
    for polygon in polygons:
        points = np.round(np.asarray(polygon, dtype=np.float64) - 0.5).astype(np.int32)
        cv2.fillPoly(picture, [points], (0, 0, 0))
        cv2.polylines(picture, [points], True, (0, 0, 0), 3)


def scene(picture: Picture, polygons: Sequence[Polygon], max_width: int = 1280) -> bytes:
    """JPEG of a frame, (H, W) or (H, W, 3), at most `max_width` wide, without what is excluded."""
    height, width = picture.shape[:2]
    shown = resize(picture, max_width, max(1, round(height * max_width / width))) if width > max_width else picture.copy()
    blank(shown, polygons)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
