"""What goes, when, and what the card has to bear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.keeping.belief import Belief
from edge.keeping.budget import Budget, written_bytes
from edge.keeping.housekeeping import STEP, Housekeeping
from edge.keeping.settings import StoreConfig
from edge.records import Match
from edge.store import Store
from tests.builders import an_event
from tests.fakes import FakeClock

KNOWN = Match("family", "allow", "AB12CDE", "Anna")
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def a_house(store: Store, clock: FakeClock, folder: Path, **changes: Any) -> Housekeeping:
    settings = {"path": str(folder / "events.sqlite"), "keep_at_least_mb_free": 0} | changes
    return Housekeeping(store, StoreConfig.model_validate(settings), clock=clock, wall=clock.wall)


def seen(clock: FakeClock, days_ago: float) -> str:
    return (clock.wall() - timedelta(days=days_ago)).isoformat(timespec="milliseconds")


def test_known_and_unknown_plates_grow_old_by_their_own_settings(tmp_path: Path) -> None:
    clock = FakeClock()
    store = Store(tmp_path / "events.sqlite")
    for days in (40, 20, 8, 0):
        store.add(an_event(f"u{days}", last_seen=seen(clock, days)))
        store.add(an_event(f"k{days}", last_seen=seen(clock, days), match=KNOWN))
    house = a_house(store, clock, tmp_path)
    house.tend()
    assert [event.id for event in store.events()] == ["k0", "u0", "k8", "k20"]
    assert house.forgotten == {"age": 4, "count": 0, "space": 0}


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    clock = FakeClock()
    store = Store(tmp_path / "events.sqlite")
    for number in range(10):
        store.add(an_event(str(number), last_seen=seen(clock, 0)))
    a_house(store, clock, tmp_path, max_events=4).tend()
    assert [event.id for event in store.events()] == ["9", "8", "7", "6"]


def test_much_goes_a_little_at_a_time(tmp_path: Path) -> None:
    """One step a turn, the next one seconds later and not ten minutes."""
    clock = FakeClock()
    store = Store(tmp_path / "events.sqlite")
    with store.batch():
        for number in range(STEP + 50):
            store.add(an_event(str(number), last_seen=seen(clock, 8)))
        store.add(an_event("new", last_seen=seen(clock, 0)))
    house = a_house(store, clock, tmp_path)
    house.tend()
    house.tend()
    assert store.count() == 51
    clock.advance(3)
    house.tend()
    assert store.count() == 1


def test_a_clock_that_jumps_years_forward_wipes_nothing_at_once(tmp_path: Path) -> None:
    """It is believed when it has gone on for as long as an event is kept; and when it jumps back before that, nothing is lost."""
    clock = FakeClock()
    store = Store(tmp_path / "events.sqlite")
    store.add(an_event("1", last_seen=seen(clock, 0)))
    house = a_house(store, clock, tmp_path)
    house.tend()
    clock.wall_start += timedelta(days=3000)
    clock.advance(700)
    house.tend()
    assert store.count() == 1
    assert "jumped 3000 days forward" in house.words()[2]
    clock.wall_start -= timedelta(days=3000)
    for _ in range(200):
        clock.advance(700)
        house.tend()
    assert (store.count(), house.words()[2]) == (1, "")
    clock.wall_start += timedelta(days=3000)
    for _ in range(900):
        clock.advance(700)
        house.tend()
    assert store.count() == 0


def test_a_clock_that_is_wrong_from_the_start_is_not_believed_either() -> None:
    """The newest event of the last run is what it is measured by; a night without power is no jump."""
    clock = FakeClock()
    assert Belief(clock, clock.wall, clock.wall() - timedelta(hours=10)).believable()
    assert not Belief(clock, clock.wall, clock.wall() - timedelta(days=900)).believable()
    assert not Belief(clock, clock.wall, clock.wall() + timedelta(hours=2)).believable()


def test_a_clock_that_jumps_back_does_not_stall_the_retention(tmp_path: Path) -> None:
    """An hour later it is believed, and what is old by it goes."""
    clock = FakeClock()
    store = Store(tmp_path / "events.sqlite")
    store.add(an_event("old", last_seen=seen(clock, 6.9)))
    store.add(an_event("new", last_seen=seen(clock, 0)))
    house = a_house(store, clock, tmp_path)
    house.tend()
    clock.wall_start -= timedelta(hours=3)
    for _ in range(60):
        clock.advance(700)
        house.tend()
    assert [event.id for event in store.events()] == ["new"]


def test_nothing_is_written_while_nothing_happens(tmp_path: Path) -> None:
    """A tidying that finds nothing to tidy leaves the files as they are, log included."""
    clock = FakeClock()
    store = Store(tmp_path / "events.sqlite")
    store.add(an_event("1", last_seen=seen(clock, 0)))
    house = a_house(store, clock, tmp_path)
    files = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in tmp_path.glob("events.sqlite*") if not path.name.endswith("-shm")}
    for _ in range(10):
        clock.advance(700)
        house.tend()
    assert {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files} == files


def test_bytes_are_counted_by_the_day() -> None:
    days, written = iter([NOW, NOW, NOW + timedelta(days=1), NOW + timedelta(days=1)]), iter([100, 350, 400, 450])
    budget = Budget(lambda: next(days), lambda: next(written))
    assert [budget.as_json() for _ in range(3)] == [
        {"today": 250, "yesterday": None},
        {"today": 0, "yesterday": 300},
        {"today": 50, "yesterday": 300},
    ]


def test_a_kernel_that_does_not_count_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "io").write_text("rchar: 1\nwrite_bytes: 5000\ncancelled_write_bytes: 1000\n")
    assert (written_bytes(tmp_path / "io"), written_bytes(tmp_path / "none")) == (4000, None)
