"""What else goes by dates, on a device whose wall clock jumps: the gate's audit, the gallery, lists, the live picture, who looked, what was written."""

from __future__ import annotations

import inspect
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.gallery import Gallery
from edge.gate.audit import Audit, Row
from edge.gate.gate import Gate
from edge.keeping import aside
from edge.keeping.accesses import AGAIN_S, Looks, collect
from edge.keeping.budget import Budget
from edge.keeping.dates import redated
from edge.lists.book import Book
from edge.lists.entry import Entry, PlateList
from edge.lists.schedule import Schedule, parse_span
from edge.publish.base import Unreachable
from edge.showing import LivePicture
from edge.status import LIVE_NAME, WATCHED_NAME, utc_iso
from edge.store import Store
from edge.tracking.reasons import Unread
from edge.tracking.settings import UnreadConfig
from edge.web.door import Door
from tests.e2e.test_clock import DAY_S, YEARS, Clock
from tests.e2e.test_clock import store as store
from tests.gates import a_gate_config
from tests.unit.test_publish_courier import Errand

BERLIN = ZoneInfo("Europe/Berlin")


def test_dates_that_cannot_be_follow_the_order_of_writing() -> None:
    now = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
    day = [utc_iso(now - timedelta(days=days)) for days in range(10)]
    rows = [
        (1, utc_iso(datetime(1970, 1, 1, tzinfo=UTC))),
        (2, day[9]),
        (3, "2034-01-01T00:00:00.000+00:00"),
        (4, day[8]),
        (5, "1970-01-02T00:00:00.000+00:00"),
    ]
    rows += [(6, day[5]), (7, day[7]), (8, day[4]), (9, "2034-01-01T00:00:00.000+00:00")]
    assert redated(rows, now) == {1: day[9], 3: day[8], 5: day[8], 7: day[5], 9: day[0]}
    assert redated([(1, day[3]), (2, day[2]), (3, utc_iso(now + timedelta(hours=20)))], now) == {}


def test_a_damaged_store_from_the_future_grows_old_too(tmp_path: Path) -> None:
    path, now = tmp_path / "events.sqlite", datetime(2026, 11, 22, tzinfo=UTC)
    set_aside = tmp_path / "events.sqlite.corrupt-20341122T000000Z"
    set_aside.write_bytes(b"plates")
    ahead = (now + YEARS["eight years forward"]).timestamp()
    os.utime(set_aside, (ahead, ahead))
    assert aside.grow_old(path, now - timedelta(days=7), now) == 0
    later = now + timedelta(days=8)
    assert aside.grow_old(path, later - timedelta(days=7), later) == 1


def an_audit_row(clock: Clock, event: str) -> Row:
    return Row(utc_iso(clock.wall()), "camera", event, "", "", "", None, "approaching", 3, 0.9, False, True, "unknown plate", "")


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_the_gates_audit_outlives_a_jump(tmp_path: Path, by: timedelta) -> None:
    """It is purged by a clock that is believed; of a wrong one's rows none goes before its neighbours, and none stays for years."""
    clock, trusted = Clock(), True
    audit = Audit(tmp_path / "gate.sqlite")
    gate = Gate(a_gate_config(audit=str(tmp_path / "gate.sqlite"), audit_days=7), audit, None, wall=clock.wall)
    gate.believes = lambda: trusted

    def events() -> list[str]:
        gate.consider([], clock())
        return [row.event for row in audit.rows()]

    audit.add(an_audit_row(clock, "before"))
    clock.jump(by)
    trusted = False
    clock.advance(2 * DAY_S)
    audit.add(an_audit_row(clock, "while"))
    assert events() == ["while", "before"]
    clock.jump(-by)
    trusted = True
    clock.advance(DAY_S)
    audit.add(an_audit_row(clock, "after"))
    assert events() == ["after", "while", "before"]
    clock.advance(8 * DAY_S)
    audit.add(an_audit_row(clock, "today"))
    assert events() == ["today"]
    gate.close()


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_the_gallery_outlives_a_jump_and_is_not_blocked_by_one(tmp_path: Path, by: timedelta) -> None:
    """Pictures of before stay while the clock is in doubt, those of the wrong time do not stay for years, and new ones find room at once."""
    clock = Clock()
    gallery = Gallery(tmp_path, UnreadConfig(keep=3, hours=24), wall=clock.wall)

    def add() -> None:
        clock.advance(1.0)
        gallery.add(Unread("too small", {}, np.zeros((4, 4), np.uint8)))

    def years() -> list[str]:
        return sorted(path.name[:4] for path in tmp_path.glob("*.json"))

    add()
    wrong = str((clock.wall() + by).year)
    clock.jump(by)
    add()
    gallery.tidy(by_age=False)
    assert years() == sorted(["2026", wrong])
    add()
    add()
    clock.jump(-by)
    for _ in range(3):
        add()
    assert years() == ["2026"] * 3 if by > timedelta(0) else len(years()) == 3
    gallery.tidy()
    assert years() == ["2026"] * len(years())
    clock.advance(2 * DAY_S)
    gallery.tidy()
    assert years() == []


SUMMER = Schedule(date(2026, 6, 1), date(2026, 8, 31))
WORKDAYS = Schedule(spans=(parse_span("Mon-Fri 07:00-18:00"),))


@pytest.mark.parametrize(
    ("kind", "schedule", "at", "counts"),
    [
        ("allow", Schedule(last=date(2025, 12, 31)), datetime(1970, 1, 1, 12, tzinfo=UTC), False),
        ("allow", WORKDAYS, datetime(1970, 1, 1, 12, tzinfo=UTC), False),
        ("allow", Schedule(), datetime(1970, 1, 1, 12, tzinfo=UTC), True),
        ("deny", SUMMER, datetime(1970, 1, 1, 12, tzinfo=UTC), True),
        ("ignore", SUMMER, datetime(1970, 1, 1, 12, tzinfo=UTC), True),
        ("allow", SUMMER, datetime(2034, 7, 1, 12, tzinfo=UTC), False),
        ("allow", SUMMER, datetime(2026, 7, 1, 12, tzinfo=UTC), True),
        ("deny", SUMMER, datetime(2026, 9, 1, 12, tzinfo=UTC), False),
        ("allow", WORKDAYS, datetime(2026, 3, 27, 6, 30, tzinfo=UTC), True),
        ("allow", WORKDAYS, datetime(2026, 3, 30, 5, 30, tzinfo=UTC), True),
        ("allow", WORKDAYS, datetime(2026, 3, 27, 5, 30, tzinfo=UTC), False),
    ],
)
def test_a_list_counts_by_local_time_and_by_a_clock_that_was_never_set_only_where_that_is_safe(
    kind: Any, schedule: Schedule, at: datetime, counts: bool
) -> None:
    """07:30 is 07:30 before summer time (Friday the 27th) and after (Monday the 30th); in 1970 nobody is welcome for a time, and everybody ignored is."""
    book = Book([PlateList("one", kind, (Entry("AB12CDE", schedule=schedule),), 0.0, BERLIN)])
    found = book.match("AB12CDE", at)
    assert (found is not None and found.due) == counts


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_the_live_picture_comes_back_with_the_pages_next_touch(tmp_path: Path, by: timedelta) -> None:
    clock = Clock()
    live_picture = LivePicture(tmp_path, clock=clock, wall_s=lambda: clock.wall().timestamp())

    def touch() -> None:
        (tmp_path / WATCHED_NAME).touch()
        os.utime(tmp_path / WATCHED_NAME, (clock.wall().timestamp(),) * 2)

    touch()
    assert live_picture.offer(np.zeros((8, 8), np.uint8))
    assert live_picture.wait(60.0)
    clock.jump(by)
    clock.advance(1.0)
    assert not live_picture.is_watched()
    (tmp_path / LIVE_NAME).unlink()
    touch()
    assert live_picture.offer(np.zeros((8, 8), np.uint8))
    live_picture.close()


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_who_looked_is_written_down_whatever_the_clock_says(tmp_path: Path, store: Store, by: timedelta) -> None:
    """Each look once, also after a jump; lines are kept by their number, not by their date."""
    clock = Clock()
    looks = Looks(tmp_path, clock)
    for jump in (timedelta(0), by, -by):
        clock.jump(jump)
        looks.note(utc_iso(clock.wall()), "192.0.2.1", "looked")
        clock.advance(AGAIN_S + 1)
    assert collect(tmp_path, store, 2) == 3
    assert [at for at, *_ in store.accesses()] == [utc_iso(clock.wall_start + timedelta(seconds=2 * (AGAIN_S + 1))), store.accesses()[1][0]]


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_bytes_written_are_of_today_through_a_jump(by: timedelta) -> None:
    clock, written = Clock(), 0
    budget = Budget(clock.wall, lambda: written)
    written = 100
    clock.jump(by)
    assert budget.as_json() == {"today": 100, "yesterday": None}
    clock.jump(-by)
    written = 150
    assert budget.as_json() == {"today": 150, "yesterday": None}
    clock.advance(DAY_S)
    assert budget.as_json() == {"today": 0, "yesterday": 150}


@pytest.mark.parametrize("by", YEARS.values(), ids=YEARS)
def test_a_target_is_tried_again_after_its_pause_and_not_after_years(tmp_path: Path, by: timedelta) -> None:
    errand = Errand(tmp_path, Unreachable("down"), Unreachable("down"), events=1)
    assert errand.courier.turn() == 2.0
    errand.clock.wall_start += by
    assert errand.courier.turn() == 2.0
    errand.clock.advance(2.0)
    assert errand.courier.turn() == 4.0
    errand.clock.advance(4.0)
    errand.courier.turn()
    assert errand.target.got == ["0"]


def test_sessions_and_looks_live_by_a_clock_that_does_not_jump() -> None:
    """The page asks the monotonic one: nobody is logged out by NTP, and nobody stays in for years."""
    assert inspect.signature(Door).parameters["clock"].default is time.monotonic
