"""The status page through Flask's own client, on a store and a status file as the daemon leaves them."""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.config import Config, RuntimeConfig, StoreConfig, WebConfig
from edge.records import Character
from edge.status import utc_iso
from edge.store import Store
from edge.web import app as web
from edge.web.site import build
from edge.web.stream import Listener, messages
from tests.builders import an_event


def a_config(folder: Path, **fields: Any) -> Config:
    return Config(store=StoreConfig(path=str(folder / "events.sqlite")), runtime=RuntimeConfig(directory=str(folder / "run")), web=WebConfig(**fields))


def write_status(folder: Path, state: str = "watching", age_s: float = 0.0, **changes: Any) -> None:
    run = folder / "run"
    run.mkdir(exist_ok=True)
    status = {"v": 1, "version": "0", "pid": os.getpid(), "state": state, "detail": "", "updated_at": utc_iso(datetime.now(UTC) - timedelta(seconds=age_s))}
    (run / "status.json").write_text(json.dumps(status | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A device that watches and has seen three plates."""
    with Store(tmp_path / "events.sqlite") as store:
        for id, text in (("1", "AB12CDE"), ("2", "XAB12"), ("3", "ZZ99ZZZ")):
            store.add(an_event(id, text))
        store.add_reason("too small", utc_iso(datetime.now(UTC)), 7)
    write_status(tmp_path)
    return tmp_path


@pytest.fixture
def serve() -> Iterator[Any]:
    apps: list[Flask] = []

    def make(folder: Path, **fields: Any) -> FlaskClient:
        apps.append(web.create_app(a_config(folder, **fields)))
        return apps[-1].test_client()

    yield make
    for app in apps:
        app.extensions["daemon_files"].close()


@pytest.fixture
def client(folder: Path, serve: Any) -> FlaskClient:
    return serve(folder)  # type: ignore[no-any-return]


def test_the_live_page_shows_the_state_the_events_and_why_others_gave_none(client: FlaskClient) -> None:
    page = client.get("/").text
    assert all(shown in page for shown in ("Watching", "Plate Z Z 9 9 Z Z Z", "/crops/3.jpg", "7</b> <span>Too small to read"))


def test_every_page_forbids_inline_code_and_is_never_kept(client: FlaskClient) -> None:
    for path in ("/", "/events", "/events/1", "/nowhere", "/login", "/api/status"):
        answer = client.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"]) == ("nosniff", "same-origin")
        assert answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", answer.text)


def test_static_files_named_with_their_fingerprint_are_kept_for_ever(client: FlaskClient) -> None:
    for path in re.findall(r'"(/static/[^"]+)"', client.get("/").text):
        with client.get(path) as answer:
            assert answer.status_code == 200
            assert ("immutable" in answer.headers["Cache-Control"]) == ("?v=" in path)


def test_script_and_style_of_all_rooms_together_are_small_on_their_way() -> None:
    """As a browser gets them that takes gzip; what one room loads is held in test_web_rooms."""
    files = [file for file in (Path(web.__file__).parent / "static").iterdir() if file.suffix in (".js", ".css")]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 60_000


def test_what_a_plate_or_a_daemon_says_is_text_and_never_markup(folder: Path, serve: Any) -> None:
    evil = '"><script>alert(1)</script>'
    with Store(folder / "events.sqlite") as store:
        store.add(an_event("evil", evil, camera=evil, country=evil, characters=tuple(Character(char, 0.5) for char in evil)))
        store.add_reason(evil, utc_iso(datetime.now(UTC)))
    write_status(folder, "camera lost", detail=evil)
    client = serve(folder)
    for path in ("/", "/events", "/events/evil", "/events?text=%3Cscript%3E", f"/events/{evil}"):
        assert "<script>" not in client.get(path).text


def test_a_dead_daemon_is_said_and_its_events_stay(folder: Path, serve: Any) -> None:
    write_status(folder, age_s=605)
    page = serve(folder).get("/").text
    assert "The daemon fell silent 10 min ago; the events below are kept." in page
    assert "/crops/3.jpg" in page
    write_status(folder, "stopped", age_s=70)
    assert "The daemon stopped 1 min ago" in serve(folder).get("/").text


def test_without_any_file_the_page_stands_and_says_what_is_missing(tmp_path: Path, serve: Any) -> None:
    client = serve(tmp_path)
    page = client.get("/").text
    assert all(said in page for said in ("No daemon has run here yet", "there is no event store yet", "No plate yet"))
    assert client.get("/events").status_code == client.get("/api/events").status_code == 503
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert len(ready.json["reasons"]) == 2
    assert client.get("/healthz").json["ok"] is True


def test_a_half_told_status_breaks_nothing(folder: Path, serve: Any) -> None:
    for changes in ({}, {"camera": None, "stages_ms": None, "plates_in_view": None}, {"stages_ms": {"total": {}}, "bundles": {"reader": {}}}):
        write_status(folder, "starting", **changes)
        assert serve(folder).get("/").status_code == 200


def test_a_store_that_is_none_is_named_and_the_page_stands(tmp_path: Path, serve: Any) -> None:
    (tmp_path / "events.sqlite").write_text("no database, but long enough to be looked at as one" * 20)
    assert "is not an event store" in serve(tmp_path).get("/").text


def test_a_store_made_anew_is_opened_anew(folder: Path, client: FlaskClient) -> None:
    assert len(client.get("/api/events").json["events"]) == 3
    for file in folder.glob("events.sqlite*"):
        file.rename(folder / f"old-{file.name}")
    with Store(folder / "events.sqlite") as store:
        store.add(an_event("new"))
    assert [event["id"] for event in client.get("/api/events").json["events"]] == ["new"]


def test_ready_means_that_the_camera_watches(folder: Path, client: FlaskClient) -> None:
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["ready"], ready.json["reasons"], set(ready.json["parts"].values())) == (200, True, [], {True})
    write_status(folder, "camera lost")
    assert client.get("/readyz").json["reasons"] == ["The camera does not watch: camera lost."]


@pytest.mark.parametrize(
    "arguments",
    [
        "limit=abc",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=%C2%B2",
        "limit=1" + "0" * 5000,
        "match=like",
        "text=" + "A" * 33,
        "text=%25",
    ],
)
def test_a_wrong_argument_is_400_in_the_shape_of_every_error(client: FlaskClient, arguments: str) -> None:
    answer = client.get(f"/api/events?{arguments}")
    assert (answer.status_code, answer.json["error"]["status"]) == (400, 400)
    assert answer.json["error"]["message"].endswith(".")
    assert client.get(f"/events?{arguments}").status_code == 400


@pytest.mark.parametrize("path", ["/api/nothing", "/api/events/9", "/api/status/"])
def test_what_the_api_does_not_have_is_404_in_the_same_shape(client: FlaskClient, path: str) -> None:
    assert client.get(path).json["error"]["status"] == 404


@pytest.mark.parametrize(("match", "found"), [("contains", ["2", "1"]), ("prefix", ["1"]), ("exact", [])])
def test_text_is_searched_as_asked(client: FlaskClient, match: str, found: list[str]) -> None:
    assert [event["id"] for event in client.get(f"/api/events?text=ab-12&match={match}").json["events"]] == found


def test_pages_of_events_join_without_gap_or_double(client: FlaskClient) -> None:
    first = client.get("/api/events?limit=2").json
    second = client.get(f"/api/events?limit=2&before={first['next']}").json
    assert [event["id"] for event in first["events"] + second["events"]] == ["3", "2", "1"]
    assert second["next"] is None
    assert "before=1" not in client.get("/events").text


def test_a_crop_may_be_kept_for_an_hour_by_the_viewer_alone(client: FlaskClient) -> None:
    crop = client.get("/crops/1.jpg")
    assert (crop.data, crop.mimetype) == (b"jpeg of 1", "image/jpeg")
    assert crop.headers["Cache-Control"] == "private, max-age=3600, immutable"
    assert client.get("/crops/9.jpg").status_code == client.get("/crops/../events.sqlite.jpg").status_code == 404


def test_the_live_picture_is_asked_for_by_touch_and_old_ones_are_not_live(folder: Path, client: FlaskClient) -> None:
    answer = client.get("/live.jpg")
    assert (answer.status_code, answer.mimetype) == (503, "image/svg+xml")
    assert (folder / "run" / "watched").exists()
    (folder / "run" / "live.jpg").write_bytes(b"picture")
    fresh = client.get("/live.jpg")
    assert (fresh.status_code, fresh.data) == (200, b"picture")
    assert client.get("/live.jpg", headers={"If-None-Match": fresh.headers["ETag"]}).status_code == 304
    os.utime(folder / "run" / "live.jpg", (1, 1))
    assert client.get("/live.jpg").status_code == 503


def test_asking_for_the_status_is_not_watching(folder: Path, client: FlaskClient) -> None:
    client.get("/api/status")
    assert not (folder / "run" / "watched").exists()


def test_the_stream_tells_missed_events_then_the_status_then_new_events(folder: Path, client: FlaskClient) -> None:
    files, stop, wanted = client.application.extensions["daemon_files"], threading.Event(), iter([True, True, False])
    told = messages(files, Listener("1", lambda: next(wanted)), stop)
    parts = [next(told) for _ in range(2)]
    assert parts[0] == b"retry: 2000\n\n"
    heads = [line for line in parts[1].split(b"\n") if line.startswith((b"id", b"event"))]
    assert heads == [b"id: 2", b"event: plate", b"id: 3", b"event: plate", b"event: status"]
    with Store(folder / "events.sqlite") as store:
        store.add(an_event("4", "NEW1"))
    fresh = next(told)
    assert json.loads(fresh.split(b"data: ")[1].split(b"\n")[0])["text"] == "NEW1"
    assert b"event: status" in fresh
    assert list(told) == []


def test_streams_are_bounded_and_a_closed_one_gives_its_place_back(folder: Path) -> None:
    app = build(a_config(folder), streams=1)
    client = app.test_client()
    first = client.get("/api/stream", buffered=False)
    assert client.get("/api/stream").json["error"]["status"] == 503
    first.close()
    app.extensions["stop"].set()
    assert client.get("/api/stream").status_code == 200
    app.extensions["daemon_files"].close()


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
    ],
)
def test_an_open_page_answers_to_this_machines_own_names_alone(client: FlaskClient, host: str, code: int) -> None:
    assert client.get("/api/status", headers={"Host": host}).status_code == code
