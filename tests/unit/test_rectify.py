"""From a quad to an upright plate."""

from __future__ import annotations

import cv2
import numpy as np

from edge.records import Box, Quad
from edge.vision.rectify import rectify


def chart(width=128, height=48):
    """Four grey fields."""
    picture = np.zeros((height, width), np.uint8)
    picture[: height // 2, : width // 2], picture[: height // 2, width // 2 :] = 40, 100
    picture[height // 2 :, : width // 2], picture[height // 2 :, width // 2 :] = 160, 220
    return picture


def test_an_upright_box_of_the_same_size_is_left_as_it_is():
    assert np.array_equal(rectify(chart(), Quad.from_box(Box(0, 0, 128, 48)), 128, 48, margin=0.0), chart())


def test_a_plate_seen_from_the_side_comes_out_upright():
    quad = np.array([[60, 50], [190, 80], [180, 150], [65, 100]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array([[0, 0], [128, 0], [128, 48], [0, 48]], np.float32) - 0.5, quad - 0.5)
    scene = cv2.warpPerspective(chart(), matrix, (260, 200), borderValue=0)
    upright = rectify(scene, Quad.from_array(quad), 128, 48, margin=0.0)
    for row, column in ((10, 25), (10, 100), (38, 25), (38, 100)):
        assert abs(int(upright[row, column]) - int(chart()[row, column])) <= 3


def test_a_large_plate_is_averaged_down_and_not_sampled():
    """Fine stripes must come out grey."""
    stripes = np.tile(np.array([0, 255], np.uint8), (480, 640))
    small = rectify(stripes, Quad.from_box(Box(0, 0, 1280, 480)), 128, 48, margin=0.0)
    assert np.abs(small[4:-4, 4:-4].astype(int) - 128).max() <= 12


def test_the_margin_keeps_what_is_around_the_plate():
    scene = np.full((100, 200), 30, np.uint8)
    scene[40:60, 60:140] = 200
    tight, loose = (rectify(scene, Quad.from_box(Box(60, 40, 140, 60)), 128, 48, margin=margin) for margin in (0.0, 0.2))
    assert tight.min() > 120
    assert loose[0, 0] == 30
    assert loose[24, 64] == 200


def test_a_quad_beyond_the_picture_is_filled_with_its_edge():
    assert rectify(np.full((50, 50), 77, np.uint8), Quad.from_box(Box(-30, -10, 90, 40)), 128, 48).tolist() == np.full((48, 128), 77).tolist()
