"""One target's errand: order, pauses, refusals. Nothing here sleeps."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.errors import StoreError
from edge.publish.backoff import back_off_s
from edge.publish.base import Refused, Stumbled, Unreachable
from edge.publish.courier import Courier
from edge.publish.outbox import Outbox
from edge.publish.pace import Pace
from edge.publish.packer import Packer
from edge.publish.settings import TargetConfig
from edge.publish.tables import Counts
from edge.publish.told import Site, Told
from edge.store import Store
from tests.builders import an_event
from tests.fakes import FakeClock


class FakeTarget:
    """Takes what it is told, or raises what `moods` says, one for each sending."""

    connected: bool | None = None

    def __init__(self, *moods: Exception | None) -> None:
        self.moods, self.chores = list(moods), list[Exception]()
        self.got: list[str] = []
        self.poison: dict[str, Exception] = {}
        """Id -> what is raised for it, always."""
        self.tended = 0

    def send(self, told: Told) -> None:
        mood = self.moods.pop(0) if self.moods else self.poison.get(told.id)
        if mood is not None:
            raise mood
        self.got.append(told.id)

    def tend(self, now: float) -> float:
        self.tended += 1
        if self.chores:
            raise self.chores.pop(0)
        return 5.0

    def close(self) -> None:
        return


class Errand:
    """A courier with a fake target and a fake clock, on a real outbox."""

    def __init__(self, folder: Path, *moods: Exception | None, events: int = 3, **config: Any) -> None:
        self.config = TargetConfig(name="a", kind="webhook", url="http://x", **config)
        self.store = Store(folder / "events.sqlite")
        self.outbox = Outbox(folder / "events.sqlite", [self.config])
        self.store.also, self.store.unsaid = self.outbox.enqueue, self.outbox.withdraw
        for number in range(events):
            self.store.add(an_event(str(number)))
        self.target, self.clock = FakeTarget(*moods), FakeClock()
        self.courier = Courier(self.config, self.target, self.outbox, clock=self.clock, wall=self.clock.wall, jitter=lambda: 0.0)

    @property
    def state(self) -> dict[str, Any]:
        return self.courier.as_json(self.outbox.counts()["a"])

    def run(self, turns: int) -> list[float]:
        """The pauses that were asked for; the clock goes over each."""
        pauses = []
        for _ in range(turns):
            pauses.append(self.courier.turn())
            self.clock.advance(pauses[-1])
        return pauses


def test_pauses_double_up_to_ten_minutes() -> None:
    """min(2 ** attempts, 600), less up to a half by jitter; never more, however long it lasts."""
    assert [back_off_s(attempts, 0.0) for attempts in (1, 2, 3, 9, 10, 10_000)] == [2, 4, 8, 512, 600, 600]
    assert [back_off_s(attempts, 1.0) for attempts in (1, 9, 10)] == [1, 256, 300]
    assert back_off_s(3, 0.5, longest_s=4.0) == 3.0
    assert back_off_s(3, -1.0) == 8.0
    assert back_off_s(3, 9.0) == 4.0


def test_all_is_delivered_in_order_without_a_pause(tmp_path: Path) -> None:
    errand = Errand(tmp_path)
    assert errand.run(4) == [0.0, 0.0, 0.0, 5.0]
    assert errand.target.got == ["0", "1", "2"]
    assert {key: said for key, said in errand.state.items() if key != "took"} == {
        "name": "a", "kind": "webhook", "dialect": "native", "connected": None, "failing": False, "failing_since": "",
        "pending": 0, "refused": 0, "delivered": 3, "dropped": 0,
        "last_error": "", "last_error_at": "", "last_delivered_at": "2026-11-22T21:00:00.000+00:00",
    }  # fmt: skip
    assert sum(errand.state["took"]["counts"]) == 3


def test_what_is_not_taken_now_is_tried_again_first(tmp_path: Path) -> None:
    """Order is kept; the pauses grow, and after a success the next failure is a first one again."""
    gone = Unreachable("the broker cannot be reached")
    errand = Errand(tmp_path, gone, gone, gone, None, gone)
    assert errand.run(8) == [2.0, 4.0, 8.0, 0.0, 2.0, 0.0, 0.0, 5.0]
    assert errand.target.got == ["0", "1", "2"]
    assert (errand.state["failing"], errand.state["last_error"]) == (False, "the broker cannot be reached")


def test_a_new_event_does_not_cut_a_pause_short(tmp_path: Path) -> None:
    """A busy street must not hammer at a server that is down."""
    errand = Errand(tmp_path, Unreachable("down"))
    errand.courier.turn()
    errand.clock.advance(0.5)
    assert errand.courier.turn() == 1.5
    assert errand.target.tended == 1


def test_who_asks_for_more_time_gets_it(tmp_path: Path) -> None:
    """Retry-After, where it is longer than our own pause."""
    errand = Errand(tmp_path, Unreachable("busy", 30.0), Unreachable("busy", 1.0))
    assert errand.run(2) == [30.0, 4.0]


def test_a_wall_clock_that_jumps_changes_no_pause(tmp_path: Path) -> None:
    """Years ahead and years back: pauses are of the monotonic clock."""
    errand = Errand(tmp_path, Unreachable("down"), Unreachable("down"))
    errand.courier.turn()
    errand.clock.wall_start = datetime(2099, 1, 1, tzinfo=UTC)
    assert errand.courier.turn() == 2.0
    errand.clock.advance(2.0)
    errand.clock.wall_start = datetime(1970, 1, 2, tzinfo=UTC)
    assert errand.courier.turn() == 4.0
    errand.clock.advance(4.0)
    assert errand.run(3) == [0.0, 0.0, 0.0]


def test_what_is_refused_is_set_aside_after_its_tries(tmp_path: Path) -> None:
    """With the reason, counted, and the rest goes on."""
    no = Refused("it answers 400 Bad Request")
    errand = Errand(tmp_path, no, no, no, tries=3)
    assert errand.run(6) == [2.0, 4.0, 0.0, 0.0, 0.0, 5.0]
    assert errand.target.got == ["1", "2"]
    assert (errand.state["refused"], errand.state["delivered"]) == (1, 2)
    assert errand.state["last_error"] == "an event was set aside after 3 tries: it answers 400 Bad Request"


FIVE_HUNDRED = Stumbled("it answers 500 Internal Server Error")


def test_an_event_that_makes_the_other_side_stumble_is_set_aside_when_another_passes(tmp_path: Path) -> None:
    """Three tries with their pauses; then the next one passes, and this one is tried a last time beside it."""
    errand = Errand(tmp_path, tries=3)
    errand.target.poison = {"0": FIVE_HUNDRED}
    assert errand.run(5) == [2.0, 4.0, 0.0, 0.0, 5.0]
    assert errand.target.got == ["1", "2"]
    assert (errand.state["refused"], errand.state["pending"], errand.state["failing"]) == (1, 0, False)
    assert errand.state["last_error"] == "an event was set aside after 3 tries: it answers 500 Internal Server Error"
    errand.target.poison = {}
    assert errand.outbox.again("a") == 1
    errand.run(1)
    assert errand.target.got == ["1", "2", "0"]


def test_a_server_that_stumbles_over_everything_costs_no_event(tmp_path: Path) -> None:
    """Its database is down for a day: nothing is set aside, and then all comes, in order."""
    errand = Errand(tmp_path, events=20, tries=3)
    errand.target.poison = {str(number): FIVE_HUNDRED for number in range(20)}
    errand.run(150)
    assert (errand.target.got, errand.state["refused"], errand.state["pending"]) == ([], 0, 20)
    errand.target.poison = {}
    errand.run(30)
    assert errand.target.got == [str(number) for number in range(20)]
    assert errand.state["refused"] == 0


def test_a_server_that_gets_well_between_two_questions_loses_nothing(tmp_path: Path) -> None:
    """The other event passes, and then so does this one: it was not at fault."""
    errand = Errand(tmp_path, FIVE_HUNDRED, FIVE_HUNDRED, FIVE_HUNDRED, None, tries=3)
    errand.run(5)
    assert (errand.target.got, errand.state["refused"]) == (["1", "0", "2"], 0)


def test_several_bad_events_in_a_row_are_told_from_a_bad_server(tmp_path: Path) -> None:
    """Whoever is asked as a witness may have the same fault; then the next one is asked."""
    errand = Errand(tmp_path, events=6, tries=2)
    errand.target.poison = dict.fromkeys("0134", FIVE_HUNDRED)
    errand.run(30)
    assert errand.target.got == ["2", "5"]
    assert (errand.state["refused"], errand.state["pending"]) == (2, 2)  # nobody is left to witness about the others
    for number in (6, 7):
        errand.store.add(an_event(str(number)))
    errand.run(30)
    assert errand.target.got == ["2", "5", "6", "7"]
    assert (errand.state["refused"], errand.state["pending"]) == (4, 0)


def test_a_bad_event_alone_waits_for_a_witness(tmp_path: Path) -> None:
    errand = Errand(tmp_path, events=1, tries=2)
    errand.target.poison = {"0": FIVE_HUNDRED}
    errand.run(10)
    assert (errand.state["refused"], errand.state["pending"], errand.state["failing"]) == (0, 1, True)
    errand.store.add(an_event("1"))
    errand.run(2)
    assert (errand.target.got, errand.state["refused"]) == (["1"], 1)


def test_a_queue_does_not_fall_upon_who_has_just_come_back(tmp_path: Path) -> None:
    """A burst, then by the second; without a bound as fast as they are taken."""
    errand = Errand(tmp_path, events=100, per_second=10)
    began = errand.clock.now
    errand.run(200)
    assert len(errand.target.got) == 100
    assert (Pace(0).wait_s(0.0), Pace(10).wait_s(0.0)) == (0.0, 0.0)
    assert errand.clock.now - began > 8.9
    assert errand.courier.as_json(Counts())["last_error"] == ""


def test_a_picture_of_a_withdrawn_preview_goes(tmp_path: Path) -> None:
    """Also where the dialect has no word for it: then nothing is sent."""
    errand = Errand(tmp_path, events=0, dialect="platerecognizer", picture="file", picture_folder=str(tmp_path / "crops"), stages=("preview", "final"))
    errand.store.add(an_event("1", preview=True))
    errand.run(1)
    assert [path.name for path in (tmp_path / "crops").iterdir()] == ["1-preview.jpg"]
    errand.store.withdraw("1")
    errand.run(2)
    assert list((tmp_path / "crops").iterdir()) == []
    assert (errand.target.got, errand.state["pending"]) == (["1"], 0)


def test_each_event_has_its_own_tries(tmp_path: Path) -> None:
    """Refusals of one do not count for the next, nor do outages count as refusals."""
    no, gone = Refused("no"), Unreachable("down")
    errand = Errand(tmp_path, no, gone, gone, no, None, no, None, tries=3)
    errand.run(10)
    assert (errand.target.got, errand.state["refused"]) == (["0", "1", "2"], 0)


def test_what_the_target_has_is_not_sent_again_when_only_the_note_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk for two tries: the event was sent once, and is written off as soon as that can be done."""
    errand = Errand(tmp_path, events=1)
    delivered, failures = errand.outbox.delivered, [StoreError("the disk is full")] * 2

    def moody(parcel: Any) -> None:
        if failures:
            raise failures.pop()
        delivered(parcel)

    monkeypatch.setattr(errand.outbox, "delivered", moody)
    errand.run(4)
    assert (errand.target.got, errand.state["pending"], errand.state["delivered"], errand.state["failing"]) == (["0"], 0, 1, False)


def test_a_target_that_falls_over_is_tried_again_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A bug of ours ends no thread: what waits goes out once it passes."""
    errand = Errand(tmp_path, ZeroDivisionError("oh"), events=1)
    assert errand.run(2) == [2.0, 0.0]
    assert errand.target.got == ["0"]
    assert "an error of Platewatch itself (ZeroDivisionError)" in errand.state["last_error"]
    assert "Traceback" in caplog.text


def test_a_chore_that_fails_waits_longer_each_time_even_when_nothing_is_to_be_sent(tmp_path: Path) -> None:
    """A broker that is away for hours; once it stays for a while the count begins anew."""
    errand = Errand(tmp_path, events=0)
    errand.target.chores = [Unreachable("down")] * 3
    assert errand.run(4) == [2.0, 4.0, 8.0, 5.0]
    assert (errand.state["failing"], errand.state["failing_since"]) == (False, "")
    errand.target.chores = [Unreachable("down")]
    assert errand.run(2) == [16.0, 5.0]  # it came back for seconds only
    errand.clock.advance(60)
    errand.run(1)
    errand.target.chores = [Unreachable("down")]
    assert errand.run(1) == [2.0]


def test_the_log_has_no_plate_and_does_not_repeat_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same trouble is a warning once; after that it is a detail."""
    caplog.set_level(logging.DEBUG)
    errand = Errand(tmp_path, Unreachable("down"), Unreachable("down"), Refused("no"))
    errand.run(8)
    assert "AB12CDE" not in caplog.text
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == ["target a: down", "target a: no"]
    assert "target a: reached again" in caplog.text


def test_an_idle_courier_looks_about_once_a_minute(tmp_path: Path) -> None:
    """In case a wake was missed; it only reads."""
    errand = Errand(tmp_path, events=0)
    errand.target.tend = lambda now: float("inf")  # type: ignore[method-assign]
    assert errand.run(1) == [60.0]
    assert errand.courier.as_json(Counts())["last_error"] == ""


def test_pictures_go_as_the_target_asks(tmp_path: Path) -> None:
    """Not at all, within the message, or as a file, which a CSV names by its way from its own folder."""
    from edge.publish.base import Parcel

    parcel = Parcel(1, "a", an_event("1").as_json(), b"crop")

    def packed(**changes: Any) -> Told:
        return Packer(TargetConfig(name="a", camera_id=4, **changes)).pack(parcel, Site())

    hook = {"kind": "webhook", "url": "http://x"}
    assert (packed(**hook).picture, packed(**hook).site.camera_id) == (b"", 4)
    assert packed(**hook, picture="base64").picture == b"crop"
    told = packed(**hook, picture="file", picture_folder=str(tmp_path / "crops"))
    assert told.picture_file == str(tmp_path / "crops/1-final.jpg")
    assert (tmp_path / "crops/1-final.jpg").read_bytes() == b"crop"
    csv = {"kind": "csv", "dialect": "fast-plate-ocr", "path": str(tmp_path / "set/annotations.csv")}
    assert packed(**csv, picture="file", picture_folder=str(tmp_path / "crops")).picture_file == "../crops/1-final.jpg"
