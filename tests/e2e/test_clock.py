"""A device without a battery clock: its wall time jumps by years, both ways. Nothing is deleted, kept or measured wrongly for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config
from edge.daemon import Daemon
from edge.keeping.belief import Belief
from edge.keeping.housekeeping import Housekeeping
from edge.keeping.settings import StoreConfig
from edge.pipeline import Pipeline
from edge.records import Detection, Event, Frame
from edge.status import utc_iso
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_frame, a_read, an_event
from tests.fakes import FakeCamera, FakeClock, FakeDetector, FakeReader

YEARS = {"eight years forward": timedelta(days=8 * 365.25), "five years back": -timedelta(days=5 * 365.25)}
DAY_S, GO_S = 86400.0, 1800.0


class Clock(FakeClock):
    """One whose wall can be put anywhere."""

    def jump(self, by: timedelta) -> None:
        self.wall_start += by

    def set_to(self, moment: datetime) -> None:
        self.wall_start += moment - self.wall()


def a_house(store: Store, clock: Clock, folder: Path, **changes: Any) -> Housekeeping:
    settings = {"path": str(folder / "events.sqlite"), "keep_at_least_mb_free": 0} | changes
    return Housekeeping(store, StoreConfig.model_validate(settings), clock=clock, wall=clock.wall)


def live(house: Housekeeping, clock: Clock, days: float) -> None:
    """So many days go by, as the monotonic clock counts them."""
    for _ in range(round(days * DAY_S / GO_S)):
        clock.advance(GO_S)
        house.tend()


def keep(store: Store, clock: Clock, *ids: str) -> None:
    for id in ids:
        store.add(an_event(id, last_seen=utc_iso(clock.wall())))


def left(store: Store) -> set[str]:
    return {event.id for event in store.events(1000)}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "events.sqlite") as made:
        yield made


# --- a track, its preview and its event


def passing_car(clock: Clock, jumps: dict[int, timedelta], frames: int = 60) -> Iterator[Frame]:
    """Ten frames a second of both clocks; before some of them the wall jumps."""
    for index in range(frames):
        clock.advance(0.1)
        clock.jump(jumps.get(index, timedelta(0)))
        yield a_frame(clock(), index)


def watch(folder: Path, clock: Clock, jumps: dict[int, timedelta], seen: range, *, settle_s: float = 30.0) -> tuple[list[Event], Any]:
    """What a daemon stored of one car that was in view in some frames."""
    config = Config.model_validate(
        {
            "runtime": {"directory": str(folder)},
            "store": {"path": str(folder / "events.sqlite"), "keep_at_least_mb_free": 0},
            "tracking": {"settle_s": settle_s},
        }
    )
    frames = count()
    script: list[list[Detection]] = [[a_detection()] if next(frames) in seen else [] for _ in range(60)]
    judge = Judge(config.tracking, wall=clock.wall)
    pipeline = Pipeline(FakeDetector(script), FakeReader(lambda quad: a_read("AB12CDE")), Tracker(1.0), judge)
    camera = FakeCamera([passing_car(clock, jumps)])
    with Store(config.store.path) as kept:
        Daemon(config, camera, pipeline, kept, clock=clock, wall=clock.wall).run()
        return kept.events(), pipeline


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
@pytest.mark.parametrize("at", [3, 20, 31], ids=["before the preview", "between preview and event", "when it is lost"])
def test_a_jump_during_a_pass_leaves_one_event_of_the_right_length(tmp_path: Path, by: timedelta, at: int) -> None:
    """Dated by the clock as it is when the event is made; never ending before it began."""
    events, _ = watch(tmp_path, clock := Clock(), {at: by}, range(5, 30))
    (event,) = events
    first, last = (datetime.fromisoformat(moment) for moment in (event.first_seen, event.last_seen))
    assert event.duration_s == pytest.approx(2.4, abs=0.01)
    assert (last - first).total_seconds() == pytest.approx(2.4, abs=0.01)
    assert timedelta(0) <= clock.wall() - last < timedelta(seconds=10)


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_a_plate_that_is_seen_again_after_a_jump_is_still_the_same_pass(tmp_path: Path, by: timedelta) -> None:
    """Repeats are told apart by the monotonic clock: no second event, and no plate that is silent for years."""
    seen = [*range(5, 15), *range(35, 45)]
    events, pipeline = watch(tmp_path, Clock(), {25: by}, seen)  # type: ignore[arg-type]
    assert len(events) == 1
    assert pipeline.judge.reasons["same pass"] == 1


# --- retention


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_a_jump_that_is_mended_within_days_deletes_nothing_early_and_keeps_nothing_long(tmp_path: Path, store: Store, by: timedelta) -> None:
    """Three days of a wrong clock, events and all; ten days later all of that is gone, and what is new is there."""
    clock = Clock()
    house = a_house(store, clock, tmp_path)
    keep(store, clock, "before")
    live(house, clock, 0.5)
    clock.jump(by)
    live(house, clock, 1.5)
    keep(store, clock, "while")
    live(house, clock, 1.5)
    clock.jump(-by)
    live(house, clock, 3.0)  # 6.5 days since the first
    assert left(store) == {"before", "while"}
    live(house, clock, 5.0)
    keep(store, clock, "after")
    live(house, clock, 0.1)
    assert left(store) == {"after"}


def test_a_device_that_wakes_years_ahead_and_stays_so_keeps_everything_for_its_time(tmp_path: Path, store: Store) -> None:
    """However often it is restarted meanwhile: nothing goes before it has been kept for as long as it should be, and then it goes."""
    clock = Clock()
    keep(store, clock, "before")
    clock.jump(YEARS["eight years forward"])
    for run in range(6):  # a restart every day, each with an event dated by the wrong clock
        house = a_house(store, clock, tmp_path)
        house.tend()
        keep(store, clock, f"run {run}")
        live(house, clock, 0.9)
        assert "before" in left(store)
    assert "jumped" in house.words()[2]
    live(house, clock, 1.7)
    assert "before" not in left(store)
    assert "run 5" in left(store)
    assert house.words()[2] == ""


def test_where_the_network_has_set_the_clock_it_is_believed_after_a_day() -> None:
    """A Pi that lay in a drawer for a year does not keep for another week what is a year old."""
    clock = Clock()
    for synchronised, days in ((True, 1.1), (False, 7.1)):
        belief = Belief(clock, clock.wall, clock.wall() - timedelta(days=365), synchronised=lambda known=synchronised: known)  # type: ignore[misc]
        assert not belief.believable(timedelta(days=7))
        clock.advance((days - 0.2) * DAY_S)
        assert not belief.believable(timedelta(days=7))
        clock.advance(0.2 * DAY_S)
        assert belief.believable(timedelta(days=7))


def test_a_boot_in_1970_that_the_network_mends_costs_no_event_and_no_day(tmp_path: Path, store: Store) -> None:
    """What was dated 1970 is kept as long as its neighbours, and no longer; what is due goes as soon as the clock is set."""
    clock = Clock()
    keep(store, clock, "old")
    clock.advance(6 * DAY_S)
    keep(store, clock, "before")
    right = clock.wall() + timedelta(hours=1)
    clock.set_to(datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC))
    house = a_house(store, clock, tmp_path)
    house.tend()
    keep(store, clock, "1970")
    live(house, clock, 0.02)
    assert "never set" in house.words()[2]
    clock.set_to(right)
    live(house, clock, 0.5)
    assert (left(store), house.words()[2]) == ({"old", "before", "1970"}, "")
    live(house, clock, 1.0)
    assert left(store) == {"before", "1970"}
    live(house, clock, 6.5)
    assert left(store) == set()


def test_a_first_boot_in_1970_keeps_its_first_events(tmp_path: Path, store: Store) -> None:
    clock = Clock()
    right = clock.wall()
    clock.set_to(datetime(1970, 1, 1, tzinfo=UTC))
    house = a_house(store, clock, tmp_path)
    house.tend()
    keep(store, clock, "first")
    live(house, clock, 0.1)
    clock.set_to(right)
    keep(store, clock, "second")
    live(house, clock, 6.0)
    assert left(store) == {"first", "second"}
    live(house, clock, 1.2)
    assert left(store) == set()
