"""What is wrong with a store, and how the daemon goes on."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.config import Config
from edge.errors import StoreError
from edge.keeper import Keeper
from edge.keeping import aside
from edge.keeping.opening import open_store
from edge.keeping.schema import FIRST, SCHEMA_VERSION, Newer
from edge.publish import publishing
from edge.records import Match
from edge.store import Store
from tests.builders import an_event

KNOWN = Match("family", "allow", "AB12CDE", "Anna")
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def wreck(path: Path) -> None:
    """Every page but the first is noise: SQLite opens it, and finds out later."""
    content = bytearray(path.read_bytes())
    content[4096:] = np.random.default_rng(1).bytes(len(content) - 4096)
    path.write_bytes(content)


def test_a_damaged_store_is_set_aside_whole_and_a_new_one_begun(tmp_path: Path) -> None:
    """Not a byte of the damaged one is changed."""
    path = tmp_path / "events.sqlite"
    with Store(path) as store:
        for number in range(50):
            store.add(an_event(str(number)))
    wreck(path)
    before = path.read_bytes()
    with open_store(path, lambda: NOW) as store:
        assert store.add(an_event("new"))
    (found,) = aside.set_aside(path)
    assert found.name == "events.sqlite.corrupt-20261122T210000Z"
    assert found.read_bytes() == before
    assert "set aside as events.sqlite.corrupt-20261122T210000Z" in aside.words(path)


def test_what_is_no_database_at_all_is_set_aside_too(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    path.write_bytes(b"\0" * 8192 + b"the card is dying")
    with open_store(path, lambda: NOW) as store:
        assert store.count() == 0
    assert aside.set_aside(path)[0].read_bytes().endswith(b"the card is dying")


def test_a_dying_card_does_not_fill_itself_with_damaged_stores(tmp_path: Path) -> None:
    """The newest three stay, and they grow old as events do."""
    path = tmp_path / "events.sqlite"
    for number in range(5):
        path.write_bytes(b"no database " * 1000 + bytes([number]))
        open_store(path, lambda number=number: NOW + timedelta(minutes=number)).close()  # type: ignore[misc]
    assert [found.read_bytes()[-1] for found in aside.set_aside(path)] == [2, 3, 4]
    assert aside.grow_old(path, datetime.now(UTC) + timedelta(days=1)) == 3
    assert aside.words(path) == ""


def test_a_store_that_is_damaged_while_it_is_used_is_set_aside_with_its_outbox(tmp_path: Path) -> None:
    """The event that found it out is in the new store, and waits for its target there."""
    config = Config.model_validate(
        {"store": {"path": str(tmp_path / "events.sqlite")}, "targets": [{"name": "yard", "kind": "jsonl", "path": str(tmp_path / "told.jsonl")}]}
    )
    store = open_store(Path(config.store.path))
    told = publishing.build(config, store)
    assert told is not None
    for number in range(50):
        store.add(an_event(str(number)))
    store._give_back()
    wreck(tmp_path / "events.sqlite")
    store._db.execute("PRAGMA shrink_memory")
    keeper = Keeper(store, wall=lambda: NOW)
    keeper.keep([an_event("new")], now=0.0)
    keeper.keep([], now=0.1)
    assert ([event.id for event in store.events()], keeper.trouble) == (["new"], "")
    assert told.outbox.counts()["yard"].pending == 1
    assert len(aside.set_aside(tmp_path / "events.sqlite")) == 1
    told.stop()


def test_an_older_store_becomes_a_newer_one_with_its_events(tmp_path: Path) -> None:
    """Of the first schema, known plates among them."""
    path = tmp_path / "events.sqlite"
    db = sqlite3.connect(path)
    db.executescript(f"PRAGMA journal_mode = WAL; {FIRST} PRAGMA user_version = 1;")
    for event in (an_event("1"), an_event("2", match=KNOWN)):
        db.execute("INSERT INTO events (id, text, last_seen, json) VALUES (?, ?, ?, ?)", (event.id, event.text, event.last_seen, json.dumps(event.as_json())))
    db.commit()
    db.close()
    with Store(path) as store:
        assert store.rows("PRAGMA user_version") == [(SCHEMA_VERSION,)]
        assert store.rows("SELECT id, list FROM events ORDER BY id") == [("1", ""), ("2", "family")]
        assert store.add(an_event("3"))


def test_a_newer_store_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    """Also by the patient daemon: going on would mean a second store."""
    path = tmp_path / "events.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(Newer, match="update Platewatch"):
        open_store(path)
    assert (path.read_bytes(), aside.set_aside(path)) == (before, [])


def test_a_store_that_cannot_be_opened_yet_is_opened_later(tmp_path: Path) -> None:
    """A file stands where the folder should be; then it is gone."""
    (tmp_path / "var").write_text("")
    store = open_store(tmp_path / "var" / "events.sqlite")
    with pytest.raises(StoreError):
        store.add(an_event())
    (tmp_path / "var").unlink()
    assert store.add(an_event())


def test_targets_wait_for_a_store_that_comes_later(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    config = Config.model_validate(
        {"store": {"path": str(tmp_path / "var/events.sqlite")}, "targets": [{"name": "yard", "kind": "jsonl", "path": str(tmp_path / "told.jsonl")}]}
    )
    store = open_store(Path(config.store.path))
    told = publishing.build(config, store)
    assert told is not None
    assert told.as_json()[0]["failing"]
    (tmp_path / "var").unlink()
    store.add(an_event())
    assert told.outbox.counts()["yard"].pending == 1
    told.stop()


def test_a_store_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """Events after that are not written into a file that nobody can find."""
    path = tmp_path / "events.sqlite"
    store = Store(path)
    store.add(an_event("1"))
    path.rename(tmp_path / "elsewhere")
    store.add(an_event("2"))
    with Store(path, read_only=True) as reader:
        assert [event.id for event in reader.events()] == ["2"]
