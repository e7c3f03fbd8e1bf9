"""What a picture's file says of itself: size, orientation, kind, and two fingerprints."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ImageError
from edge.records import Luma
from edge.vision.image import decode_image, load_image, resize

GRID = 16
KINDS = {b"\xff\xd8": "jpg", b"\x89P": "png"}


@dataclass(frozen=True, slots=True)
class Facts:
    """One picture that can be decoded.

    width, height   px, upright
    stored          (width, height) px as stored, before its EXIF orientation is applied
    orientation     EXIF, 1..8, where decoding applied one; else 1
    kind            "jpg" or "png" by its first bytes whatever its name, else ""
    sha256          of the file
    brightness      GRID x GRID bytes in hex: the picture, very small
    hash            GRID * GRID bits in hex: where brightness grows to the right (dHash)
    """

    width: int
    height: int
    stored: tuple[int, int]
    orientation: int
    kind: str
    sha256: str
    brightness: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Facts:
        return cls(**(row | {"stored": (int(row["stored"][0]), int(row["stored"][1]))}))


def probe(path: Path) -> Facts:
    """Raises ImageError when the file is missing, empty, cut short or no picture."""
    luma, _ = load_image(path)
    data = path.read_bytes()
    stored, orientation = _stored(data, (luma.shape[1], luma.shape[0]))
    brightness = _small(luma, GRID + 1)
    bits = np.packbits(brightness[:, 1:] > brightness[:, :-1])
    return Facts(
        luma.shape[1],
        luma.shape[0],
        stored,
        orientation,
        KINDS.get(data[:2], ""),
        hashlib.sha256(data).hexdigest(),
        _small(luma, GRID).tobytes().hex(),
        bits.tobytes().hex(),
    )


def _small(luma: Luma, width: int) -> npt.NDArray[np.uint8]:
    """(GRID, width): means over cells, in whole numbers, so the same on every machine and nearly the same for a copy of another size."""
    high, wide = luma.shape
    if high < 4 * GRID or wide < 4 * width:
        luma = resize(luma, max(wide, 4 * width), max(high, 4 * GRID))
        high, wide = luma.shape
    rows, columns = ((np.arange(cells) * size // cells).astype(np.intp) for cells, size in ((GRID, high), (width, wide)))
    sums = np.add.reduceat(np.add.reduceat(luma, rows, axis=0, dtype=np.int64), columns, axis=1)
    areas = np.diff(rows, append=high)[:, None] * np.diff(columns, append=wide)
    return (sums // areas).astype(np.uint8)


def _stored(data: bytes, upright: tuple[int, int]) -> tuple[tuple[int, int], int]:
    """(size as stored, orientation that decoding applied). Where Pillow cannot say, the picture is taken as upright."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a very large picture, or EXIF with mistakes: neither is in the way here
            with Image.open(io.BytesIO(data)) as picture:
                stored, orientation, kind = picture.size, int(picture.getexif().get(0x0112, 1)), picture.format
    except Exception:  # Pillow raises many kinds for damaged EXIF; the picture itself has been decoded already
        return upright, 1
    if not 2 <= orientation <= 8 or kind == "TIFF":  # OpenCV leaves TIFF as it is
        return upright, 1
    if orientation >= 5 and stored != upright[::-1]:
        return upright, 1
    return stored, orientation


def upright_bytes(path: Path, facts: Facts) -> tuple[bytes, str]:
    """The picture as it is to be stored, and its suffix: as it is where it is an upright JPEG or PNG, else encoded anew. Raises ImageError."""
    data = path.read_bytes()
    if facts.kind and facts.orientation == 1:
        return data, facts.kind
    import cv2

    _, bgr = decode_image(data, str(path))
    kind = "png" if facts.kind == "png" or path.suffix.lower() in (".bmp", ".tif", ".tiff") else "jpg"
    done, coded = cv2.imencode(f".{kind}", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95] if kind == "jpg" else [])
    if not done:
        raise ImageError(f"{path}: cannot be written anew as {kind}")
    return coded.tobytes(), kind
