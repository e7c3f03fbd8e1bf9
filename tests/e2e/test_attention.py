"""The shipped networks and drawn cars: what is looked at less often is read as well."""

from __future__ import annotations

import numpy as np
import pytest

from edge.attention.attention import Attention
from edge.bench.scenes import drawn_scenes
from edge.camera.overview import overview
from edge.config import Config
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.pipeline import Pipeline
from edge.records import Frame, Luma
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker

CONFIG = Config()
QUIET_S = 3.0
WIDTH, HEIGHT = 1280, 720


class Street:
    """An empty drawn street with sensor noise, through which a drawn car is pushed from left to right."""

    def __init__(self, detector: Detector) -> None:
        scenes = {(scene.facts.plates, scene.luma.shape): scene.luma for scene in drawn_scenes()}
        self._empty, shown = scenes[0, (HEIGHT, WIDTH)], scenes[1, (HEIGHT, WIDTH)]
        box = detector.detect(shown)[0].box
        self._car = shown[max(0, int(box.y0) - 120) : int(box.y1) + 60, max(0, int(box.x0) - 120) : int(box.x1) + 120]
        rng = np.random.default_rng(1)
        self._noise = [rng.normal(0, 2, (HEIGHT, WIDTH)) for _ in range(4)]

    def at(self, step: int, share: float) -> Luma:
        """With the car that far across; outside 0 to 1 there is none."""
        shown = self._empty.astype(np.float32)
        high, wide = self._car.shape
        x = int(-wide + share * (WIDTH + wide))
        left, right = max(0, x), min(WIDTH, x + wide)
        if 0 <= share < 1 and right > left:
            shown[300 : 300 + high, left:right] = self._car[:, left - x : right - x]
        return np.asarray(np.clip(shown + self._noise[step % 4], 0, 255), dtype=np.uint8)


@pytest.mark.parametrize(("fps", "crossing_s"), [(5, 1.5), (10, 0.7), (30, 0.7)])
def test_a_passing_car_is_read_as_well_with_far_fewer_looks(fps: int, crossing_s: float) -> None:
    """The same text; hardly a look at the plate is lost, and of the frames without it most are passed over."""
    detector, reader = Detector.load(views=2), Reader.load(careful=False)
    street, outcomes = Street(detector), []
    for enabled in (True, False):
        attention = Attention(CONFIG.view, CONFIG.motion.model_copy(update={"enabled": enabled}), lost_after_s=1.0, settle_s=5.0)
        pipeline = Pipeline(detector, reader, Tracker(1.0), Judge(CONFIG.tracking), min_plate_px=32, min_score=0.4, attention=attention)
        events, crossing = [], int(crossing_s * fps)
        for step in range(int((QUIET_S + 1.5) * fps) + crossing):
            luma = street.at(step, (step - QUIET_S * fps) / crossing)
            events += pipeline.step(Frame(luma, step / fps, overview=overview(luma)))
        events += pipeline.finish(99.0)
        outcomes.append(([(event.text, event.agreeing) for event in events if not event.preview], attention.looked))
    (((text, agreeing),), looked), (((wanted, most),), everything) = outcomes
    assert text == wanted
    assert agreeing >= most - 2
    assert looked < 0.6 * everything
