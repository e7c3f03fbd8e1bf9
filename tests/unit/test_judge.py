"""When a pass becomes an event, and which reason stands where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

import cv2
import numpy as np
import pytest

from edge.config import TrackingConfig
from edge.records import Event, Match, Pass, Sighting
from edge.tracking.judge import Judge
from edge.tracking.reasons import REASONS, Unread
from edge.tracking.tracker import Tracker
from tests.builders import a_sighting
from tests.evidence import read_of, wavering
from tests.fakes import FakeClock


class Watch:
    """A tracker and a judge, fed at ten frames a second. Frames give final events; `previews` holds the others, with the frame of each."""

    def __init__(self, *, judge: dict[str, Any] | None = None, **keys: Any) -> None:
        self.config = TrackingConfig(**keys)
        self.clock, ids = FakeClock(0.0), count(1)
        self.tracker = Tracker(self.config.lost_after_s)
        self.unread: list[Unread] = []
        self.judge = Judge(self.config, camera="gate", wall=self.clock.wall, new_id=lambda: str(next(ids)), on_unread=self.unread.append, **(judge or {}))
        self.previews: list[tuple[int, Event]] = []
        self.passes: list[Pass] = []
        self.at = 0

    def frame(self, *sightings: dict[str, Any] | str) -> list[Event]:
        """One frame with these sightings; then 0.1 s pass."""
        seen = [self._sighting(one) for one in sightings]
        tracks = self.tracker.update(seen, self.clock.now)
        events = [event for track in tracks if (event := self.judge.judge(track, self.clock.now))]
        self.passes = [one for track in tracks if not track.lost and (one := self.judge.pass_of(track))]
        self.previews += [(self.at, event) for event in events if event.preview]
        self.at += 1
        self.clock.advance(0.1)
        return [event for event in events if not event.preview]

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
    watch = Watch(repeat_after_s=10, lost_after_s=1, settle_s=1)
    assert len(watch.frames(["AB12CDE"] * 30)) == 1
    for _ in range(5):
        assert watch.away(8) + watch.frames(["AB12CDE"] * 30) == []
    assert watch.judge.reasons == {"same pass": 5}
    assert texts(watch.away(12) + watch.frames(["AB12CDE"] * 30)) == ["AB12CDE"]


def test_a_plate_that_takes_long_to_read_again_is_the_same_pass() -> None:
    """It came back after 8 s and could be read only 6 s later: away for 8 s, not for 14."""
    watch = Watch(repeat_after_s=10, lost_after_s=1, settle_s=1)
    assert len(watch.frames(["AB12CDE"] * 5) + watch.away(8)) == 1
    assert watch.frames([{"text": ""}] * 60 + ["AB12CDE"] * 20) == []
    assert watch.judge.reasons == {"same pass": 1}


def test_a_pass_that_goes_on_goes_on_though_its_beginning_is_forgotten() -> None:
    """It was away for 8 of 10 seconds, and is then in view for so long that other tracks come and go and the memory is tidied: still no second event."""
    watch = Watch(repeat_after_s=10, lost_after_s=1, settle_s=8)
    assert len(watch.frames(["AB12CDE"] * 5) + watch.away(8)) == 1
    for step in range(70):
        assert watch.frame("AB12CDE", *([{"text": "", "x": 600.0}] if step % 20 == 0 else [])) == []
    assert watch.away(3) == []
    assert watch.judge.reasons["same pass"] == 1


def test_a_flicker_of_the_detector_is_counted_but_not_pictured() -> None:
    """One look that the detector hardly believed; three of them are worth a picture."""
    watch = Watch()
    watch.frames([{"score": 0.2}])
    watch.away(2)
    assert (watch.judge.reasons, watch.unread) == ({"low detection": 1}, [])
    watch.frames([{"score": 0.2}] * 3)
    watch.away(2)
    assert [unread.reason for unread in watch.unread] == ["low detection"]


@pytest.mark.parametrize(
    ("text", "score", "country", "comes"),
    [
        ("5550142", 0.6, "auto", False),
        ("5550142", 0.6, None, False),
        ("5550142", 0.75, "auto", True),
        ("5550142", 0.6, "il", True),
        ("5550142", 0.6, "gb", False),
        ("GOLDEN", 0.6, "auto", False),
        ("GOLDEN", 0.75, "auto", True),
        ("A550142", 0.6, "auto", True),
        ("A550142", 0.5, "auto", False),
    ],
)
def test_digits_or_letters_alone_are_a_plate_where_found_surely_or_where_a_country_has_such(text: str, score: float, country: str | None, comes: bool) -> None:
    """Words and telephone numbers on vans and walls are read as well as plates, and found less surely."""
    watch = Watch(judge={"country": country})
    events = watch.frames([{"text": text, "score": score, "confidence": 0.995}] * 8) + watch.away(8)
    assert (len(events), "low detection" in watch.judge.reasons) == ((1, False) if comes else (0, True))


@pytest.mark.parametrize(("text", "reasons"), [("SHADES", {"low confidence": 1}), ("5550142", {}), ("AB12CDE", {})])
def test_letters_alone_are_a_plate_only_where_they_were_read_surely(text: str, reasons: dict[str, int]) -> None:
    watch = Watch(judge={"country": "auto"})
    events = watch.frames([{"text": text, "score": 0.8, "confidence": 0.95}] * 8) + watch.away(8)
    assert (texts(events), watch.judge.reasons) == ([] if reasons else [text], reasons)


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


def test_a_preview_comes_with_the_read_that_agrees_and_the_event_keeps_its_id() -> None:
    """The third agreeing look is that of frame 3 (one misread between): the preview comes in that very frame, the event when the car has gone."""
    watch = Watch(preview_reads=3, min_reads=2)
    assert watch.frames(["AB12CDE", "AB12CDX", "AB12CDE", "AB12CDE", "AB12CDE"]) == []
    ((frame, preview),) = watch.previews
    (event,) = watch.away(2)
    assert (frame, preview.text, preview.agreeing, preview.id) == (3, "AB12CDE", 3, event.id)
    assert (event.preview, event.looks, event.agreeing) == (False, 5, 4)


def test_without_previews_there_is_one_event_alone() -> None:
    watch = Watch(preview_reads=0)
    assert len(watch.frames(["AB12CDE"] * 10) + watch.away(2)) == 1
    assert watch.previews == []


def test_a_preview_is_always_followed_by_its_event() -> None:
    """Even where the looks that came later destroyed the vote: then with what was believed last."""
    watch = Watch(preview_reads=2, min_reads=2, min_confidence=0.6)
    events = watch.frames(["AB12CDE"] * 2 + ["QQ99QQQ", "XX88XXX", "ZZ77ZZZ", "WW66WWW"]) + watch.away(2)
    assert [event.id for event in events] == [preview.id for _, preview in watch.previews]
    assert watch.judge.reasons == {}


def test_a_car_that_waits_has_its_preview_once_and_its_event_when_it_settles() -> None:
    watch = Watch(settle_s=3)
    events = watch.frames(["AB12CDE"] * 100) + watch.away(2)
    assert (len(watch.previews), texts(events)) == (1, ["AB12CDE"])


@pytest.mark.parametrize("other", ["AB12CD0", "AB12CDQ", "A812CDO"])
def test_a_parked_car_whose_text_flickers_by_a_lookalike_is_silent(other: str) -> None:
    """Its track breaks, and the new one reads an O as 0: same place, same car."""
    watch = Watch(settle_s=1, repeat_after_s=60)
    assert texts(watch.frames(["AB12CDO"] * 20)) == ["AB12CDO"]
    assert watch.away(3) + watch.frames([other] * 20) + watch.away(3) == []
    assert (watch.judge.reasons, len(watch.previews)) == ({"same pass": 1}, 1)


@pytest.mark.parametrize("other", [{"text": "AB12CD0", "x": 400.0}, {"text": "A812CD0"}, {"text": "XY34ZZZ"}])
def test_a_second_car_is_never_hidden(other: dict[str, Any]) -> None:
    """A plate one look-alike away somewhere else, one two look-alikes away in the same place, and any other plate."""
    watch = Watch(settle_s=1, repeat_after_s=60)
    assert texts(watch.frames(["AB12CDO"] * 20) + watch.away(3) + watch.frames([other] * 20) + watch.away(3)) == ["AB12CDO", other["text"]]


def test_two_cars_in_view_with_plates_one_lookalike_apart_are_two_events() -> None:
    watch = Watch(settle_s=1)
    events = [event for _ in range(20) for event in watch.frame("AB12CDO", {"text": "AB12CD0", "x": 400.0})]
    assert sorted(texts(events)) == ["AB12CD0", "AB12CDO"]


def test_the_country_decides_on_the_evidence_of_all_looks() -> None:
    """Three looks waver between 0 and O at the second place, where a British plate has a letter; the vote alone says 0."""
    look = {"read": read_of(wavering("V056VUF", {1: {"O": 0.4}}))}
    watch = Watch(judge={"country": "gb"})
    (event,) = watch.frames([look] * 3) + watch.away(2)  # type: ignore[list-item]
    assert (event.text, event.raw_text, event.country, event.agreeing) == ("VO56VUF", "V056VUF", "gb", 3)
    assert event.rule is not None
    assert event.rule.format
    alone = Watch(judge={"country": "none"})
    (event,) = alone.frames([look] * 3) + alone.away(2)  # type: ignore[list-item]
    assert (event.text, event.raw_text, event.country, event.rule) == ("V056VUF", "V056VUF", None, None)


def test_strict_reports_no_plate_of_another_country() -> None:
    """Surely read, but no German plate; a German one is reported."""
    watch = Watch(judge={"country": "de", "strict": True})
    assert watch.frames(["1234567"] * 5) + watch.away(2) == []
    assert watch.judge.reasons == {"does not fit the country": 1}
    assert texts(watch.frames(["BAB1234"] * 5) + watch.away(2)) == ["BAB1234"]


def an_ignored(text: str, at: datetime) -> Match | None:
    return Match("private", "ignore", "AB12CDE") if text in ("AB12CDE", "AB12CDF") else None


def test_an_ignored_plate_leaves_no_trace() -> None:
    """No event, no preview, no picture, no text in view; counted as ignored. The same for a look too few to be believed."""
    watch = Watch(judge={"known": an_ignored})
    track = watch.tracker
    assert watch.frames([{"crop": np.zeros((30, 120, 3), np.uint8)}] * 20) == []  # type: ignore[list-item]
    assert [watch.judge.vote_of(one).text for one in track.update([], watch.clock.now)] == [""]
    assert watch.away(2) + watch.frames([{"crop": np.zeros((30, 120, 3), np.uint8)}]) + watch.away(2) == []
    assert watch.judge.reasons == {"ignored": 1, "too few reads": 1}
    assert (watch.previews, [(one.crop, one.facts["text"]) for one in watch.unread]) == ([], [(None, "")])


def test_a_preview_that_turns_out_to_be_of_an_ignored_plate_is_withdrawn() -> None:
    watch = Watch(preview_reads=2, judge={"known": an_ignored})
    assert watch.frames(["XB12CDE"] * 2 + ["AB12CDE"] * 10) + watch.away(2) == []
    assert watch.judge.withdrawn == [watch.previews[0][1].id]


def test_the_event_names_who_it_is() -> None:
    """The list's match travels with it, in JSON too."""
    friend = Match("family", "allow", "AB12CDE", "Anna", "family", 0.2)
    watch = Watch(judge={"known": lambda text, at: friend})
    (event,) = watch.frames(["AB12CDE"] * 3) + watch.away(2)
    assert (event.match, event.as_json()["match"]["label"]) == (friend, "Anna")


def test_an_event_says_which_way_and_how_long_it_stood() -> None:
    """It comes nearer for a second and stands for two."""
    watch = Watch()
    nearer = [{"width": 60.0 * 1.08**step, "height": 15.0 * 1.08**step} for step in range(10)]
    (event,) = watch.frames(nearer + [nearer[-1]] * 20) + watch.away(2)  # type: ignore[operator]
    assert event.direction == "approaching"
    assert event.dwell_s == pytest.approx(2.0, abs=0.25)


def test_a_believed_plate_in_view_is_a_pass_for_the_gate() -> None:
    """With the id that its event will have; nothing before it is believed."""
    watch = Watch(min_reads=2)
    watch.frame("AB12CDE")
    assert watch.passes == []
    watch.frames(["AB12CDE"] * 3)
    (one,) = watch.passes
    (event,) = watch.away(2)
    assert (one.id, one.text, one.agreeing, one.in_view_s) == (event.id, "AB12CDE", 4, pytest.approx(0.3))


def test_glare_is_told_where_nothing_could_be_read() -> None:
    watch = Watch()
    watch.frames([{"text": "", "glare": 0.6}] * 5 + ["AB12CDE"])  # type: ignore[list-item]
    watch.away(2)
    assert watch.judge.reasons == {"glare": 1}


def test_an_unread_pass_leaves_its_facts_and_its_best_picture() -> None:
    """Width, sharpness, score and frames, as measured."""
    watch = Watch()
    crops = [np.full((10, 20), level, np.uint8) for level in (10, 20)]
    watch.frames([{"width": 20.0, "score": 0.5, "crop": crops[0]}, {"width": 24.0, "score": 0.8, "crop": crops[1]}])
    watch.away(2)
    (unread,) = watch.unread
    assert (unread.reason, unread.facts["width_px"], unread.facts["score"], unread.facts["frames"]) == ("too small", 22.0, 0.8, 2)
    assert unread.crop is crops[1]


def test_a_misread_by_a_lookalike_does_not_break_the_pass() -> None:
    """Within one track the votes decide; one event, whatever flickers."""
    watch = Watch(settle_s=50)
    (event,) = watch.frames(["AB12CDO", "AB12CD0"] * 3 + ["AB12CDO"]) + watch.away(2)
    assert event.text == "AB12CDO"


def test_what_was_judged_is_forgotten_in_time() -> None:
    """Months of passes do not fill the memory."""
    watch = Watch(repeat_after_s=5)
    for number in range(30):
        watch.frames([f"AB{number:02}CDE"] * 3)
        watch.away(3)
    held = [len(value) for value in (watch.judge._states, watch.judge._passes)]
    assert max(held) <= 4
