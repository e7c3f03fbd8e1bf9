"""Pictures in: what is refused, what is resized, and that nothing is guessed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.errors import ImageError
from edge.vision import image


def jpeg(width=64, height=48):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", picture)[1])


def test_a_picture_comes_back_as_luma_and_colour(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    luma, colour = image.load_image(path)
    assert luma.shape == (48, 64)
    assert colour.shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"no picture at all", "not a picture"),
        (jpeg()[:700], "cut short"),
        (bytes(cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1])[:-20], "cut short"),
    ],
)
def test_what_is_no_whole_picture_is_refused_by_name(tmp_path, content, words):
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=words) as refusal:
        image.load_image(path)
    assert str(path) in str(refusal.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        image.load_image(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="folder"):
        image.load_image(tmp_path)


def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    """A PNG of a few bytes may claim gigabytes."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 10))
        + chunk(b"IEND", b"")
    )
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb)
    with pytest.raises(ImageError, match="million pixels"):
        image.load_image(path)


def test_halving_averages_pairs():
    luma = np.array([[0, 100, 50, 50], [100, 200, 50, 50]], np.uint8)
    assert image.resize(luma, 2, 1).tolist() == [[100, 50]]


def test_a_fine_grid_shrinks_to_grey_and_not_to_stripes():
    """Aliasing would leave black and white."""
    grid = np.tile(np.array([0, 255], np.uint8), (480, 320))
    small = image.resize(grid, 80, 60)
    assert 120 <= small.min() <= small.max() <= 135


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (300, 900), (37, 41), (384, 288), (1, 1)])
def test_a_letterbox_keeps_the_proportions_and_says_its_scale(width, height):
    boxed, scale = image.letterbox(np.full((height, width), 200, np.uint8), 384, 288)
    assert boxed.shape == (288, 384)
    rows, columns = np.nonzero(boxed == 200)
    assert abs(columns.max() + 1 - width * scale) <= 1
    assert abs(rows.max() + 1 - height * scale) <= 1


def test_stretching_uses_the_whole_range_and_leaves_a_flat_picture_alone():
    ramp = np.tile(np.arange(60, 160, dtype=np.uint8), (20, 1))
    assert (image.stretch(ramp).min(), image.stretch(ramp).max()) == (0, 255)
    flat = np.full((20, 20), 93, np.uint8)
    assert np.array_equal(image.stretch(flat), flat)


def test_a_blurred_picture_is_less_sharp():
    noise = np.random.default_rng(1).integers(0, 256, (60, 60), dtype=np.uint8)
    assert image.sharpness(cv2.GaussianBlur(noise, (0, 0), 2)) < image.sharpness(noise) / 4
