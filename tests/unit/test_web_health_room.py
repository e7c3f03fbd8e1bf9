"""The room Health: it says what needs somebody, and lets those who may do something about it."""

from __future__ import annotations

import io
import itertools
import json
import os
import sqlite3
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge import history
from edge.errands import Answer
from edge.publish.tables import SCHEMA
from edge.status import utc_iso
from edge.store import Store
from edge.web import app as web
from edge.web import nursing, vitals
from edge.web.examination import examination
from tests.builders import an_event
from tests.pages import a_config, a_page, csrf, logged_in, the_access, token

OTHER = "another good one"
CALM: dict[str, Any] = {
    "temperature_c": 48.0, "supply": [], "governor": {"step": 0, "words": ""}, "memory": {"total": 4 << 30, "free": 3 << 30, "swap": 0, "swap_free": 0},
    "disk": {"total": 32_000_000_000, "free": 20_000_000_000, "store": 1, "keep_free": 500_000_000}, "written": {"today": 1, "yesterday": 1},
    "camera": {"state": "watching", "detail": ""}, "daemon": {"alive": True, "version": "1", "waits": ""}, "page": {"version": "1"},
    "clock": {"plausible": True, "synchronised": True}, "targets": [],
}  # fmt: skip
TARGET = {"name": "hook", "failing": False, "pending": 0, "refused": 0, "last_error": ""}


def tell(folder: Path, **changes: Any) -> None:
    """What a living daemon says."""
    (folder / "run").mkdir(exist_ok=True)
    now = datetime.now(UTC)
    told = {"v": 1, "pid": os.getpid(), "version": "source", "state": "watching", "detail": "", "updated_at": utc_iso(now), "started_at": utc_iso(now)}
    (folder / "run/status.json").write_text(json.dumps(told | changes))


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({}, []),
        ({"daemon": {"alive": False, "version": None, "waits": ""}}, ["daemon"]),
        ({"camera": {"state": "camera lost", "detail": "gone"}}, ["camera"]),
        ({"supply": ["under-voltage now"]}, ["voltage_now"]),
        ({"supply": ["under-voltage since the start", "throttled since the start"]}, ["voltage_once", "was_hot"]),
        ({"temperature_c": 81.0}, ["hot"]),
        ({"temperature_c": None, "supply": None}, []),
        ({"memory": {"total": 1 << 30, "free": 100 << 20, "swap": 0, "swap_free": 0}}, ["memory"]),
        ({"memory": {"total": 1 << 30, "free": 1 << 29, "swap": 100, "swap_free": 20}}, ["swap"]),
        ({"disk": {"total": 10**9, "free": 10**8, "store": 1, "keep_free": 500_000_000}}, ["disk"]),
        ({"clock": {"plausible": True, "synchronised": False}}, ["clock"]),
        ({"clock": {"plausible": True, "synchronised": None}}, []),
        ({"targets": [TARGET | {"failing": True, "refused": 2}]}, ["target_failing", "target_refused"]),
        ({"daemon": {"alive": True, "version": "2", "waits": "restart Platewatch"}}, ["waits", "versions"]),
    ],
)
def test_what_needs_somebody_is_told_and_nothing_else(change: dict[str, Any], keys: list[str]) -> None:
    assert [one.key for one in vitals.troubles(CALM | change)] == keys


def test_how_fast_a_card_wears_is_told_by_a_whole_day_alone() -> None:
    assert vitals.rounds_days({"today": 10**12, "yesterday": None}, {"total": 32}) is None
    assert vitals.rounds_days({"today": 1, "yesterday": 8}, {"total": 32}) == 4.0


def test_a_curve_leaves_gaps_where_nothing_is_known() -> None:
    assert vitals.path_of([0.0, 1.0, None, 0.5, 9.0], 0.0, 1.0) == "M0.0 23.0L25.0 1.0M75.0 12.0L100.0 1.0"


def test_the_last_day_is_noted_every_ten_minutes_and_no_longer(tmp_path: Path) -> None:
    kept = history.History(tmp_path)
    begin = datetime(2026, 11, 23, tzinfo=UTC)
    for minute in range(0, 2000, 5):
        at = utc_iso(begin + timedelta(minutes=minute))
        kept.note({"updated_at": at, "state": "watching", "fps": 9.5, "camera": {"dropped": minute}})
    rows = history.read(tmp_path)
    assert len(rows) == history.KEEP
    assert {later[0] - earlier[0] for earlier, later in itertools.pairwise(rows)} == {600}
    assert {(row[2], row[4]) for row in rows} == {(9.5, 10)}
    again = history.History(tmp_path)  # a daemon that was started anew goes on
    again.note({"updated_at": utc_iso(begin + timedelta(minutes=2010)), "state": "camera lost", "fps": 0, "camera": {"dropped": 3}})
    assert history.read(tmp_path)[-1][2:5:2] == (None, None)
    (tmp_path / history.NAME).write_text('{"v": 1, "rows": [[1, 2], "x", [1, "<b>", 2, 3, 4]]}')
    assert history.read(tmp_path) == []


def test_what_the_doctor_says_is_read_as_it_comes(tmp_path: Path) -> None:
    assert examination(tmp_path) == {"state": "", "at": None, "findings": []}
    file = tmp_path / "doctor.jsonl"
    file.write_text('{"state": "good", "what": "disk", "words": "well", "mend": ""}\n{"state": "ba')
    found = examination(tmp_path)
    assert (found["state"], found["findings"]) == ("running", [{"state": "good", "what": "disk", "words": "well", "mend": ""}])
    os.utime(file, (time.time() - 1000,) * 2)
    assert examination(tmp_path)["state"] == "broken off"
    with file.open("a") as lines:
        lines.write('d"}\n{"done": true, "code": 0}\n')
    assert examination(tmp_path)["state"] == "done"


def test_the_room_shows_the_figures_and_what_needs_somebody(tmp_path: Path) -> None:
    evil = "<script>x</script>"
    target = TARGET | {"kind": "webhook", "dialect": "native", "failing": True, "pending": 7, "refused": 1, "last_error": evil}
    tell(tmp_path, targets=[target], camera={"frames": 12345, "losses": {"stalled": 2}}, store={"written_bytes": {"today": 5_000_000, "yesterday": 10**7}})
    page = logged_in(a_page(tmp_path)).get("/health?lang=de").text
    assert "hook ist nicht erreichbar; 7 Ereignisse warten darauf." in page
    assert "12.345" in page
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_a_device_that_never_ran_is_a_room_too(tmp_path: Path) -> None:
    client = logged_in(a_page(tmp_path))
    assert "The daemon does not run" in client.get("/health").text
    told = client.get("/api/health").json
    assert told["troubles"][0]["key"] == "daemon"
    assert told["daemon"]["alive"] is False


@pytest.mark.parametrize(
    ("role", "sees"), [("viewer", []), ("operator", ["/metrics"]), ("admin", ["/metrics", "/health/restart", "/health/doctor", "Who looked"])]
)
def test_each_sees_what_is_theirs(tmp_path: Path, role: str, sees: list[str]) -> None:
    the_access(tmp_path).add_user("jo", role, OTHER)
    tell(tmp_path, targets=[TARGET | {"kind": "csv", "dialect": "native"}])
    client = logged_in(a_page(tmp_path), "jo", OTHER)
    page = client.get("/health").text
    assert [what for what in ("/metrics", "/health/restart", "/health/doctor", "Who looked") if f'"{what}"' in page or f">{what}<" in page] == sees
    assert ("/health/target" in page) == (role == "admin")


@pytest.mark.parametrize("path", ["doctor", "restart", "support", "target"])
def test_who_only_looks_does_nothing_to_the_device(tmp_path: Path, path: str) -> None:
    the_access(tmp_path).add_user("jo", "operator", OTHER)
    client = logged_in(a_page(tmp_path), "jo", OTHER)
    assert client.post(f"/health/{path}", data={"csrf": token(client, "/health"), "name": "hook"}).status_code == 403
    headers = csrf(client)
    api = "/api/targets/hook/test" if path == "target" else f"/api/health/{path}"
    assert client.post(api, headers=headers).status_code == 403
    assert client.get("/api/accesses").status_code == 403


def test_restart_and_doctor_are_errands_and_their_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    class Daemon:
        def __init__(self, directory: Path) -> None:
            assert directory == tmp_path / "run"

        def ask(self, kind: str, who: str = "") -> Answer:
            asked.append((kind, who))
            return Answer(kind == "doctor", "the daemon has its reasons")

    monkeypatch.setattr(nursing, "Errands", Daemon)
    tell(tmp_path)
    client = logged_in(a_page(tmp_path))
    assert client.post("/health/doctor", data={"csrf": token(client, "/health")}).headers["Location"] == "/health#doctor"
    assert "reasons" not in client.get("/health").text  # the room shows the doctor at work
    assert client.post("/health/restart", data={"csrf": token(client, "/health")}).status_code == 303
    assert "The daemon has its reasons." not in client.get("/health?quiet=1").text
    assert "The daemon has its reasons." in client.get("/health").text
    assert "The daemon has its reasons." not in client.get("/health").text
    assert client.post("/api/health/restart", headers=csrf(client)).status_code == 409
    assert asked == [("doctor", "admin"), ("restart", "admin"), ("restart", "admin")]


@pytest.fixture
def device(tmp_path: Path) -> Any:
    """With a config file, a store and one target."""
    paths = f'[store]\npath = "{tmp_path}/events.sqlite"\n[runtime]\ndirectory = "{tmp_path}/run"\n'
    (tmp_path / "c.toml").write_text(f'{paths}[[targets]]\nname = "file"\nkind = "jsonl"\npath = "{tmp_path}/out.jsonl"\n')
    Store(tmp_path / "events.sqlite").close()
    return logged_in(web.create_app(a_config(tmp_path), tmp_path / "c.toml"))


def test_a_target_is_tested_and_asked_again(device: Any, tmp_path: Path) -> None:
    """By the command, in a process of its own; what is not there is a sentence."""
    answer = device.post("/api/targets/file/test", headers=csrf(device))
    assert (answer.status_code, "it has the test event" in answer.json["sentence"]) == (200, True)
    assert "test-" in (tmp_path / "out.jsonl").read_text()
    assert device.post("/api/targets/file/retry", headers=csrf(device)).json["sentence"] == "file: 0 events wait once more"
    device.post("/health/target", data={"csrf": token(device, "/health"), "name": "--help", "test": "1"})
    assert "There is no target" in device.get("/health").text


def test_the_support_bundle_has_what_the_doctor_has_just_said(device: Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run/doctor.jsonl").write_text('{"state": "note", "what": "disk", "words": "rather full", "mend": ""}\n{"done": true, "code": 0}\n')
    answer = device.post("/health/support", data={"csrf": token(device, "/health")})
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="platewatch-support-')
    assert "rather full" in zipfile.ZipFile(io.BytesIO(answer.data)).read("doctor.jsonl").decode()


def test_one_support_bundle_at_a_time(device: Any) -> None:
    with nursing._bundling:
        assert device.post("/api/health/support", headers=csrf(device)).status_code == 409


def test_who_looked_is_told_to_who_manages_the_access(device: Any, tmp_path: Path) -> None:
    with Store(tmp_path / "events.sqlite") as store:
        store.note_access("2026-11-23T06:00:00.000+00:00", "<b>ann</b>", "exported events", 3, 100)
    told = device.get("/api/accesses?limit=5").json["accesses"]
    assert told == [{"at": "2026-11-23T06:00:00.000+00:00", "who": "<b>ann</b>", "did": "exported events", "events": 3}]
    assert "&lt;b&gt;ann" in device.get("/health").text


def test_the_oldest_event_that_waits_is_told(tmp_path: Path) -> None:
    """What was set aside waits for nobody; a store without an outbox is no trouble."""
    page = a_page(tmp_path)
    files = page.extensions["daemon_files"]
    assert vitals.oldest_waiting(files) == {}
    with Store(tmp_path / "events.sqlite") as store:
        for number in range(3):
            store.add(an_event(str(number), last_seen=f"2026-11-23T06:0{number}:00.000+00:00"))
        assert vitals.oldest_waiting(files) == {}
        with sqlite3.connect(tmp_path / "events.sqlite") as db:
            db.executescript(SCHEMA)
            rows = [("a", "0", "unwanted"), ("a", "1", None), ("a", "2", None), ("b", "2", None)]
            db.executemany("INSERT INTO outbox (target, event, stage, refused) VALUES (?, ?, 'final', ?)", rows)
        db.close()
    assert vitals.oldest_waiting(files) == {"a": "2026-11-23T06:01:00.000+00:00", "b": "2026-11-23T06:02:00.000+00:00"}
    files.close()
