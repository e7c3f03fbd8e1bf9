"""What OpenCV's decoders give, and what they only claim to give."""

from __future__ import annotations

import os

import cv2
import numpy as np
import numpy.typing as npt


def quiet() -> None:
    """Before anything is opened: what OpenCV and FFmpeg write by themselves would fill the journal of a broken camera; we say it in one sentence."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


def picture_of(video: cv2.VideoCapture) -> npt.NDArray[np.uint8] | None:
    """The frame that was grabbed last, (H, W, 3) BGR or (H, W) uint8; None where it is broken. OpenCV may say yes and give nothing."""
    try:
        decoded, found = video.retrieve()
    except cv2.error:
        return None
    picture = np.asarray(found, dtype=np.uint8) if decoded and found is not None and found.size else None
    return picture if picture is not None and picture.ndim in (2, 3) and picture.shape[2:] in ((), (3,)) else None
