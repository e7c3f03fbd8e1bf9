"""The event store."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.records import Match, Rule
from edge.store import Store
from tests.builders import an_event


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "events.sqlite")


def day(number: int) -> str:
    return f"2026-11-{number:02}T12:00:00.000+00:00"


def test_what_is_kept_comes_back_the_same(store: Store) -> None:
    """Every field, the crop too; a list of events goes without crops."""
    event = an_event()
    assert store.add(event)
    assert store.event("1") == event
    assert store.crop("1") == event.crop_jpeg
    assert [one.as_json() for one in store.events()] == [event.as_json()]
    assert store.events()[0].crop_jpeg == b""


def test_the_same_id_twice_is_one_event(store: Store) -> None:
    """The first stays, crop and all; the second says that it was not needed."""
    assert store.add(an_event("1"))
    assert not store.add(an_event("1", "OTHER", crop_jpeg=b"other"))
    assert (store.count(), [event.text for event in store.events()], store.crop("1")) == (1, ["AB12CDE"], b"jpeg of 1")


def test_a_preview_makes_room_for_its_event(store: Store) -> None:
    """One row for each id; previews are in no list and no count, and the event comes as news even when others came between."""
    assert store.add(an_event("1", "AB12CDX", preview=True))
    assert store.event("1") == an_event("1", "AB12CDX", preview=True)
    assert not store.add(an_event("1", "AB12CDY", preview=True))
    assert (store.count(), store.events()) == (0, [])
    assert store.add(an_event("2"))
    assert store.add(an_event("1", "AB12CDE", crop_jpeg=b"better"))
    assert not store.add(an_event("1", "LATE", preview=True))
    assert [(event.id, event.text) for event in store.events()] == [("1", "AB12CDE"), ("2", "AB12CDE")]
    assert (store.count(), store.crop("1")) == (2, b"better")


def test_a_preview_whose_event_never_came_is_the_event(store: Store) -> None:
    """After a power cut, at the next start."""
    store.add(an_event("1", preview=True))
    store.add(an_event("2"))
    assert store.settle_previews() == 1
    assert [event.id for event in store.events()] == ["2", "1"]
    assert store.event("1") == an_event("1")


def test_what_the_lists_and_the_rules_said_comes_back(store: Store) -> None:
    event = an_event(rule=Rule("LLDDLLL", 1.5, 3.0), match=Match("family", "allow", "AB12CDE", "Anna"), direction="left", dwell_s=2.5, raw_text="A812CDE")
    store.add(event)
    assert store.event("1") == event


def test_events_of_older_versions_are_read(store: Store) -> None:
    """Without the keys that came later."""
    store.add(an_event())
    store._db.execute("UPDATE events SET json = json_remove(json, '$.preview', '$.raw_text', '$.rule', '$.direction', '$.dwell_s', '$.match')")
    (event,) = store.events()
    assert (event.raw_text, event.preview, event.direction, event.match) == ("AB12CDE", False, "unknown", None)


def test_pages_follow_each_other_without_a_gap(store: Store) -> None:
    """Newest first; `before` is the last id of the page above, and new events do not shift the next page."""
    for number in range(7):
        store.add(an_event(str(number)))
    first = [event.id for event in store.events(3)]
    store.add(an_event("new"))
    second = [event.id for event in store.events(3, before=first[-1])]
    assert (first, second, [event.id for event in store.events(3, before=second[-1])]) == (["6", "5", "4"], ["3", "2", "1"], ["0"])


def test_a_search_finds_a_part_of_a_plate(store: Store) -> None:
    """Small letters and spaces as people type them; a percent sign is no wildcard."""
    store.add(an_event("1", "AB12CDE"))
    store.add(an_event("2", "XY34ZZZ"))
    assert [event.id for event in store.events(text="b12 c")] == ["1"]
    assert store.events(text="Q") == []
    assert [event.id for event in store.events(text="%")] == ["2", "1"]


def test_deleted_is_gone_with_its_crop(store: Store) -> None:
    store.add(an_event("1"))
    assert store.delete("1")
    assert (store.event("1"), store.crop("1"), store.count(), store.delete("1")) == (None, None, 0, False)


def test_a_deleted_plate_is_nowhere_on_disk(store: Store, tmp_path: Path) -> None:
    """Neither in the file nor in its log, though its neighbours stay."""
    for number in range(20):
        store.add(an_event(str(number), "SECRETXY" if number == 7 else "AB12CDE"))
    store.delete("7")
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("events.sqlite*"))
    assert b"AB12CDE" in on_disk
    assert b"SECRETXY" not in on_disk


def test_what_fails_half_way_leaves_nothing_behind(store: Store) -> None:
    """A crop that SQLite refuses: no event without its crop, and the next one is taken."""
    with pytest.raises(StoreError):
        store.add(an_event("1", crop_jpeg=object()))
    assert store.count() == 0
    assert store.add(an_event("2"))


def test_an_event_without_a_picture_has_none(store: Store) -> None:
    store.add(an_event("1", crop_jpeg=b""))
    assert (store.crop("1"), store.event("1")) == (None, an_event("1", crop_jpeg=b""))


def test_what_is_too_old_goes_and_its_bytes_too(store: Store, tmp_path: Path) -> None:
    """Events last seen before the limit go; the deleted plate is nowhere in the file, and the file shrinks."""
    for number in range(300):
        store.add(an_event(str(number), "OLDPLATE", day(1), crop_jpeg=os.urandom(4000)))
    store.add(an_event("new", "NEWPLATE", day(9)))
    assert store.purge(day(5)) == 300
    assert [event.id for event in store.events()] == ["new"]
    on_disk = b"".join((tmp_path / f"events.sqlite{end}").read_bytes() for end in ("", "-wal") if (tmp_path / f"events.sqlite{end}").exists())
    assert b"OLDPLATE" not in on_disk
    assert b"NEWPLATE" in on_disk
    assert len(on_disk) < 100_000


def test_the_oldest_make_room_on_a_full_disk(store: Store) -> None:
    """As many as are needed and no more."""
    for number in range(20):
        store.add(an_event(str(number), crop_jpeg=os.urandom(200_000)))
    free = iter([9_900_000] * 2 + [9_950_000, 10_000_000, 10_000_000])
    assert store.make_room(10, free_bytes=lambda: next(free), step=3) == 6
    assert [event.id for event in store.events(100)][-1] == "6"


def test_nothing_is_deleted_when_that_would_not_help(store: Store) -> None:
    """Somebody else's files fill the disk: the events stay, and the sentence says so."""
    store.add(an_event("1"))
    with pytest.raises(StoreError, match="only 5 MB are free"):
        store.make_room(500, free_bytes=lambda: 5_000_000)
    assert store.count() == 1


def test_enough_room_deletes_nothing(store: Store) -> None:
    store.add(an_event("1"))
    assert (store.make_room(10, free_bytes=lambda: 10_000_000), store.count()) == (0, 1)


def test_reasons_are_counted_since_a_time(store: Store) -> None:
    """Most frequent first; older minutes do not count, and a purge takes them."""
    store.add_reason("blurred", day(1), 5)
    store.add_reason("too small", day(8))
    store.add_reason("blurred", day(8))
    store.add_reason("too small", day(8), 2)
    assert list(store.reasons(day(2)).items()) == [("too small", 3), ("blurred", 1)]
    assert store.reasons(day(1)) == {"blurred": 6, "too small": 3}
    store.purge(day(5))
    assert store.reasons(day(1)) == {"too small": 3, "blurred": 1}


def test_a_reader_sees_what_the_writer_adds_and_can_change_nothing(store: Store, tmp_path: Path) -> None:
    """The page process beside the daemon."""
    with Store(tmp_path / "events.sqlite", read_only=True) as reader:
        assert reader.count() == 0
        store.add(an_event("1"))
        assert reader.count() == 1
        with pytest.raises(StoreError, match="cannot be written"):
            reader.delete("1")
    assert store.count() == 1


def test_events_outlive_the_process(tmp_path: Path) -> None:
    with Store(tmp_path / "events.sqlite") as first:
        first.add(an_event("1"))
    with Store(tmp_path / "events.sqlite") as second:
        assert second.event("1") == an_event("1")


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """The owner decides what becomes of it."""
    path = tmp_path / "holiday.jpg"
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError, match=r"holiday\.jpg: is not an event store"):
        Store(path)
    assert path.read_bytes() == b"no database " * 1000


def test_a_store_of_a_newer_edition_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer Platewatch"):
        Store(path)


def test_a_reader_without_a_store_says_so_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "events.sqlite", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_plainly_and_keeps_what_was_there(store: Store) -> None:
    """SQLite's own page limit stands in for the disk: the add fails whole, and reading goes on."""
    store.add(an_event("1"))
    store._db.execute("PRAGMA max_page_count = 1")  # SQLite rounds this up to what is in use
    with pytest.raises(StoreError, match="the disk is full"):
        store.add(an_event("2", crop_jpeg=os.urandom(1_000_000)))
    assert ([event.id for event in store.events()], store.crop("2")) == (["1"], None)


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Store(tmp_path / "file" / "events.sqlite")


def test_room_is_made_a_little_at_a_time(store: Store) -> None:
    """At most `limit` go at once, however much is missing."""
    for number in range(20):
        store.add(an_event(str(number), crop_jpeg=os.urandom(200_000)))
    assert store.make_room(10, free_bytes=lambda: 9_000_000, step=2, limit=4) == 4
    assert store.count() == 16
