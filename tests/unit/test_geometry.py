"""Overlaps and suppression."""

from __future__ import annotations

import numpy as np

from edge.records import Box
from edge.vision.geometry import iou, iou_matrix, suppress


def test_half_a_box_overlaps_by_a_third():
    assert iou(Box(0, 0, 2, 2), Box(1, 0, 3, 2)) == 1 / 3
    assert iou(Box(0, 0, 1, 1), Box(1, 0, 2, 1)) == 0


def test_the_matrix_says_what_the_pairs_say():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (6, 2))
    boxes = [Box(x, y, x + 20, y + 9) for x, y in corners]
    rows = np.array([[b.x0, b.y0, b.x1, b.y1] for b in boxes])
    assert np.allclose(iou_matrix(rows, rows), [[iou(a, b) for b in boxes] for a in boxes], atol=1e-5)


def test_of_two_boxes_on_one_plate_the_surer_stays_and_a_neighbour_too():
    boxes = np.array([[0, 0, 40, 10], [2, 0, 42, 10], [60, 0, 100, 10]], np.float32)
    assert suppress(boxes, np.array([0.6, 0.9, 0.7], np.float32), 0.45) == [1, 2]


def test_a_box_inside_a_better_one_goes():
    boxes = np.array([[0, 0, 100, 30], [20, 5, 60, 20]], np.float32)
    assert suppress(boxes, np.array([0.9, 0.8], np.float32), 0.45) == [0]
