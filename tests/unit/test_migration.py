"""Stores that older versions wrote: the files themselves, made by those versions, are in tests/golden/stores."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from edge.config import Config
from edge.errors import StoreError
from edge.events.histogram import histogram
from edge.events.query import find
from edge.events.wanted import Wanted
from edge.keeping.schema import SCHEMA_VERSION, STEPS, Newer, migrate
from edge.labels.book import Labels
from edge.publish import publishing
from edge.store import Store
from tests.builders import an_event

STORES = Path(__file__).parent.parent / "golden/stores"
VERSIONS = tuple(range(1, SCHEMA_VERSION))


@pytest.fixture(params=VERSIONS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of what schema 1, 2, ... looked like: three events, one of them known and one without a picture, a preview, and reasons."""
    made = tmp_path / "events.sqlite"
    made.write_bytes(gzip.decompress((STORES / f"schema-{request.param}.sqlite.gz").read_bytes()))
    with sqlite3.connect(made) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == request.param
    db.close()
    return made


def test_there_is_a_file_of_every_older_version() -> None:
    assert {file.name for file in STORES.iterdir()} == {f"schema-{number}.sqlite.gz" for number in VERSIONS}


def test_an_old_store_is_searched_as_a_new_one(path: Path) -> None:
    """Every event and picture is there, and found by whatever the event says."""
    with sqlite3.connect(path) as db:
        before = {id: told for id, told in db.execute("SELECT id, json FROM events")}
    db.close()
    with Store(path) as store:
        assert store.rows("PRAGMA user_version") == [(SCHEMA_VERSION,)]
        assert dict(store.rows("SELECT id, json FROM events")) == before
        assert [one.event.id for one in find(store, Wanted())] == ["3", "2", "1"]
        assert [one.event.id for one in find(store, Wanted(), previews=True)] == ["4", "3", "2", "1"]
        for wanted, id in (
            (Wanted(list="family"), "1"), (Wanted(camera="yard"), "2"), (Wanted(country="de"), "2"), (Wanted(direction="right"), "3"),
            (Wanted(below=0.7), "2"), (Wanted(plate="XY34ZZZ"), "2"), (Wanted(since="2026-11-22"), "3"),
        ):  # fmt: skip
            assert [one.event.id for one in find(store, wanted)] == [id], wanted
        assert (store.crop("1"), store.crop("3"), store.looks("1")) == (b"jpeg of 1", None, None)
        assert (store.reasons("2026-11-22"), histogram(store, Wanted()).events) == ({"blurred": 3}, 3)


def test_an_old_store_is_written_as_a_new_one(path: Path) -> None:
    """Events, labels, the outbox, and forgetting."""
    config = Config.model_validate({"store": {"path": str(path)}, "targets": [{"name": "yard", "kind": "jsonl", "path": str(path.parent / "told.jsonl")}]})
    with Store(path) as store:
        told = publishing.build(config, store)
        assert told is not None
        assert store.settle_previews() == 1
        assert store.add(an_event("new"))
        assert Labels(store, config).correct("1", "AB12CDX", "anna").corners is None
        assert [one.event.id for one in find(store, Wanted(plate="AB12CDX"))] == ["1"]
        assert told.outbox.counts()["yard"].pending >= 2
        assert store.erase(["new", "1", "2", "3", "4"])
        assert (store.count(), told.outbox.counts()["yard"].pending) == (0, 0)
        told.stop()
        store.check()


def test_a_migration_that_fails_half_way_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon of before goes on with it."""
    before = path.read_bytes()
    monkeypatch.setattr("edge.keeping.schema.STEPS", (*STEPS[:-1], STEPS[-1] + "CREATE TABLE events (it INTEGER);"))
    with pytest.raises(StoreError):
        Store(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    assert path.read_bytes()[100:] == before[100:], "all but the header's counters"


def test_an_older_program_refuses_a_newer_store(tmp_path: Path) -> None:
    """What every shipped version does with a schema beyond its own."""
    Store(tmp_path / "events.sqlite").close()
    db = sqlite3.connect(tmp_path / "events.sqlite")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(Newer, match="update Platewatch"):
        migrate(db, "events.sqlite", change=True)
    db.close()


def test_what_a_migrated_event_says_is_what_its_columns_say(path: Path) -> None:
    with Store(path) as store:
        for told, *columns in store.rows("SELECT json, camera, country, direction, confidence, preview, list FROM events"):
            event = json.loads(told)
            match = event["match"]["list"] if event.get("match") else ""
            expected = [event["camera"], event["country"] or "", event.get("direction", "unknown"), event["confidence"], int(event["preview"]), match]
            assert columns == expected


def test_a_page_before_the_daemon_has_brought_the_store_up_to_date_says_so(path: Path) -> None:
    """Whatever it asks."""
    with Store(path, read_only=True) as store:
        for ask in (store.events, store.count, lambda: find(store, Wanted()), lambda: find(store, Wanted(plate="A*")), lambda: store.looks("1")):
            with pytest.raises(StoreError, match="older Platewatch; it is brought up to date when the daemon starts"):
                ask()
