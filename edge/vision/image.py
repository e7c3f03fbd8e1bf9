"""Pictures in, luma out, and the only resize in the house.

Every step here gives the same bytes on x86 and on ARM: OpenCV's INTER_LINEAR and INTER_AREA do not, INTER_LINEAR_EXACT does.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import ImageError
from edge.records import Luma

MAX_BYTES = 64 * 1024 * 1024
# OpenCV reads the limit once, when it is first imported: a picture that claims more pixels is refused before memory is taken.
MAX_PIXELS = int(os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "100000000"))

import cv2  # noqa: E402  (after the limit is set)

# OpenCV's idle workers spin, and take more from the network beside them than they give to pictures this small.
cv2.setNumThreads(1)

Picture = npt.NDArray[np.uint8]
PAD = 114
"""Luma of the letterbox's empty part: a grey that is neither plate nor shadow."""


def to_luma(bgr: Picture, into: Luma | None = None) -> Luma:
    """(H, W, 3) BGR or (H, W) grey uint8 -> (H, W) uint8, ITU-R BT.601 weights like a camera's Y plane; `into` old memory of the same size, if any."""
    if bgr.ndim == 2:
        return bgr
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY, dst=into), dtype=np.uint8)


def decode_image(data: bytes, name: str) -> tuple[Luma, Picture]:
    """Encoded picture -> (luma (H, W), BGR (H, W, 3)), turned upright by its EXIF orientation.

    Raises ImageError naming `name` when the bytes are empty, no picture, cut short, or absurdly large.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty; copy it again")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name}: {len(data) / 1e6:.0f} MB is more than the {MAX_BYTES // 1_000_000} MB allowed; make it smaller")
    if _is_cut_short(data):
        raise ImageError(f"{name}: the picture is cut short; copy it again")
    try:
        bgr = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        too_large = "pixels" in str(error).lower() or "size" in str(error).lower()
        reason = f"more than {MAX_PIXELS / 1e6:g} million pixels; make it smaller" if too_large else "the picture is corrupt; copy it again"
        raise ImageError(f"{name}: {reason}") from None
    if bgr is None or bgr.size == 0:
        raise ImageError(f"{name}: not a picture that can be read (JPEG, PNG, WebP, BMP and TIFF are), or it is corrupt")
    if bgr.shape[0] * bgr.shape[1] > MAX_PIXELS:
        raise ImageError(f"{name}: more than {MAX_PIXELS / 1e6:g} million pixels; make it smaller")
    picture = np.asarray(bgr, dtype=np.uint8)
    return to_luma(picture), picture


def load_image(path: str | Path) -> tuple[Luma, Picture]:
    """The picture at `path` as (luma, BGR); raises ImageError in one sentence that names the file."""
    path = Path(path)
    if path.is_dir():
        raise ImageError(f"{path}: is a folder; name the pictures in it")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"{path}: {path.stat().st_size / 1e6:.0f} MB is more than the {MAX_BYTES // 1_000_000} MB allowed; make it smaller")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    return decode_image(data, str(path))


def _is_cut_short(data: bytes) -> bool:
    """OpenCV fills the missing part of a truncated JPEG or PNG with grey and says nothing: look for the end mark instead."""
    if data[:2] == b"\xff\xd8":
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return b"IEND" not in data[-64:]
    return False


def resize(luma: Luma, width: int, height: int) -> Luma:
    """(H, W) -> (height, width) uint8. Halves by averaging pairs while twice too large (no aliasing), then linear; bit-exact everywhere."""
    while luma.shape[1] >= 2 * width or luma.shape[0] >= 2 * height:
        w = luma.shape[1] // 2 if luma.shape[1] >= 2 * width else luma.shape[1]
        h = luma.shape[0] // 2 if luma.shape[0] >= 2 * height else luma.shape[0]
        # An odd last column or row is left out: exact halving is an average of two, anything else shifts the picture.
        even = luma[: h * (luma.shape[0] // h), : w * (luma.shape[1] // w)] if min(h, w) > 0 else luma
        luma = np.asarray(cv2.resize(even, (w, h), interpolation=cv2.INTER_LINEAR_EXACT), dtype=np.uint8)
    if luma.shape[:2] == (height, width):
        return luma
    return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_LINEAR_EXACT), dtype=np.uint8)


def letterbox(luma: Luma, width: int, height: int) -> tuple[Luma, float]:
    """Scale the whole picture into (height, width), top-left, the rest filled with PAD.

    Returns the picture and the scale: pixels of the letterbox = scale * pixels of `luma`.
    """
    scale = min(width / luma.shape[1], height / luma.shape[0])
    inner_w = max(1, min(width, round(luma.shape[1] * scale)))
    inner_h = max(1, min(height, round(luma.shape[0] * scale)))
    inner = resize(luma, inner_w, inner_h)
    if inner.shape == (height, width):
        return inner, scale
    boxed = np.full((height, width), PAD, dtype=np.uint8)
    boxed[:inner_h, :inner_w] = inner
    return boxed, scale


def surround(luma: Luma) -> tuple[Luma, int, int]:
    """The picture with half its width and height added on each side, its edge pixels repeated; and the left and top that were added."""
    top, left = luma.shape[0] // 2, luma.shape[1] // 2
    return np.asarray(cv2.copyMakeBorder(luma, top, top, left, left, cv2.BORDER_REPLICATE), dtype=np.uint8), left, top


def stretch(luma: Luma) -> Luma:
    """Contrast stretch by the 1st and 99th percentile; a flat picture is left alone. Integer arithmetic, so the same on every CPU."""
    counts = np.bincount(luma.reshape(-1), minlength=256)
    total = np.cumsum(counts)
    edge = max(1, luma.size // 100)
    low, high = int(np.searchsorted(total, edge)), int(np.searchsorted(total, luma.size - edge))
    if high - low < 12:  # less contrast than sensor noise: stretching would only invent texture
        return luma
    table = np.clip((np.arange(256, dtype=np.int32) - low) * 255 // (high - low), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(luma, table), dtype=np.uint8)


def sharpness(luma: Luma) -> float:
    """Mean squared Laplacian of a crop: a figure to compare looks at the same plate by, no absolute unit."""
    if min(luma.shape) < 3:
        return 0.0
    return float(np.square(cv2.Laplacian(luma, cv2.CV_16S).astype(np.float32)).mean())
