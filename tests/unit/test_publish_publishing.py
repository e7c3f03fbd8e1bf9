"""All targets together: with a daemon, without one, and at the command line."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge import status
from edge.cli import main
from edge.config import Config, load
from edge.daemon import Daemon
from edge.pipeline import Pipeline
from edge.publish import publishing
from edge.publish.publishing import site_of
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_frame, a_read, an_event
from tests.fakes import FakeCamera, FakeDetector, FakeReader
from tests.receivers import Receiver, free_port, raw, wait_for
from tests.receivers import status as answering

FRAMES = [a_frame(step / 10, step) for step in range(20)]


def written(folder: Path, targets: str, more: str = "") -> Path:
    path = folder / "watch.toml"
    path.write_text(f"{more}\n[store]\npath = 'events.sqlite'\nkeep_at_least_mb_free = 0\n[runtime]\ndirectory = 'run'\n{targets}")
    return path


def lines_target(name: str = "lines") -> str:
    return f"[[targets]]\nname = '{name}'\nkind = 'jsonl'\npath = '{name}.jsonl'\n"


def a_daemon(config: Config, script: list[Any] | None = None) -> tuple[Daemon, Store]:
    store = Store(config.store.path)
    told = publishing.build(config, store)
    pipeline = Pipeline(
        FakeDetector([[a_detection()]] * 5 if script is None else script), FakeReader(lambda quad: a_read("AB12CDE")), Tracker(1.0), Judge(config.tracking)
    )
    return Daemon(config, FakeCamera([FRAMES]), pipeline, store, publishing=told), store


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []


def test_what_the_daemon_sees_its_targets_hear(tmp_path: Path) -> None:
    """From the frame to the file, and the status says so. What was not delivered when it stopped is, after the next start."""
    config = load(written(tmp_path, lines_target()))
    daemon, store = a_daemon(config)
    daemon.run()
    told = status.read(tmp_path / "run")
    assert told is not None
    (state,) = told["targets"]
    assert (told["detecting"], state["name"], state["failing"]) == (True, "lines", False)
    assert state["pending"] + state["delivered"] == 1
    daemon, store = a_daemon(config, [])
    daemon.run()
    wait_for(lambda: ids(tmp_path / "lines.jsonl") == [event.id for event in store.events()])


def test_without_targets_nothing_is_different(tmp_path: Path) -> None:
    config = load(written(tmp_path, ""))
    daemon, store = a_daemon(config)
    daemon.run()
    told = status.read(tmp_path / "run")
    assert told is not None
    assert "targets" not in told
    assert store.count() == 1


def test_one_dead_target_holds_up_no_other(tmp_path: Path) -> None:
    """A server that hangs for longer than the test; and stopping does not wait for it, nor lose what it did not get."""
    with Receiver(script=[raw(b"", then_wait_s=20)] * 9) as receiver:
        hook = f"[[targets]]\nname = 'hook'\nkind = 'webhook'\nurl = '{receiver.url}'\ntimeout_s = 30\n"
        config = load(written(tmp_path, hook + lines_target()))
        store = Store(config.store.path)
        told = publishing.build(config, store)
        assert told is not None
        told.start()
        for number in range(5):
            store.add(an_event(str(number)))
        told.wake()
        wait_for(lambda: len(ids(tmp_path / "lines.jsonl")) == 5)
        wait_for(lambda: receiver.got)
        began = time.monotonic()
        told.stop()
        assert time.monotonic() - began < 2.5
    again = publishing.build(config, store)
    assert again is not None
    states = {state["name"]: state["pending"] for state in again.as_json()}
    again.stop()
    assert states == {"hook": 5, "lines": 0}


def test_stopping_ends_every_thread(tmp_path: Path) -> None:
    config = load(written(tmp_path, lines_target("a") + lines_target("b")))
    before = threading.active_count()
    told = publishing.build(config, Store(config.store.path))
    assert told is not None
    told.start()
    assert threading.active_count() == before + 2
    told.stop()
    assert threading.active_count() == before


def test_a_device_that_was_never_started_stops_too(tmp_path: Path) -> None:
    config = load(written(tmp_path, lines_target()))
    told = publishing.build(config, Store(config.store.path))
    assert told is not None
    told.stop()


def test_detection_that_is_switched_off_stays_off(tmp_path: Path) -> None:
    """Also after a restart: no event, and the status says why. Switched on, it goes on."""
    config = load(written(tmp_path, lines_target()))
    daemon, store = a_daemon(config)
    assert daemon.publishing is not None
    daemon.publishing._detect(False)
    daemon.run()
    told = status.read(tmp_path / "run")
    assert told is not None
    assert (told["detecting"], told["detail"], store.count()) == (False, "detection is switched off", 0)
    daemon, store = a_daemon(config)
    assert daemon.publishing is not None
    assert not daemon.publishing.detecting
    daemon.publishing._detect(True)
    daemon.run()
    assert store.count() == 1


def test_a_site_has_a_name_of_its_own_and_keeps_the_machine_s_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same after every start, another on another machine, and the machine's id is not in it."""
    (tmp_path / "id").write_text("0123456789abcdef\n")
    monkeypatch.setattr(publishing, "MACHINE_ID", tmp_path / "id")
    config = Config.model_validate({"camera": {"name": "My Gate"}})
    first = site_of(config)
    assert first.node.startswith("my-gate-")
    assert first == site_of(config)
    assert "0123" not in first.node
    (tmp_path / "id").write_text("another\n")
    assert site_of(config).node != first.node
    (tmp_path / "id").unlink()
    assert site_of(config).node.startswith("my-gate-")


def test_the_size_of_a_frame_is_the_camera_s(tmp_path: Path) -> None:
    """The config's until the camera has said its own."""
    config = load(written(tmp_path, lines_target()))
    told = publishing.build(config, Store(config.store.path))
    assert told is not None
    told.observe({"camera": {"width": 0, "height": 0}})
    assert (told._site.width, told._site.height) == (1920, 1080)
    told.observe({"camera": {"width": 640, "height": 360}})
    assert (told._site.width, told._site.height) == (640, 360)
    told.stop()


def test_no_secret_and_no_plate_in_log_or_status(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any target, however it fails; the address counts as a secret too."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HOOK_KEY", "s3cret")
    port = free_port()
    (tmp_path / "url").write_text(f"http://127.0.0.1:{port}/t0ken?key=t0ken\n")
    targets = (
        "[[targets]]\nname = 'hook'\nkind = 'webhook'\nurl = 'file:url'\nsecret = 'env:HOOK_KEY'\nheaders = { X-Key = 'env:HOOK_KEY' }\n"
        f"[[targets]]\nname = 'mq'\nkind = 'mqtt'\nhost = '127.0.0.1'\nport = {port}\nuser = 'me'\npassword = 'env:HOOK_KEY'\n"
        "[[targets]]\nname = 'run'\nkind = 'exec'\ncommand = ['/bin/false']\n"
    )
    config = load(written(tmp_path, targets))
    store = Store(config.store.path)
    told = publishing.build(config, store)
    assert told is not None
    store.add(an_event("1"))
    told.start()
    wait_for(lambda: all(state["failing"] for state in told.as_json()))
    said = caplog.text + json.dumps(told.as_json())
    told.stop()
    assert "Connection refused" in said
    assert [word for word in ("s3cret", "t0ken", "AB12CDE") if word in said] == []


def test_the_list_says_how_each_target_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first start, after it, and without any."""
    path = written(tmp_path, lines_target() + "[[targets]]\nname = 'mq'\nkind = 'mqtt'\nhost = 'localhost'\ntopic = 'yard'\n")
    assert main(["targets", "--config", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == ["lines: native by jsonl; never started", "mq: native by mqtt on yard/...; never started"]
    config = load(path)
    store = Store(config.store.path)
    told = publishing.build(config, store)
    assert told is not None
    store.add(an_event("1"))
    assert main(["targets", "--config", str(path)]) == 0
    assert "lines: native by jsonl; 1 waiting, 0 delivered, 0 dropped, 0 set aside (the daemon is not running)" in capsys.readouterr().out
    status.StatusFile(tmp_path / "run").offer(
        lambda: {
            "v": 1,
            "pid": os.getpid(),
            "state": "watching",
            "updated_at": status.utc_iso(datetime.now(UTC)),
            "targets": [told.as_json()[0] | {"failing": True, "last_error": "the file cannot be written", "last_error_at": "x"}],
        }
    )
    assert main(["targets", "--config", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "lines: native by jsonl; failing; 1 waiting, 0 delivered, 0 dropped, 0 set aside",
        "  now: the file cannot be written",
    ]
    told.stop()
    path.write_text("")
    assert main(["targets", "--config", str(path)]) == 0
    assert "no targets" in capsys.readouterr().out


def test_a_test_event_says_what_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is marked, it goes past the outbox, and no store is needed or made; a failure is one sentence and exit 1."""
    with Receiver(script=[answering(204), answering(401)]) as receiver:
        path = written(tmp_path, f"[[targets]]\nname = 'hook'\nkind = 'webhook'\nurl = '{receiver.url}'\npicture = 'base64'\n")
        assert main(["targets", "--config", str(path), "--test", "hook"]) == 0
        assert capsys.readouterr().out.startswith("hook: it has the test event test-")
        assert main(["targets", "--config", str(path), "--test", "hook"]) == 1
        assert capsys.readouterr().err == "platewatch: target 'hook': it answers 401 Unauthorized\n"
        assert main(["targets", "--config", str(path), "--test", "hok"]) == 1
        assert capsys.readouterr().err == "platewatch: there is no target 'hok'; did you mean 'hook'?\n"
    said = json.loads(receiver.got[0][1])
    assert (said["test"], said["text"]) == (True, "TEST")
    assert said["picture_jpeg"].startswith("/9j/")
    assert not (tmp_path / "events.sqlite").exists()


def test_what_was_set_aside_is_offered_again_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, lines_target())
    config = load(path)
    store = Store(config.store.path)
    told = publishing.build(config, store)
    assert told is not None
    store.add(an_event("1"))
    parcel = told.outbox.next("lines")
    assert parcel is not None
    told.outbox.set_aside(parcel, "no")
    assert main(["targets", "--config", str(path), "--again", "lines"]) == 0
    assert capsys.readouterr().out == "lines: 1 events wait once more\n"
    assert told.outbox.next("lines") == parcel
    told.stop()
