"""Where a frame is looked at again, closer."""

import numpy as np
import pytest

from edge.model.detector import Detector
from edge.records import Box, Detection, Quad
from edge.vision import closer
from edge.vision.geometry import iou

SIZE = (384, 288)


def plate(x: float, y: float, width: float, score: float = 0.8, aspect: float = 4.0) -> Detection:
    box = Box(x, y, x + width, y + width / aspect)
    return Detection(Quad.from_box(box), box, score)


def test_a_plate_seen_well_costs_no_second_look():
    near = plate(600, 400, 240)
    plan = closer.plan([near], 0.3, SIZE, (1280, 960), 6)
    assert (plan.settled, plan.views) == ([near], [])


def test_a_far_plate_is_brought_to_the_wanted_width():
    far = plate(600, 400, 60)
    plan = closer.plan([far], 0.3, SIZE, (1280, 960), 6)
    assert plan.settled == []
    (view,) = plan.views
    assert view.shows(far.box)
    assert 60 * SIZE[0] / (view.x1 - view.x0) == pytest.approx(closer.WANTED, rel=0.02)


def test_a_picture_without_more_pixels_than_the_network_sees_is_not_looked_at_endlessly():
    """A small picture is enlarged by MOST_ZOOM at most, and not at all where that gives hardly more."""
    tiny = plate(100, 100, 20)
    assert closer.plan([tiny], 1.9, SIZE, (200, 150), 6).views == []
    (view,) = closer.plan([tiny], 1.0, SIZE, (384, 288), 6).views
    assert (view.x1 - view.x0, view.y1 - view.y0) == (192, 144)


def test_neighbours_share_a_view_and_the_budget_holds():
    row = [plate(100 + 70 * i, 400, 50) for i in range(4)]
    spread = [plate(900, 100 + 250 * i, 50) for i in range(3)]
    assert len(closer.plan(row[:2], 0.3, SIZE, (1280, 960), 6).views) == 1
    plan = closer.plan(row + spread, 0.3, SIZE, (1280, 960), 2)
    assert len(plan.views) == 2
    assert spread[-1] in plan.settled


def test_the_faint_and_small_is_left_alone():
    plan = closer.plan([plate(600, 400, 60, score=closer.FAINT / 2)], 0.3, SIZE, (1280, 960), 6)
    assert plan.views == []


@pytest.mark.parametrize("corner", [(0, 0), (1230, 0), (0, 930), (1230, 930)])
def test_a_view_lies_within_the_frame(corner):
    (view,) = closer.plan([plate(*corner, 45)], 0.3, SIZE, (1280, 960), 6).views
    assert 0 <= view.x0 < view.x1 <= 1280
    assert 0 <= view.y0 < view.y1 <= 960


def test_what_a_view_cuts_is_left_out_unless_the_frame_ends_there_too():
    view = closer.View(0, 200, 300, 425)
    left, top = plate(0, 100, 50), plate(100, 0, 50)
    (kept,) = closer.carry([left, top], view, (1280, 960))
    assert (kept.box.x0, kept.box.y0) == (0, 300)
    assert kept.quad.box == kept.box


class Net:
    """Sees one plate, where the frame is bright; faintly when it is small."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, luma: np.ndarray, threshold: float) -> tuple[list[Detection], float]:
        self.runs += 1
        scale = min(SIZE[0] / luma.shape[1], SIZE[1] / luma.shape[0])
        rows, columns = np.nonzero(luma > 200)
        if len(rows) == 0:
            return [], scale
        box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        score = 0.9 if box.width * scale > 40 else 0.2
        return ([Detection(Quad.from_box(box), box, score)] if score >= threshold else []), scale


@pytest.mark.parametrize(("views", "found", "runs"), [(0, 0, 1), (4, 1, 2)])
def test_a_far_plate_is_found_by_the_closer_look_alone(monkeypatch, views, found, runs):
    detector, net = Detector.load(threshold=0.5, views=views), Net()
    monkeypatch.setattr(Detector, "_look", lambda self, luma, threshold: net(luma, threshold))
    frame = np.zeros((960, 1280), np.uint8)
    frame[500:515, 700:760] = 255
    seen = detector.detect(frame)
    assert (len(seen), net.runs) == (found, runs)
    if found:
        assert iou(seen[0].box, Box(700, 500, 760, 515)) > 0.9
        assert seen[0].score == 0.9


def test_merging_keeps_the_surest_of_one_plate():
    kept = closer.merge([plate(10, 10, 60, 0.5), plate(12, 10, 60, 0.9), plate(300, 10, 60, 0.4)])
    assert [one.score for one in kept] == [0.9, 0.4]


def test_half_a_plate_that_was_seen_well_is_no_second_plate():
    near, half, beside = plate(100, 100, 200, 0.5), plate(110, 105, 90, 0.9), plate(400, 100, 60, 0.9)
    assert closer.outside([half, beside], [near]) == [beside]


def test_a_large_faint_nothing_does_not_hide_the_plate_within_it():
    sure = plate(110, 105, 90, 0.9)
    assert closer.outside([sure], [plate(100, 100, 200, 0.2), plate(0, 0, 600, 0.8)]) == [sure]
