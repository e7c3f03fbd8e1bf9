"""The camera: light, exposure, blur, noise, sharpening, JPEG. Pictures are (h, w); float32 0..255 inside, uint8 outside."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from train.data.synth import banks

Luma = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float32]


@lru_cache(maxsize=512)
def _streak(length: int, degrees: int) -> Float:
    """A straight blur kernel, `length` in quarter pixels."""
    reach = length / 8
    side = 2 * int(np.ceil(reach)) + 1
    angle = np.deg2rad(degrees)
    t = np.linspace(-reach, reach, 4 * side)
    kernel = np.zeros((side, side), np.float32)
    xs, ys = t * np.cos(angle) + side // 2, t * np.sin(angle) + side // 2
    for x, y in zip(xs, ys, strict=True):
        a, b = int(np.floor(x)), int(np.floor(y))
        fx, fy = x - a, y - b
        for i, j, weight in ((a, b, (1 - fx) * (1 - fy)), (a + 1, b, fx * (1 - fy)), (a, b + 1, (1 - fx) * fy), (a + 1, b + 1, fx * fy)):
            if 0 <= i < side and 0 <= j < side:
                kernel[j, i] += weight
    return kernel / kernel.sum()


def smear(rng: np.random.Generator, luma: Luma, pixels: float) -> Luma:
    """Motion blur of about `pixels`, mostly level, in any direction."""
    angle = int(rng.normal(0, 14)) if rng.random() < 0.5 else int(rng.integers(0, 180))
    return cv2.filter2D(luma, -1, _streak(max(4, round(pixels * 4)), angle % 180 // 3 * 3), borderType=cv2.BORDER_REPLICATE)


def defocus(rng: np.random.Generator, luma: Luma, sigma: float) -> Luma:
    """Lens blur: Gaussian, or now and then a disc."""
    if sigma > 1.0 and rng.random() < 0.25:
        radius = max(1, round(sigma * 1.6))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
        return cv2.filter2D(luma, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(luma, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def illuminate(rng: np.random.Generator, picture: Float) -> None:
    """Uneven light, in place."""
    picture *= banks.light(rng, picture.shape[:2])


def glare(rng: np.random.Generator, picture: Float) -> None:
    """A bright spot: the sun or a lamp mirrored, in place."""
    high, wide = picture.shape
    spot = np.zeros((16, 32), np.float32)
    cv2.ellipse(
        spot, (int(rng.integers(32)), int(rng.integers(16))), (int(rng.integers(1, 7)), int(rng.integers(1, 5))), float(rng.integers(180)), 0, 360, 1.0, -1
    )
    spot = cv2.GaussianBlur(spot, (0, 0), float(rng.uniform(1, 4)))
    picture += cv2.resize(spot, (wide, high), interpolation=cv2.INTER_LINEAR) * rng.uniform(30, 110)


def band_of_light(rng: np.random.Generator, picture: Float) -> None:
    """A bar of light across the plate: a window, a lamp's tube or the sky mirrored, in place."""
    high, wide = picture.shape
    x, y = np.arange(wide, dtype=np.float32)[None] / wide, np.arange(high, dtype=np.float32)[:, None] / high
    angle, (cx, cy) = rng.uniform(0, np.pi), rng.uniform(0.1, 0.9, 2)
    aside = (np.float32(np.cos(angle)) * (x - np.float32(cx)) + np.float32(np.sin(angle)) * (y - np.float32(cy))) / np.float32(rng.uniform(0.05, 0.3))
    picture += np.float32(rng.uniform(25, 100)) / (1 + aside**4)


def bloom(rng: np.random.Generator, picture: Float) -> None:
    """Over-exposed light spreads into its neighbourhood, in place."""
    high, wide = picture.shape
    small = cv2.resize(picture, (max(2, wide // 4), max(2, high // 4)), interpolation=cv2.INTER_AREA)
    halo = cv2.GaussianBlur(np.maximum(small - 90, 0), (0, 0), float(rng.uniform(1.0, 4)))
    picture += cv2.resize(halo, (wide, high), interpolation=cv2.INTER_LINEAR) * rng.uniform(0.05, 0.32)


def expose(rng: np.random.Generator, luma: Luma) -> tuple[Luma, float]:
    """Gamma, contrast and brightness in one lookup; returns the picture and the luma between ink and paper that is left.

    The contrast is chosen, not left to chance: a plate that nobody can read would teach the reader to guess.
    """
    high, wide = luma.shape
    sample = np.sort(luma[high // 5 : high - high // 5 : 2, wide // 6 : wide - wide // 6 : 3].ravel())
    dark, bright = float(sample[len(sample) // 12]), float(sample[-1 - len(sample) // 12])
    span = float(np.exp(rng.uniform(np.log(26), np.log(235)))) if rng.random() < 0.4 else float(rng.uniform(90, 235))
    kind = rng.random()
    if kind < 0.15:
        base = rng.uniform(0, 40)
    elif kind < 0.3:
        # Over-exposed: the paper runs up to a fifth of the contrast beyond white.
        base = 255 - span * rng.uniform(0.8, 1.0)
    else:
        base = rng.uniform(0, max(1.0, 250 - span))
    scale = span / max(bright - dark, 8.0)
    values = (np.arange(256, dtype=np.float32) - dark) * scale
    gamma = float(np.exp(rng.normal(0, 0.3)))
    shares = values / span
    inside = np.clip(shares, 0, 1) ** gamma
    values = (np.where((shares > 0) & (shares < 1), inside, shares)) * span + base
    return cv2.LUT(luma, np.clip(values, 0, 255).astype(np.uint8)), min(span, 255 - base)


def grain(rng: np.random.Generator, luma: Luma, strength: float) -> Luma:
    """Sensor noise with a standard deviation of `strength`."""
    return cv2.add(luma, banks.noise(rng, luma.shape[:2]) * np.float32(strength), dtype=cv2.CV_8U)


def sharpen(rng: np.random.Generator, luma: Luma) -> Luma:
    """The halo that a camera's own sharpening leaves."""
    amount = float(rng.uniform(0.3, 1.5)) if rng.random() < 0.75 else float(rng.uniform(1.5, 3.5))
    return cv2.addWeighted(luma, 1 + amount, cv2.GaussianBlur(luma, (0, 0), float(rng.uniform(0.6, 1.6))), -amount, 0)


def resample(rng: np.random.Generator, luma: Luma, share: float) -> Luma:
    """Down to `share` of its size and up again, as a far plate enlarged by a camera's zoom or a video's scaler."""
    high, wide = luma.shape
    down = (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST if share > 0.7 else cv2.INTER_AREA)[int(rng.integers(4))]
    up = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)[int(rng.integers(3))]
    small = cv2.resize(luma, (max(8, round(wide * share)), max(6, round(high * share))), interpolation=down)
    return cv2.resize(small, (wide, high), interpolation=up)


def compress(rng: np.random.Generator, luma: Luma, low: int = 28, high: int = 95) -> Luma:
    """Through JPEG and back."""
    _, data = cv2.imencode(".jpg", luma, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(low, high))))
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def streak_rain(rng: np.random.Generator, picture: Float) -> None:
    """Rain before the lens, in place."""
    picture += banks.rain(rng, picture.shape[:2]) * rng.uniform(30, 110)
