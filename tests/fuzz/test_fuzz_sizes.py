"""A camera that comes back with another resolution, or sends one that nobody expects: the whole pipeline goes on, and plates are found again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import Config
from edge.pipeline import Pipeline
from edge.records import Frame
from edge.wiring import make_pipeline
from tests.fuzz.spoiling import cases

DICE = np.random.default_rng(11)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    view = {"exclude": [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.2]]], "include": [[[0.1, 0.1], [1.0, 0.1], [1.0, 1.0], [0.1, 1.0]]]}
    config = Config.model_validate({"view": view})
    return make_pipeline(config, known=lambda text, moment: None, on_unread=lambda one: None)[0]  # type: ignore[arg-type, return-value]


def scene(width: int, height: int) -> np.ndarray:
    """Noise with something like a plate in it, where there is room."""
    picture = cv2.GaussianBlur(DICE.integers(0, 255, (height, width, 3), dtype=np.uint8), (3, 3), 0)
    if width > 200 and height > 100:
        cv2.rectangle(picture, (width // 3, height // 2), (width // 3 + 150, height // 2 + 34), (255, 255, 255), -1)
        cv2.putText(picture, "AB12 CDE", (width // 3 + 6, height // 2 + 27), cv2.FONT_HERSHEY_SIMPLEX, 0.95, (0, 0, 0), 2)
    return picture


SIDES = st.integers(1, 40) | st.sampled_from([64, 240, 320, 639, 1079])


@cases(12)
@given(st.lists(st.tuples(SIDES, SIDES, st.booleans(), st.integers(-100, 5000)), min_size=2, max_size=6))
def test_any_size_after_any_other(pipeline: Pipeline, sizes: list[tuple[int, int, bool, int]]) -> None:
    """Grey or in colour, from one pixel to a large frame, and a clock that goes back; no exception, and events only with quads inside the world of numbers."""
    now = 1000.0
    for index, (width, height, colour, late_ms) in enumerate(sizes):
        picture = scene(width, height)
        luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        for _ in range(2):
            now += late_ms / 1000
            for event in pipeline.step(Frame(luma, now, "gate", picture if colour else luma, index)):
                assert np.isfinite(event.quad.array()).all()
