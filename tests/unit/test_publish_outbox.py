"""What waits for targets, on disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge.errors import StoreError
from edge.publish.outbox import Outbox
from edge.publish.settings import OutboxConfig, TargetConfig
from edge.publish.tables import Counts, forget_all, set_aside
from edge.records import Match
from edge.store import Store
from tests.builders import an_event


def a_target(name: str = "a", **changes: Any) -> TargetConfig:
    return TargetConfig(name=name, **({"kind": "webhook", "url": "http://x"} | changes))


class Shelf:
    """A store and its outbox."""

    def __init__(self, folder: Path, *targets: TargetConfig, **bounds: Any) -> None:
        self.path = folder / "events.sqlite"
        self.store = Store(self.path)
        self.outbox = Outbox(self.path, targets, OutboxConfig(**bounds))
        self.store.also, self.store.unsaid = self.outbox.enqueue, self.outbox.withdraw

    def waiting(self, target: str) -> list[str]:
        rows = self.outbox._rows("SELECT event FROM outbox WHERE target = ? AND refused IS NULL ORDER BY seq", target)
        return [row[0] for row in rows]

    def deliver(self, target: str) -> str:
        parcel = self.outbox.next(target)
        assert parcel is not None
        self.outbox.delivered(parcel)
        return str(parcel.row["id"])

    def empty(self) -> bool:
        return all(self.outbox._rows(f"SELECT count(*) FROM {table}")[0][0] == 0 for table in ("outbox", "outbox_bodies"))


def test_events_come_out_in_the_order_they_went_in(tmp_path: Path) -> None:
    """With all their fields; and when all have them nothing is left on the disk."""
    shelf = Shelf(tmp_path, a_target())
    for number in range(3):
        shelf.store.add(an_event(str(number)))
    first = shelf.outbox.next("a")
    assert first is not None
    assert (first.row, first.picture) == (an_event("0").as_json(), b"")
    assert [shelf.deliver("a") for _ in range(3)] == ["0", "1", "2"]
    assert shelf.outbox.next("a") is None
    assert shelf.empty()
    assert shelf.outbox.counts() == {"a": Counts(delivered=3)}


def test_a_target_waits_for_no_other(tmp_path: Path) -> None:
    """Each has its own place in the queue."""
    shelf = Shelf(tmp_path, a_target("dead"), a_target("alive"))
    for number in range(3):
        shelf.store.add(an_event(str(number)))
    assert [shelf.deliver("alive") for _ in range(3)] == ["0", "1", "2"]
    assert shelf.waiting("dead") == ["0", "1", "2"]
    assert shelf.outbox.counts() == {"dead": Counts(pending=3), "alive": Counts(delivered=3)}


def test_an_event_and_its_rows_are_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the outbox cannot write, the event is not stored either, and the daemon offers it again."""
    shelf = Shelf(tmp_path, a_target())

    def full(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(shelf.outbox, "_bound", full)
    with pytest.raises(StoreError, match="disk is full"):
        shelf.store.add(an_event("1"))
    assert shelf.empty()
    assert shelf.store.count() == 0
    monkeypatch.undo()
    assert shelf.store.add(an_event("1"))
    assert shelf.waiting("a") == ["1"]


def test_the_same_event_offered_twice_waits_once(tmp_path: Path) -> None:
    """Also when it was delivered in between."""
    shelf = Shelf(tmp_path, a_target())
    shelf.store.add(an_event("1"))
    shelf.store.add(an_event("1"))
    assert shelf.waiting("a") == ["1"]
    shelf.deliver("a")
    shelf.store.add(an_event("1"))
    assert shelf.waiting("a") == []


def test_a_preview_and_its_event_are_two_pieces_of_news(tmp_path: Path) -> None:
    """Under one id, the preview first."""
    shelf = Shelf(tmp_path, a_target(stages=("preview", "final")), a_target("final"))
    shelf.store.add(an_event("1", preview=True))
    assert (shelf.waiting("a"), shelf.waiting("final")) == (["1"], [])
    assert shelf.deliver("a") == "1"
    shelf.store.add(an_event("1"))
    assert (shelf.deliver("a"), shelf.deliver("final")) == ("1", "1")
    assert shelf.empty()


def test_a_preview_that_came_too_late_is_no_news(tmp_path: Path) -> None:
    """It waits until its event comes, and then only that one does; nothing is lost by it."""
    shelf = Shelf(tmp_path, a_target(stages=("preview", "final")))
    shelf.store.add(an_event("1", preview=True))
    shelf.store.add(an_event("1"))
    parcel = shelf.outbox.next("a")
    assert parcel is not None
    assert parcel.row["preview"] is False
    assert shelf.outbox.counts() == {"a": Counts(pending=1)}


def test_an_event_whose_end_was_cut_off_is_told_after_the_restart(tmp_path: Path) -> None:
    """Killed between a preview and its event: the store makes an event of it, and those who want events hear of it."""
    shelf = Shelf(tmp_path, a_target(), a_target("picture", picture="base64"))
    shelf.store.add(an_event("1", preview=True))
    assert shelf.waiting("a") == []
    assert shelf.store.settle_previews() == 1
    assert shelf.waiting("a") == ["1"]
    parcel = shelf.outbox.next("picture")
    assert parcel is not None
    assert (parcel.row["preview"], parcel.picture) == (False, b"jpeg of 1")


FAMILY = Match("family", "allow", "AB12CDE")


@pytest.mark.parametrize(
    ("wants", "event", "taken"),
    [
        ({}, {}, True),
        ({}, {"preview": True}, False),
        ({"stages": ("preview",)}, {}, False),
        ({"lists": "known"}, {}, False),
        ({"lists": "known"}, {"match": FAMILY}, True),
        ({"lists": "unknown"}, {"match": FAMILY}, False),
        ({"lists": "unknown"}, {}, True),
        ({"min_confidence": 0.91}, {}, False),
        ({"min_confidence": 0.9}, {}, True),
        ({"kind": "csv", "url": "", "path": "x", "dialect": "fast-plate-ocr", "picture": "file", "picture_folder": "y"}, {"crop_jpeg": b""}, False),
    ],
)
def test_a_target_hears_only_what_it_wants(tmp_path: Path, wants: dict[str, Any], event: dict[str, Any], taken: bool) -> None:
    """By stage, list, confidence; and nothing is written for what nobody wants."""
    if "kind" in wants:
        wants = {key: value for key, value in wants.items() if key != "url"}
        target = TargetConfig(name="a", **wants)
    else:
        target = a_target(**wants)
    shelf = Shelf(tmp_path, target)
    shelf.store.add(an_event("1", **event))
    assert shelf.waiting("a") == (["1"] if taken else [])
    assert shelf.empty() == (not taken)


def test_a_picture_is_kept_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Once for all targets."""
    Shelf(tmp_path, a_target()).store.add(an_event("1"))
    assert Outbox(tmp_path / "events.sqlite", [a_target()])._rows("SELECT jpeg FROM outbox_bodies") == [(None,)]
    shelf = Shelf(tmp_path, a_target("b", picture="base64"), a_target("c", picture="file", picture_folder="x"))
    shelf.store.add(an_event("2"))
    parcel = shelf.outbox.next("c")
    assert parcel is not None
    assert parcel.picture == b"jpeg of 2"
    assert shelf.outbox._rows("SELECT count(*) FROM outbox_bodies") == [(1,)]


def test_too_many_rows_drop_the_oldest_and_count_them(tmp_path: Path) -> None:
    """Who keeps up loses nothing."""
    shelf = Shelf(tmp_path, a_target("dead"), a_target("alive"), max_events=10)
    for number in range(15):
        shelf.store.add(an_event(str(number)))
        shelf.deliver("alive")
    assert shelf.waiting("dead") == [str(number) for number in range(6, 15)]  # and for a moment one row of the other
    assert shelf.outbox.counts() == {"dead": Counts(pending=9, dropped=6), "alive": Counts(delivered=15)}
    assert shelf.outbox._rows("SELECT count(*) FROM outbox_bodies") == [(9,)]


def test_too_many_bytes_drop_the_oldest_too(tmp_path: Path) -> None:
    """Pictures count; an event larger than all the room is dropped itself, and counted."""
    shelf = Shelf(tmp_path, a_target(picture="base64"), max_mb=0.1)
    for number in range(5):
        shelf.store.add(an_event(str(number), crop_jpeg=os.urandom(30_000)))
    assert shelf.waiting("a") == ["2", "3", "4"]
    shelf.store.add(an_event("huge", crop_jpeg=os.urandom(200_000)))
    assert shelf.outbox.counts() == {"a": Counts(dropped=6)}
    assert shelf.empty()


def test_what_is_set_aside_lets_the_others_pass_and_can_be_offered_again(tmp_path: Path) -> None:
    """With its reason; then it comes first again, as it is the oldest."""
    shelf = Shelf(tmp_path, a_target())
    for number in range(3):
        shelf.store.add(an_event(str(number)))
    first = shelf.outbox.next("a")
    assert first is not None
    shelf.outbox.set_aside(first, "it answers 400")
    assert shelf.deliver("a") == "1"
    assert shelf.outbox.counts() == {"a": Counts(pending=1, refused=1, delivered=1)}
    assert set_aside(shelf.outbox._db, "a") == [("it answers 400", 1, "0")]
    assert shelf.outbox.again("a") == 1
    assert [shelf.deliver("a") for _ in range(2)] == ["0", "2"]


def test_what_is_set_aside_takes_no_room_for_ever(tmp_path: Path) -> None:
    """It is the oldest, so it goes first, and is counted: nobody was told."""
    shelf = Shelf(tmp_path, a_target(), max_events=10)
    shelf.store.add(an_event("bad"))
    bad = shelf.outbox.next("a")
    assert bad is not None
    shelf.outbox.set_aside(bad, "it answers 400")
    for number in range(10):
        shelf.store.add(an_event(str(number)))
    assert shelf.outbox.counts() == {"a": Counts(pending=10, dropped=1)}


def test_a_deleted_plate_is_told_to_nobody(tmp_path: Path) -> None:
    """The owner's wish and the retention reach the outbox too: counted, and nowhere on the disk."""
    shelf = Shelf(tmp_path, a_target(), a_target("b"))
    shelf.store.add(an_event("1", "SECRETXY"))
    shelf.store.add(an_event("2", "AB12CDE"))
    shelf.store.delete("1")
    assert shelf.waiting("a") == shelf.waiting("b") == ["2"]
    assert shelf.outbox.counts() == {"a": Counts(pending=1, dropped=1), "b": Counts(pending=1, dropped=1)}
    on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("events.sqlite*"))
    assert b"AB12CDE" in on_disk
    assert b"SECRETXY" not in on_disk


def test_everything_outlives_the_process(tmp_path: Path) -> None:
    """Queue, what is set aside, counters and notes."""
    shelf = Shelf(tmp_path, a_target())
    for number in range(3):
        shelf.store.add(an_event(str(number)))
    shelf.deliver("a")
    shelf.outbox.write_note("detection", "off")
    shelf.outbox.close()
    shelf.store.close()
    again = Shelf(tmp_path, a_target())
    assert (again.waiting("a"), again.outbox.counts()) == (["1", "2"], {"a": Counts(pending=2, delivered=1)})
    assert (again.outbox.note("detection"), again.outbox.note("other")) == ("off", "")


def test_a_target_that_is_no_longer_named_is_forgotten(tmp_path: Path) -> None:
    """With all that waited for it alone; a new one hears of what comes from now on."""
    shelf = Shelf(tmp_path, a_target("old"), a_target("kept"))
    shelf.store.add(an_event("1"))
    shelf.deliver("kept")
    again = Shelf(tmp_path, a_target("kept"), a_target("new"))
    assert again.empty()
    assert again.outbox.counts() == {"kept": Counts(delivered=1), "new": Counts()}


def test_without_targets_the_file_holds_no_outbox(tmp_path: Path) -> None:
    """And events can be stored and deleted as before."""
    shelf = Shelf(tmp_path, a_target())
    shelf.store.add(an_event("1"))
    shelf.outbox.close()
    forget_all(shelf.path)
    forget_all(shelf.path)
    db = sqlite3.connect(shelf.path)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'outbox%'").fetchone() == (0,)
    db.close()
    shelf.store.close()
    with Store(tmp_path / "events.sqlite") as store:
        assert store.delete("1")


def test_nothing_is_written_while_nothing_happens(tmp_path: Path) -> None:
    """Looking, counting, opening once more and the same note again leave the files as they are."""
    shelf = Shelf(tmp_path, a_target())
    shelf.store.add(an_event("1"))
    shelf.outbox.write_note("a", "1")
    shelf.outbox.counts()

    def files() -> dict[str, tuple[int, int]]:
        return {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.glob("events.sqlite*") if not path.name.endswith("-shm")}

    before = files()
    for _ in range(5):
        shelf.outbox.next("a")
        shelf.outbox.counts()
        shelf.outbox.write_note("a", "1")
    Outbox(shelf.path, [a_target()]).close()
    assert files() == before


def test_another_connection_s_news_is_counted(tmp_path: Path) -> None:
    """The store writes on its own connection; the numbers are those of now."""
    shelf = Shelf(tmp_path, a_target())
    assert shelf.outbox.counts()["a"].pending == 0
    shelf.store.add(an_event("1"))
    assert shelf.outbox.counts()["a"].pending == 1


def test_a_store_that_cannot_serve_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"events\.sqlite: the outbox cannot be used"):
        Outbox(tmp_path / "events.sqlite", [a_target()])


PREVIEWS = ("preview", "final")


def test_a_withdrawn_preview_is_taken_back_where_it_was_told(tmp_path: Path) -> None:
    """With its id and nothing of the plate, behind what waits already; who was not told, or cannot be, hears nothing."""
    shelf = Shelf(
        tmp_path, a_target(stages=PREVIEWS), a_target("late", stages=PREVIEWS), a_target("final"), a_target("frigate", dialect="frigate", stages=PREVIEWS)
    )
    shelf.store.add(an_event("0"))
    shelf.store.add(an_event("1", "SECRETXY", preview=True))
    for target in ("a", "a", "frigate", "frigate"):
        shelf.deliver(target)
    shelf.store.add(an_event("2"))
    shelf.store.withdraw("1")
    assert shelf.store.event("1") is None
    assert {name: shelf.waiting(name) for name in ("a", "late", "final", "frigate")} == {
        "a": ["2", "1"],
        "late": ["0", "2"],
        "final": ["0", "2"],
        "frigate": ["2"],
    }
    shelf.deliver("a")
    parcel = shelf.outbox.next("a")
    assert parcel is not None
    assert parcel.row == {"v": 1, "id": "1", "camera": "gate", "withdrawn": True}
    assert b"SECRETXY" not in b"".join(path.read_bytes() for path in tmp_path.glob("events.sqlite*"))


def test_a_preview_that_may_be_under_way_is_taken_back_too(tmp_path: Path) -> None:
    """It is the next to go: the target may have it by now, whatever we know."""
    shelf = Shelf(tmp_path, a_target(stages=PREVIEWS))
    shelf.store.add(an_event("1", preview=True))
    parcel = shelf.outbox.next("a")
    shelf.store.withdraw("1")
    assert parcel is not None
    shelf.outbox.delivered(parcel)
    assert shelf.deliver("a") == "1"
    assert shelf.outbox._rows("SELECT count(*) FROM outbox_previews") == [(0,)]


def test_an_event_that_came_is_not_taken_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, a_target(stages=PREVIEWS))
    shelf.store.add(an_event("1", preview=True))
    shelf.deliver("a")
    shelf.store.add(an_event("1"))
    shelf.deliver("a")
    shelf.store.withdraw("1")
    assert shelf.empty()
    assert shelf.store.event("1") is not None


def test_an_outbox_of_before_goes_on(tmp_path: Path) -> None:
    """Its old trigger goes; what waited waits on."""
    path = tmp_path / "events.sqlite"
    shelf = Shelf(tmp_path, a_target(stages=PREVIEWS))
    shelf.store.add(an_event("1", preview=True))
    db = sqlite3.connect(path)
    db.executescript(
        "DROP TRIGGER outbox_lets_go; DROP TABLE outbox_previews;"
        "CREATE TRIGGER outbox_forgets AFTER DELETE ON events BEGIN DELETE FROM outbox WHERE event = OLD.id; END;"
    )
    db.close()
    again = Shelf(tmp_path, a_target(stages=PREVIEWS))
    again.deliver("a")
    again.store.withdraw("1")
    assert again.waiting("a") == ["1"]
