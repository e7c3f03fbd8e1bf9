"""Straight again around a plate."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.attention.bending import bends_back
from edge.attention.lens import Lens
from edge.attention.settings import ViewConfig
from edge.pipeline import Pipeline
from edge.records import Box, Frame, Quad
from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from edge.vision.rectify import rectify
from tests.builders import a_detection, a_read
from tests.fakes import FakeDetector, FakeReader

WIDTH, HEIGHT = 640, 360
BARREL = Lens(0.3, 0.0)


def scene() -> np.ndarray:
    """A plate of stripes in the upper left corner."""
    luma = np.full((HEIGHT, WIDTH), 120, np.uint8)
    luma[30:80, 30:230] = 230
    for x in range(40, 220, 20):
        luma[36:74, x : x + 9] = 20
    return luma


def through(lens: Lens, luma: np.ndarray) -> np.ndarray:
    """As that lens would show it."""
    grid = np.stack(np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5), axis=-1)
    source = (lens.straight(grid, WIDTH, HEIGHT) - 0.5).astype(np.float32)
    return np.asarray(cv2.remap(luma, source[..., 0], source[..., 1], cv2.INTER_LINEAR), dtype=np.uint8)


def test_a_bent_plate_is_read_as_a_straight_one() -> None:
    """Closer to the plate itself by two thirds than what the four corners alone make of it."""
    plate = Quad.from_box(Box(30, 30, 230, 80))
    bent = through(BARREL, scene())
    corners = Quad.from_array(BARREL.bent(plate.array().astype(float), WIDTH, HEIGHT))
    wanted = rectify(scene(), plate, 192, 48).astype(float)
    plain = np.abs(rectify(bent, corners, 192, 48) - wanted).mean()
    straightened = np.abs(rectify(*BARREL.straighten(bent, corners), 192, 48) - wanted).mean()
    assert straightened < plain / 3


@given(st.floats(-0.15, 0.5), st.floats(-0.04, 0.04), st.floats(0, WIDTH), st.floats(0, HEIGHT))
def test_bending_undoes_straightening(k1: float, k2: float, x: float, y: float) -> None:
    lens, point = Lens(k1, k2), np.array([x, y])
    assert np.abs(lens.bent(lens.straight(point, WIDTH, HEIGHT), WIDTH, HEIGHT) - point).max() < 0.5


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=4, max_size=4))
def test_no_quad_breaks_it(points: list[tuple[float, float]]) -> None:
    part, quad = BARREL.straighten(scene(), Quad.from_array(points))
    assert part.ndim == 2
    assert np.isfinite(quad.array()).all()


def test_a_lens_that_cannot_be_is_refused() -> None:
    assert bends_back(-0.5, 0.0)
    assert not bends_back(0.5, 0.0)
    assert not bends_back(-0.15, 0.0)
    with pytest.raises(ValueError, match="fold the picture"):
        ViewConfig(lens=(-0.5, 0.0))


def test_the_reader_is_shown_the_straight_part() -> None:
    """And the evidence is the frame as it was."""
    asked: list[Quad] = []

    def read(quad: Quad) -> object:
        asked.append(quad)
        return a_read("AB12CDE")

    pipeline = Pipeline(FakeDetector([[a_detection()]]), FakeReader(read), Tracker(1.0), Judge(TrackingConfig()), lens=BARREL)  # type: ignore[arg-type]
    pipeline.step(Frame(scene(), 0.0))
    assert pipeline.in_view[0][0] == a_detection().quad
    assert asked[0] != a_detection().quad
