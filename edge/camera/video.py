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


def opened(path: str) -> cv2.VideoCapture:
    """A recording. One decoding thread: each more keeps several frames of its own in memory, and takes no less of the processor."""
    quiet()
    video = cv2.VideoCapture(path, cv2.CAP_ANY, [cv2.CAP_PROP_N_THREADS, 1])
    return video if video.isOpened() else cv2.VideoCapture(path)  # a decoder that knows nothing of threads


def picture_of(video: cv2.VideoCapture, into: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8] | None:
    """The frame that was grabbed last, (H, W, 3) BGR or (H, W) uint8; None where it is broken. OpenCV may say yes and give nothing.

    Decoded `into` the memory of a frame of before, where it has the same size.
    """
    try:
        decoded, found = video.retrieve() if into is None else video.retrieve(into)
    except cv2.error:
        return None
    picture = np.asarray(found, dtype=np.uint8) if decoded and found is not None and found.size else None
    return picture if picture is not None and picture.ndim in (2, 3) and picture.shape[2:] in ((), (3,)) else None
