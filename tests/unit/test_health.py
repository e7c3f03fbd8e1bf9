"""`/healthz`, `/readyz`, `/metrics`: what they say, and to whom."""

from __future__ import annotations

import base64
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from edge.config import Config, RuntimeConfig, StoreConfig, WebConfig
from edge.status import utc_iso
from edge.store import Store
from edge.web import auth
from edge.web.site import build
from tests.builders import an_event
from tests.unit.test_exposition import parse

PASSWORD = "correct horse"
HASH = auth.hash_password(PASSWORD)
ELSEWHERE = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}


def write_status(folder: Path, state: str = "watching", age_s: float = 0.0, **changes: Any) -> None:
    """As the daemon leaves it, by this very process."""
    (folder / "run").mkdir(exist_ok=True)
    told = {"v": 1, "version": "0", "pid": os.getpid(), "state": state, "detail": "", "updated_at": utc_iso(datetime.now(UTC) - timedelta(seconds=age_s))}
    (folder / "run/status.json").write_text(json.dumps(told | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("1", "AB12CDE"))
    write_status(tmp_path, bundles={"detector": {"name": "d"}, "reader": {"name": "r"}}, plates_in_view=[{"text": "ZZ99ZZZ"}], events=1)
    return tmp_path


@pytest.fixture
def serve(request: pytest.FixtureRequest) -> Any:
    def start(folder: Path, *, password: bool = False) -> FlaskClient:
        web = WebConfig(host="0.0.0.0", password_hash=HASH) if password else WebConfig()
        app = build(Config(store=StoreConfig(path=str(folder / "events.sqlite")), runtime=RuntimeConfig(directory=str(folder / "run")), web=web), 1)
        request.addfinalizer(app.extensions["daemon_files"].close)
        return app.test_client()

    return start


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"prometheus:{password}".encode()).decode()}


def test_metrics_are_well_formed_and_hold_no_plate(folder: Path, serve: Any) -> None:
    answer = serve(folder).get("/metrics")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    _, lines = parse(answer.text)
    found = {line.name: line.value for line in lines}
    assert found["platewatch_up"] == 1
    assert found["platewatch_store_events"] == 1
    assert found["platewatch_process_resident_memory_bytes"] > 0
    assert "AB12CDE" not in answer.text
    assert "ZZ99ZZZ" not in answer.text


def test_metrics_stand_without_a_daemon_and_without_a_store(tmp_path: Path, serve: Any) -> None:
    _, lines = parse(serve(tmp_path).get("/metrics").text)
    assert {line.name: line.value for line in lines}["platewatch_up"] == 0


def test_a_stranger_learns_that_it_is_ready_and_no_more(folder: Path, serve: Any) -> None:
    """From another machine, or through a proxy on this one: the code and one word; the metrics want the password."""
    client = serve(folder, password=True)
    proxied = {"headers": {"X-Forwarded-For": "192.0.2.7"}}
    for how in (ELSEWHERE, proxied, {"headers": {"Via": "1.1 proxy"}}, {"headers": {"X-Forwarded-Proto": "https"}}, {"headers": {"Host": "gate.example"}}):
        assert client.get("/readyz", **how).json == {"ready": True}
        assert client.get("/healthz", **how).json == {"ok": True}
        answer = client.get("/metrics", **how)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert "platewatch_" not in answer.text
    write_status(folder, "camera lost")
    answer = client.get("/readyz", **ELSEWHERE)
    assert (answer.status_code, answer.json) == (503, {"ready": False})


def test_this_machine_itself_needs_no_password(folder: Path, serve: Any) -> None:
    client = serve(folder, password=True)
    assert client.get("/metrics").status_code == 200
    assert client.get("/readyz").json["parts"] == dict.fromkeys(("daemon", "camera", "models", "store", "disk"), True)
    assert "version" in client.get("/healthz").json


def test_prometheus_may_send_the_password_and_it_is_worked_out_once(folder: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape every few seconds must not cost 16 MB and a tenth of a second each."""
    client, asked = serve(folder, password=True), list[str]()
    real = auth.is_password
    monkeypatch.setattr(auth, "is_password", lambda password, hashed: asked.append(password) or real(password, hashed))
    for _ in range(3):
        assert client.get("/metrics", headers=basic(PASSWORD), **ELSEWHERE).status_code == 200
    assert asked == [PASSWORD]
    assert client.get("/api/events", headers=basic(PASSWORD), **ELSEWHERE).status_code == 401  # for the metrics alone


def test_guessing_the_password_at_the_metrics_is_slowed_down_like_at_the_door(folder: Path, serve: Any) -> None:
    client = serve(folder, password=True)
    codes = [client.get("/metrics", headers=basic(f"wrong {n}"), **ELSEWHERE).status_code for n in range(auth.FREE_FAILURES + 1)]
    assert codes == [401] * auth.FREE_FAILURES + [429]
    answer = client.get("/metrics", headers=basic(PASSWORD), **ELSEWHERE)
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (429, True)


@pytest.mark.parametrize(
    ("changes", "part", "words"),
    [
        ({"state": "camera lost"}, "camera", "The camera does not watch: camera lost."),
        ({"state": "idle"}, "camera", "The camera does not watch: idle."),
        ({"state": "camera lost", "detail": "it was unplugged"}, "camera", "The camera does not watch: camera lost (it was unplugged)."),
        ({"state": "safe mode", "detail": "line 3 is wrong", "bundles": {}}, "daemon", "Safe mode: line 3 is wrong."),
        ({"bundles": {"detector": {}}}, "models", "The models are not loaded: reader missing."),
        ({"bundles": {}}, "models", "The models are not loaded: detector and reader missing."),
        ({"age_s": 30.0}, "daemon", "The daemon does not run. It last spoke 30 s ago."),
    ],
)
def test_the_part_that_fails_is_named(folder: Path, serve: Any, changes: dict[str, Any], part: str, words: str) -> None:
    write_status(folder, **changes)
    answer = serve(folder).get("/readyz")
    assert (answer.status_code, answer.json["reasons"]) == (503, [words])
    assert [name for name, ok in answer.json["parts"].items() if not ok] == [part]


def test_a_full_disk_is_not_ready_but_a_little_less_than_the_floor_is(folder: Path, serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon makes room up to the floor by itself."""
    for free_mb, ready in ((190, True), (90, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free_mb=free_mb: SimpleNamespace(free=free_mb * 1_000_000))
        answer = serve(folder).get("/readyz")
        assert answer.json["parts"]["disk"] is ready
    assert "The disk is almost full: 90 MB free, and 200 MB are to stay free." in answer.json["reasons"]


def test_a_broken_store_is_not_ready(folder: Path, serve: Any) -> None:
    for file in folder.glob("events.sqlite*"):
        file.unlink()
    (folder / "events.sqlite").write_text("no database, but long enough to be looked at as one" * 20)
    assert [name for name, ok in serve(folder).get("/readyz").json["parts"].items() if not ok] == ["store"]
