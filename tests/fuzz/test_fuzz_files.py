"""What Platewatch wrote itself and finds spoilt: results, truths, status, history, the gallery, SQLite files. A sentence, or as if it were not there."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import history, status
from edge.bench.result import load_result
from edge.errors import PlatewatchError, StoreError
from edge.evidence import unpack
from edge.keeping.opening import open_store
from edge.replay.pairs import load_truth
from edge.store import Store
from tests.builders import an_event
from tests.fuzz.spoiling import cases, check_sentence, injured, misfit, spoilt

BENCH: dict[str, Any] = {
    "schema": "platewatch-bench", "v": 3, "made": "2026-01-01T00:00:00+00:00", "command": "bench", "seed": 1, "seconds": 1.0,
    "machine": {"model": "Pi", "architecture": "aarch64", "flags": ["asimd"], "cores": 4},
    "software": {"platewatch": "1", "python": "3.11", "system": "Linux", "packages": {"numpy": "2"}}, "before": {}, "after": {"load": [0.1, 0.2, 0.3]},
    "models": [{"kind": "reader", "variant": "int8", "name": "r", "sha256": "0" * 64, "size": 5}],
    "scenes": [{"name": "a", "width": 10, "height": 10, "plates": 1, "sha256": "0" * 64}],
    "cells": [{"setting": {"variant": "int8", "runtime": "litert", "threads": 1}, "what": "read", "scene": "a", "why": "none"}],
}  # fmt: skip
TRUTH = [{"text": "AB12CDE", "from_s": 1.0, "to_s": 2.5}, {"text": "B AB 1234", "from_s": 0, "to_s": 9}]
STATUS: dict[str, Any] = {"v": 1, "version": "1", "pid": 1, "state": "watching", "updated_at": "2026-01-01T00:00:00+00:00", "camera": {"name": "a"}, "fps": 1.0}
DEEP = b"[" * 9000
NASTY = [
    b"",
    b"\0" * 4096,
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'"a"',
    b"1e999",
    b"[NaN]",
    b"\xff\xfe",
    DEEP,
    b'{"v": ' + DEEP,
    b"9" * 9000,
    b'{"v": 1, "a": ' + b"9" * 9000,
]
"""What a card with a bad block leaves, and what an attacker would."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def json_spoilt(whole: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Another kind of value somewhere, or other bytes."""
    return misfit(whole).map(lambda made: json.dumps(made, default=str).encode()) | spoilt(json.dumps(whole).encode()) | st.sampled_from(NASTY)


def said_plainly(load: Callable[[Path], object], path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        load(path)
    except PlatewatchError as error:
        check_sentence(error, path.name)


@cases(100)
@given(json_spoilt(BENCH))
def test_the_result_of_a_benchmark(folder: Path, content: bytes) -> None:
    said_plainly(load_result, folder / "bench.json", content)


@cases(100)
@given(json_spoilt({"rows": TRUTH}))
def test_the_truth_of_a_recording(folder: Path, content: bytes) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        content = json.dumps(json.loads(content)["rows"]).encode()
    said_plainly(load_truth, folder / "truth.json", content)


@cases(100)
@given(json_spoilt(STATUS))
def test_the_status_and_the_history(folder: Path, content: bytes) -> None:
    """What is no status is none, and nobody is alive who does not say so."""
    (folder / status.STATUS_NAME).write_bytes(content)
    (folder / history.NAME).write_bytes(content)
    found = status.read(folder)
    assert found is None or isinstance(found, dict)
    if found is not None:
        status.is_alive(found)
    history.read(folder)
    assert isinstance(status.figures_of(content), bytes)


@cases(60)
@given(st.binary(max_size=200))
def test_the_looks_behind_an_event(content: bytes) -> None:
    """Packed evidence out of a damaged file: evidence, or none that can be read."""
    try:
        unpack(content)
    except StoreError as error:
        check_sentence(error)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "events.sqlite"
    with Store(path) as store:
        for number in range(60):
            store.add(an_event(str(number)))
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@cases(30)
@given(seed=st.integers(0, 2**32))
def test_a_store_that_is_spoilt(stores: Path, tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """However it is spoilt the daemon gets a store that takes the next event, at once or after it was set aside; and whoever only reads gets a sentence."""
    path = tmp_path_factory.mktemp("store") / "events.sqlite"
    path.write_bytes(injured(stores.read_bytes(), random.Random(seed)))
    for act in (lambda store: store.events(), lambda store: store.count(), lambda store: store.check()):
        try:
            with Store(path, read_only=True) as store:
                act(store)  # type: ignore[no-untyped-call]
        except StoreError as error:
            check_sentence(error, "events.sqlite")
    try:
        with open_store(path) as store:
            try:
                assert store.add(an_event("fresh"))
                assert store.event("fresh") is not None
            except StoreError as error:  # found damaged only now: the daemon sets it aside then
                check_sentence(error, "events.sqlite")
                store.set_aside(datetime.now(UTC))
                assert store.add(an_event("fresh"))
            assert store.count() >= 1
    except StoreError as error:
        check_sentence(error, "events.sqlite", "newer")


SCHEMAS = {
    "of another program": "CREATE TABLE notes (a); INSERT INTO notes VALUES (1)",
    "with our name for something else": "CREATE TABLE events (a); INSERT INTO events VALUES (1)",
    "of the future": "PRAGMA user_version = 900",
    "of no time": "PRAGMA user_version = -5",
    "a view in its place": "CREATE VIEW events AS SELECT 1 AS seq, 'x' AS id",
}


@pytest.mark.parametrize("which", SCHEMAS)
def test_a_store_of_another_schema(which: str, tmp_path: Path) -> None:
    """A sentence, or a store that works; what somebody else wrote is still there."""
    path = tmp_path / "events.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMAS[which])
    before = path.read_bytes()
    try:
        with open_store(path) as store:
            assert store.add(an_event("fresh"))
    except StoreError as error:
        check_sentence(error, "events.sqlite")
    kept = [path, *tmp_path.glob("events.sqlite.*")]
    assert any(one.read_bytes()[:16] == before[:16] for one in kept)
