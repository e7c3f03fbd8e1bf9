"""Recordings to play as a camera: the bundled clip, streams drawn here from the bundled scenes, or a user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.bench.scenes import FOLDER, file_name
from edge.bench.streamed import Recording
from edge.camera.files import VIDEO_SUFFIXES
from edge.camera.video import picture_of, quiet
from edge.errors import ImageError
from edge.vision.image import load_image, resize, to_luma

CLIP = FOLDER / "demo.mp4"
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
STILL_FPS, MOVING_FPS, FASTEST_FPS = 5, 15, 120
FRAMES = 60
ZOOM = 1.15
NOISE = 2.0
"""Standard deviation of the luma's noise, 0..255: a camera's picture is never the same twice."""


@dataclass(frozen=True, slots=True)
class Film:
    """A recording in a file."""

    path: Path
    facts: Recording


def film(path: str | Path, name: str | None = None) -> Film:
    """Looked through whole. Raises ImageError, one sentence, for what is no video that can be read."""
    path = Path(path)
    if not path.exists():
        raise ImageError(f"{path}: no such file; name a video with --stream, or none for the bundled clip and drawn streams")
    if path.is_dir() or path.suffix.lower() not in VIDEO_SUFFIXES:
        raise ImageError(f"{path}: is no video ({', '.join(sorted(VIDEO_SUFFIXES))})")
    quiet()
    video = cv2.VideoCapture(str(path))
    try:
        digest, frames, height, width = hashlib.sha256(), 0, 0, 0
        while video.isOpened() and video.grab():
            if (picture := picture_of(video)) is not None:
                luma = to_luma(picture)
                (height, width), frames = luma.shape, frames + 1
                digest.update(luma.tobytes())
        fps = video.get(cv2.CAP_PROP_FPS)
    finally:
        video.release()
    if not frames:
        raise ImageError(f"{path}: cannot be read as a video; copy it again or convert it to mp4")
    fps = fps if 1 <= fps <= 240 else 25.0  # as the camera takes it
    return Film(path, Recording(name=name or path.name, width=width, height=height, frames=frames, fps=round(fps, 3), sha256=digest.hexdigest()))


def drive(folder: Path, size: str, plates: int = 1, fps: float = MOVING_FPS) -> Film:
    """A car park that comes nearer: the drawn scene, zoomed in frame by frame, so that everything moves. Raises ImageError where it cannot be written."""
    width, height = SIZES[size]
    picture = resize(load_image(FOLDER / file_name(plates))[0], width, height)

    def frames() -> Iterator[npt.NDArray[np.uint8]]:
        for number in range(FRAMES):
            zoom = 1.0 + (ZOOM - 1.0) * number / (FRAMES - 1)
            matrix = np.array([[zoom, 0, (1 - zoom) * width / 2], [0, zoom, (1 - zoom) * height / 2]])
            yield np.asarray(cv2.warpAffine(picture, matrix, (width, height)), dtype=np.uint8)

    faster = f", {fps:g} a second" if fps != MOVING_FPS else ""
    return _written(folder, f"drawn {size}, {plates} plate{'' if plates == 1 else 's'}{faster}", frames(), fps)


def still(folder: Path, size: str, seed: int) -> Film:
    """Nothing moves but the noise."""
    width, height = SIZES[size]
    picture = resize(load_image(FOLDER / file_name(0))[0], width, height).astype(np.float32)
    dice = np.random.default_rng(seed)
    noisy = (picture + NOISE * dice.standard_normal(picture.shape, np.float32) for _ in range(FRAMES // 2))
    return _written(folder, f"drawn {size}, still", (np.clip(one.round(), 0, 255).astype(np.uint8) for one in noisy), STILL_FPS)


def _written(folder: Path, name: str, frames: Iterator[npt.NDArray[np.uint8]], fps: float) -> Film:
    path = folder / f"{name.replace(' ', '-').replace(',', '')}.mp4"
    video = None
    for luma in frames:
        if video is None:
            video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (luma.shape[1], luma.shape[0]))
            if not video.isOpened():
                raise ImageError(f"{path}: this OpenCV cannot write a video; name one of your own with --stream")
        video.write(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR))
    if video is not None:
        video.release()
    return film(path, name)
