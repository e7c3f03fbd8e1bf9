"""A frame's way, with fake networks."""

from __future__ import annotations

from itertools import count

import numpy as np

from edge.config import TrackingConfig
from edge.pipeline import CROP_MARGIN, Pipeline, cut_out
from edge.records import Detection, Event, Frame
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_frame, a_read
from tests.fakes import FakeClock, FakeDetector, FakeReader

CONFIG = TrackingConfig(lost_after_s=1.0)


def a_pipeline(script: list[list[Detection]], text: str = "AB12CDE", clock: FakeClock | None = None) -> tuple[Pipeline, FakeReader]:
    ids, clock = count(1), clock or FakeClock()
    reader = FakeReader(lambda quad: a_read(text))
    judge = Judge(CONFIG, wall=clock.wall, new_id=lambda: str(next(ids)))
    return Pipeline(FakeDetector(script), reader, Tracker(CONFIG.lost_after_s), judge, min_plate_px=CONFIG.min_plate_px, clock=clock), reader


def run(pipeline: Pipeline, frames: int) -> list[Event]:
    return [event for step in range(frames) for event in pipeline.step(a_frame(step / 10, step)) if not event.preview]


def test_a_pass_is_one_event_from_frames_to_crop() -> None:
    """Five frames with a plate, then fifteen without."""
    pipeline, reader = a_pipeline([[a_detection()]] * 5)
    (event,) = run(pipeline, 20)
    assert (event.text, event.looks, event.camera, reader.asked) == ("AB12CDE", 5, "camera", 5)
    assert event.crop_jpeg[:2] == b"\xff\xd8"


def test_an_empty_street_costs_no_reading() -> None:
    pipeline, reader = a_pipeline([])
    assert run(pipeline, 5) == []
    assert reader.asked == 0
    assert pipeline.meter.stages_ms()["read"]["median"] == 0.0


def test_what_is_in_view_is_what_the_last_frame_showed() -> None:
    """With its voted text; a plate that has just gone is in view no more."""
    pipeline, _ = a_pipeline([[a_detection()]] * 3)
    run(pipeline, 3)
    (plate,) = pipeline.in_view
    assert plate[:2] == (a_detection().quad, "AB12CDE")
    pipeline.step(a_frame(0.3, 3))
    assert pipeline.in_view == []


def test_a_plate_too_narrow_is_followed_but_not_read() -> None:
    """So that its pass is counted."""
    pipeline, reader = a_pipeline([[a_detection(width=20.0)]] * 5)
    assert run(pipeline, 20) == []
    assert (reader.asked, pipeline.judge.reasons) == (0, {"too small": 1})


def test_time_alone_ends_a_pass() -> None:
    """The camera sends nothing more: the car that was there is reported all the same."""
    pipeline, _ = a_pipeline([[a_detection()]] * 5)
    assert run(pipeline, 5) == []
    assert pipeline.rest(1.0) == []
    assert [event.text for event in pipeline.rest(2.0)] == ["AB12CDE"]


def test_the_end_of_a_recording_ends_every_pass() -> None:
    pipeline, _ = a_pipeline([[a_detection()]] * 5)
    run(pipeline, 5)
    assert [event.text for event in pipeline.finish(0.5)] == ["AB12CDE"]
    assert pipeline.finish(0.6) == []


def test_each_stage_is_timed() -> None:
    """The fake networks take 5 and 3 ms on the fake clock."""
    clock = FakeClock()

    class SlowDetector:
        def detect(self, luma: np.ndarray) -> list[Detection]:
            clock.advance(0.005)
            return [a_detection()]

    def slowly(_: object) -> object:
        clock.advance(0.003)
        return a_read("AB12CDE")

    pipeline = Pipeline(SlowDetector(), FakeReader(slowly), Tracker(1.0), Judge(CONFIG), clock=clock)  # type: ignore[arg-type]
    pipeline.step(a_frame())
    assert {stage: ms["median"] for stage, ms in pipeline.meter.stages_ms().items()} == {"detect": 5.0, "read": 3.0, "track": 0.0, "total": 8.0}


def test_a_blurred_plate_is_not_believed() -> None:
    """The detector points at a smooth slope: read five times, and no event."""
    pipeline, _ = a_pipeline([[a_detection()]] * 5)
    slope = np.tile(np.linspace(0, 255, 640).astype(np.uint8), (360, 1))
    for step in range(20):
        assert pipeline.step(Frame(slope, step / 10)) == []
    assert pipeline.judge.reasons == {"blurred": 1}


def test_a_crop_is_a_copy_with_a_margin_inside_the_picture() -> None:
    """A view would keep the whole frame alive; at the border there is less margin, and outside nothing."""
    picture = np.arange(360 * 640, dtype=np.uint32).astype(np.uint8).reshape(360, 640)
    crop = cut_out(picture, a_detection(x=100, y=100, width=100, height=20), CROP_MARGIN)
    assert crop.shape == (27, 131)
    assert (crop == picture[97:124, 85:216]).all()
    assert not np.shares_memory(crop, picture)
    assert cut_out(picture, a_detection(x=-50, y=-10, width=100, height=20), CROP_MARGIN).shape == (14, 66)
    assert cut_out(picture, a_detection(x=700, y=400), CROP_MARGIN).size == 0
