"""The machine on which a network trains: how many cores it takes. To be asked before Keras is imported."""

from __future__ import annotations

import os


def prepare_backend(threads: int = 0) -> None:
    """Quiet TensorFlow, if it is the backend, and keep it and OpenCV to `threads` cores (0: all; OpenCV takes one in any case)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if threads:
        os.environ.update(OMP_NUM_THREADS=str(threads), TF_NUM_INTRAOP_THREADS=str(threads), TF_NUM_INTEROP_THREADS="1")
    import cv2

    cv2.setNumThreads(1)
