"""When a pass becomes an event, and which reason stands where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import cv2
import numpy as np
import pytest

from edge.config import TrackingConfig
from edge.records import Event, Sighting
from edge.tracking.judge import REASONS, Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_sighting
from tests.fakes import FakeClock


class Watch:
    """A tracker and a judge, fed at ten frames a second."""

    def __init__(self, **keys: Any) -> None:
        self.config = TrackingConfig(**keys)
        self.clock, ids = FakeClock(0.0), count(1)
        self.tracker = Tracker(self.config.lost_after_s)
        self.judge = Judge(self.config, camera="gate", wall=self.clock.wall, new_id=lambda: str(next(ids)))

    def frame(self, *sightings: dict[str, Any] | str) -> list[Event]:
        """One frame with these sightings; then 0.1 s pass."""
        seen = [self._sighting(one) for one in sightings]
        events = [event for track in self.tracker.update(seen, self.clock.now) if (event := self.judge.judge(track, self.clock.now))]
        self.clock.advance(0.1)
        return events

    def _sighting(self, one: dict[str, Any] | str) -> Sighting:
        return a_sighting(**({"text": one} if isinstance(one, str) else one), at=self.clock.now)

    def frames(self, texts: Sequence[dict[str, Any] | str]) -> list[Event]:
        return [event for one in texts for event in self.frame(one)]

    def away(self, seconds: float) -> list[Event]:
        return [event for _ in range(round(seconds * 10)) for event in self.frame()]


def texts(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events]


def test_a_pass_is_one_event_when_the_car_has_left() -> None:
    """Five looks in half a second, then nothing: one event, with the votes in it."""
    watch = Watch(lost_after_s=1.0)
    assert watch.frames(["AB12CDE"] * 4 + ["AB12CDF"]) == []
    (event,) = watch.away(2.0)
    assert (event.text, event.camera, event.looks, event.agreeing) == ("AB12CDE", "gate", 5, 4)
    assert watch.judge.reasons == {}


def test_a_car_that_waits_is_reported_while_it_waits_and_once() -> None:
    """A gate opens for it: after settle_s, not when it drives away."""
    watch = Watch(settle_s=1.0)
    assert watch.frames(["AB12CDE"] * 10) == []
    assert texts(watch.frames(["AB12CDE"] * 3)) == ["AB12CDE"]
    assert watch.frames(["AB12CDE"] * 100) + watch.away(5) == []


def test_a_text_that_still_changes_has_not_settled() -> None:
    """The clock of settle_s starts again with every new winner."""
    watch = Watch(settle_s=1.0, min_confidence=0)
    assert watch.frames(["AB12CDE"] * 3 + ["AB12CDF"] * 10) == []
    assert texts(watch.frames(["AB12CDF"] * 12)) == ["AB12CDF"]


def test_times_come_from_the_wall_as_it_is_when_the_event_is_made() -> None:
    """Seen for 0.9 s, and lost 1.1 s before it is judged; the monotonic clock alone measures both."""
    watch = Watch(lost_after_s=1.0, settle_s=50)
    watch.frames(["AB12CDE"] * 10)
    (event,) = watch.away(2)
    assert event.duration_s == pytest.approx(0.9)
    assert (event.first_seen, event.last_seen) == ("2026-11-22T21:00:00.000+00:00", "2026-11-22T21:00:00.900+00:00")


def test_a_parked_car_is_silent_until_it_was_away() -> None:
    """Hidden now and then for less than repeat_after_s it stays the same pass, even after hours; away for longer it is a new one."""
    watch = Watch(repeat_after_s=10, lost_after_s=1)
    assert len(watch.frames(["AB12CDE"] * 30)) == 1
    for _ in range(5):
        assert watch.away(8) + watch.frames(["AB12CDE"] * 30) == []
    assert watch.judge.reasons == {"same pass": 5}
    assert texts(watch.away(12) + watch.frames(["AB12CDE"] * 30)) == ["AB12CDE"]


def test_a_plate_that_takes_long_to_read_again_is_the_same_pass() -> None:
    """It came back after 8 s and could be read only 6 s later: away for 8 s, not for 14."""
    watch = Watch(repeat_after_s=10, lost_after_s=1)
    assert len(watch.frames(["AB12CDE"] * 5) + watch.away(8)) == 1
    assert watch.frames([{"text": ""}] * 60 + ["AB12CDE"] * 20) == []
    assert watch.judge.reasons == {"same pass": 1}


def test_another_plate_is_never_held_back() -> None:
    """The next car comes at once, and its plate differs in one character only."""
    watch = Watch(repeat_after_s=100)
    events = watch.frames(["AB12CDE"] * 5) + watch.away(2) + watch.frames(["AB12CDF"] * 5) + watch.away(2)
    assert texts(events) == ["AB12CDE", "AB12CDF"]


def test_two_cars_at_once_are_two_events() -> None:
    watch = Watch()
    for _ in range(5):
        assert watch.frame("AB12CDE", {"text": "XY34ZZZ", "x": 500.0}) == []
    assert sorted(texts(watch.away(2))) == ["AB12CDE", "XY34ZZZ"]


@pytest.mark.parametrize(
    ("looks", "reason"),
    [
        ([{"width": 20.0}] * 5, "too small"),
        ([{"sharpness": 0.001}] * 5, "blurred"),
        ([{"score": 0.2}] * 5, "low detection"),
        ([{"text": ""}] * 5, "nothing legible"),
        ([{}], "too few reads"),
        (["AB12CDE", "AB12CDF", "AB12CDX"], "reads disagree"),
        (["AB12CDE", "AB12CDE", "AB345678"], "low confidence"),
    ],
)
def test_a_pass_without_an_event_has_its_reason(looks: list[dict[str, Any] | str], reason: str) -> None:
    """Counted once for the pass, not once for each frame."""
    watch = Watch(min_reads=2, min_confidence=0.6)
    assert watch.frames(looks) + watch.away(3) == []
    assert watch.judge.reasons == {reason: 1}
    assert reason in REASONS


def test_bad_looks_do_not_vote_and_do_not_harm() -> None:
    """Three good looks among many small ones are enough."""
    watch = Watch()
    events = watch.frames([{"text": "JUNK", "width": 25.0, "height": 20.0}] * 6 + [{"width": 45.0}] * 3) + watch.away(2)  # type: ignore[list-item]
    assert [(event.text, event.looks) for event in events] == [("AB12CDE", 3)]


def test_as_many_reads_must_agree_as_the_config_says() -> None:
    assert texts(Watch(min_reads=1).frames(["AB12CDE"])) == []
    for wanted, seen, events in ((1, 1, 1), (3, 2, 0), (3, 3, 1)):
        watch = Watch(min_reads=wanted)
        assert len(watch.frames(["AB12CDE"] * seen) + watch.away(2)) == events


def test_the_picture_is_that_of_the_best_look_that_read_the_voted_text() -> None:
    """Not that of a surer look which misread."""
    watch = Watch()
    crops = [np.full((30, 120, 3), level, np.uint8) for level in (50, 120, 200)]
    looks = [{"confidence": 0.9}, {"confidence": 0.97}, {"text": "AB12CDF", "confidence": 0.99}]
    watch.frames([look | {"crop": crop} for look, crop in zip(looks, crops, strict=True)])
    (event,) = watch.away(2)
    decoded = cv2.imdecode(np.frombuffer(event.crop_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert abs(int(decoded.mean()) - 120) <= 2


def test_what_was_judged_is_forgotten_in_time() -> None:
    """Months of passes do not fill the memory."""
    watch = Watch(repeat_after_s=5)
    for number in range(30):
        watch.frames([f"AB{number:02}CDE"] * 3)
        watch.away(3)
    held = [len(value) for value in vars(watch.judge).values() if isinstance(value, dict | set) and value is not watch.judge.reasons]
    assert max(held) <= 4
