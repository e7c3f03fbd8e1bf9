"""The daemon on a fake camera: its states, its losses, its farewell."""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import pytest

from edge import status, wiring
from edge.camera.pump import Pump
from edge.config import Config
from edge.daemon import Daemon, notify
from edge.errors import ConfigError
from edge.model.bundle import Bundle
from edge.pipeline import Pipeline
from edge.records import Detection, Frame, Pass
from edge.slot import Slot
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_frame, a_read, an_event
from tests.fakes import FakeCamera, FakeDetector, FakeReader

FRAMES = [a_frame(step / 10, step) for step in range(20)]


def a_config(folder: Path) -> Config:
    return Config.model_validate({"runtime": {"directory": str(folder / "run")}, "store": {"path": str(folder / "events.sqlite"), "keep_at_least_mb_free": 0}})


def a_daemon(folder: Path, camera: FakeCamera, script: list[list[Detection]] | None = None, **guests: Any) -> tuple[Daemon, Store]:
    config = a_config(folder)
    script = [[a_detection()]] * 5 if script is None else script
    pipeline = Pipeline(FakeDetector(script), FakeReader(lambda quad: a_read("AB12CDE")), Tracker(1.0), Judge(config.tracking))
    store = Store(config.store.path)
    return Daemon(config, camera, pipeline, store, bundles={"detector": {"name": "fake", "sha256": "0"}}, **guests), store


def test_a_recording_becomes_events_and_a_farewell(tmp_path: Path) -> None:
    """Every frame worked, the event stored, the reason counted, the last status complete."""
    daemon, store = a_daemon(tmp_path, FakeCamera([FRAMES]), [[a_detection(), a_detection(x=400, width=20)]] * 5)
    assert daemon.run() == 0
    assert [event.text for event in store.events()] == ["AB12CDE"]
    assert store.reasons("2000") == {"too small": 1}
    told = status.read(tmp_path / "run")
    assert told is not None
    assert (told["state"], told["detail"], told["events"], told["reasons"]) == ("stopped", "", 1, {"too small": 1})
    assert told["camera"] == {
        "name": "camera", "kind": "fake", "width": 640, "height": 360, "fps": 10.0, "frames": 20, "dropped": 0, "reopened": 0, "skipped": 0,
    }  # fmt: skip
    assert set(told) == {
        "v", "version", "pid", "state", "detail", "started_at", "updated_at", "camera", "fps", "stages_ms", "plates_in_view", "events", "totals", "reasons",
        "bundles", "threads", "store", "detecting",
    }  # fmt: skip


def test_a_plate_still_in_view_at_the_end_is_not_lost(tmp_path: Path) -> None:
    """SIGTERM while a car passes: what agreed so far is kept."""
    daemon, store = a_daemon(tmp_path, FakeCamera([FRAMES[:4]]))
    daemon.run()
    assert store.count() == 1


def test_a_lost_camera_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unplugged, not there, back again: frames go on, the reopening is counted once, and the waits grow."""
    monkeypatch.setattr("edge.camera.pump.back_off_s", lambda attempts: 0.0)
    camera = FakeCamera([FRAMES[:10], [], FRAMES[10:]])
    daemon, store = a_daemon(tmp_path, camera)
    assert daemon.run() == 0
    told = status.read(tmp_path / "run")
    assert told is not None
    assert (told["camera"]["frames"], told["camera"]["reopened"], camera.opened, store.count()) == (20, 1, 3, 1)
    assert camera.closed == 2  # what could not be opened needs no closing


def test_while_the_camera_is_lost_the_status_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon lives on, in the state `camera lost`, with the reason; then it is told to stop and does."""
    monkeypatch.setattr("edge.camera.pump.back_off_s", lambda attempts: 60.0)
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES[:3], FRAMES]))
    seen: list[dict[str, Any]] = []
    daemon._status._interval_s = 0.0
    turn = daemon.turn

    def watched_turn() -> None:
        turn()
        seen.append(status.read(tmp_path / "run") or {})
        if seen[-1]["state"] == "camera lost":
            daemon.stop()

    monkeypatch.setattr(daemon, "turn", watched_turn)
    assert daemon.run() == 0
    assert seen[-1]["detail"] == "the fake was unplugged; trying again"
    assert (status.read(tmp_path / "run") or {})["state"] == "stopped"


def test_what_no_patience_mends_ends_the_daemon(tmp_path: Path) -> None:
    """A camera that is set up wrongly is an error with a sentence, not an endless retry; the farewell is said all the same."""

    class Misconfigured(FakeCamera):
        def __enter__(self) -> Any:
            raise ConfigError("set camera.source")

    daemon, _ = a_daemon(tmp_path, Misconfigured([FRAMES]))
    with pytest.raises(ConfigError, match=r"set camera\.source"):
        daemon.run()
    assert (status.read(tmp_path / "run") or {})["state"] == "stopped"


def test_a_runtime_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]))
    (tmp_path / "run").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match=r"runtime\.directory"):
        daemon.run()


def test_plates_are_not_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO an event has an id and numbers; only at DEBUG its text."""
    caplog.set_level(logging.DEBUG)
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]))
    daemon.run()
    levels = {record.levelno for record in caplog.records if "AB12CDE" in record.getMessage()}
    assert levels == {logging.DEBUG}
    assert any(record.levelno == logging.INFO and "event" in record.getMessage() for record in caplog.records)


def test_a_store_that_is_locked_for_a_while_does_not_end_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program writes for the whole recording: the status names the trouble, and the event is there once it lets go."""
    daemon, store = a_daemon(tmp_path, FakeCamera([FRAMES]))
    store._db.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(tmp_path / "events.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    turn, details = daemon.turn, list[str]()

    def turn_and_let_go() -> None:
        turn()
        if daemon._keeper.trouble and not details:
            details.append(daemon.account.compose()["detail"])
            other.execute("COMMIT")

    monkeypatch.setattr(daemon, "turn", turn_and_let_go)
    daemon.run()
    other.close()
    assert "another program holds it" in details[0]
    assert store.count() == 1


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """READY when it watches, WATCHDOG with a frame, STOPPING at the end, over a real datagram socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]))
        daemon.run()
        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_the_watchdog_starves_without_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that still turns but sees nothing new is no healthy daemon."""
    told: list[str] = []
    monkeypatch.setattr("edge.daemon.notify", told.append)
    daemon, _ = a_daemon(tmp_path, FakeCamera([[]]))
    monkeypatch.setattr("edge.daemon.TICK_S", 0.0)
    for _ in range(5):
        daemon.turn()
    assert told == []


def test_the_watchdog_starves_on_a_frozen_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames come and are worked, but they are all the same: fed once, by the first."""
    told: list[str] = []
    monkeypatch.setattr("edge.daemon.notify", told.append)
    now = [100.0]
    camera = FakeCamera([[a_frame(step / 10, step) for step in range(20)]], waits=False)
    daemon, _ = a_daemon(tmp_path, camera, [])
    daemon._clock = lambda: now[0]
    put = daemon._slot.put

    def put_and_turn(frame: Frame, *, wait_s: float = 0.0) -> None:
        put(frame, wait_s=wait_s)
        now[0] += 5
        daemon.turn()

    monkeypatch.setattr(daemon._slot, "put", put_and_turn)
    monkeypatch.setattr("edge.camera.checkup.is_picture", lambda luma: True)
    daemon.pump.run()
    assert (daemon.pump.frames, daemon.pump.fresh, told) == (20, 1, ["WATCHDOG=1"])


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """No socket: silence. A socket that is gone: a warning, and life goes on."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    assert caplog.text == ""
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    notify("READY=1")
    assert "systemd cannot be told" in caplog.text


def test_a_config_becomes_a_running_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wiring with fake networks, on a folder of pictures worked through: one car, one event; what the config says arrives."""
    asked: list[tuple[Path, int, int]] = []
    networks = {"detector": FakeDetector([[a_detection()]] * 4), "reader": FakeReader(lambda quad: a_read("AB12CDE"))}

    def load(folder: Path, kind: str, models: Any) -> Bundle:
        asked.append((folder, models.threads, models.closer_looks))
        return Bundle(SimpleNamespace(name="fake", sha256="0" * 64), b"", networks[kind])  # type: ignore[arg-type]

    monkeypatch.setattr("edge.model.networks.load_bundle", load)
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), a_frame().luma)
    camera = {"name": "yard", "kind": "files", "source": str(tmp_path), "real_time": False, "fps_limit": 10}
    config = a_config(tmp_path).model_dump() | {
        "camera": camera,
        "country": {"code": "gb"},
        "models": {"threads": 3, "reader": "/my/reader", "closer_looks": 1},
    }
    assert wiring.build(Config.model_validate(config)).run() == 0
    (event,) = Store(tmp_path / "events.sqlite", read_only=True).events()
    assert (event.camera, event.text, event.looks, event.country) == ("yard", "AB12CDE", 4, "gb")
    assert asked == [(wiring.BUNDLES / "detector", 3, 1), (Path("/my/reader"), 3, 1)]
    told = status.read(tmp_path / "run") or {}
    reader = told["bundles"]["reader"]
    assert (told["threads"], reader["name"], reader["sha256"], told["camera"]["dropped"]) == (3, "fake", "0" * 64, 0)
    assert (told["threads_by"], told["attention"]["looked"], told["attention"]["passed_over"]) == ("set", 6, 0)
    assert told["governor"]["step"] == 0


def test_a_live_camera_drops_what_nobody_fetches() -> None:
    """The pump alone: all but the newest are dropped and counted."""
    slot = Slot[Frame]()
    Pump(FakeCamera([FRAMES], waits=False), slot, threading.Event()).run()
    newest = slot.get(0)
    assert newest is not None
    assert (newest.index, slot.dropped) == (19, 19)


class Doorman:
    """A gate that notes what it is shown, and when it is closed."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.closed = False

    def consider(self, passes: list[Pass], now: float) -> None:
        assert not self.closed
        self.seen += [f"{one.text} {one.agreeing}" for one in passes]

    def problem(self) -> str:
        return ""

    def as_json(self) -> dict[str, Any]:
        return {"opened": 0}

    def close(self) -> None:
        self.closed = True


def test_the_gate_sees_every_believed_plate_and_is_closed_first(tmp_path: Path) -> None:
    """With the second agreeing look and every one after it; closed however the daemon ends."""
    doorman = Doorman()
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]), gate=doorman)
    daemon.run()
    assert doorman.seen == [f"AB12CDE {number}" for number in (2, 3, 4, 5)]
    assert doorman.closed
    assert (status.read(tmp_path / "run") or {})["gate"] == {"opened": 0}


def test_a_gate_is_closed_when_the_pipeline_breaks(tmp_path: Path) -> None:
    """A bug is a bug, but no open gate."""
    doorman = Doorman()
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]), gate=doorman)

    def broken(frame: Frame) -> Any:
        raise ZeroDivisionError

    daemon.pipeline.step = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        daemon.run()
    assert doorman.closed


def test_a_preview_is_stored_until_its_event_comes(tmp_path: Path) -> None:
    """One id, one row; the status counts one event."""
    daemon, store = a_daemon(tmp_path, FakeCamera([FRAMES]))
    kept: list[tuple[str, bool]] = []
    add = store.add
    store.add = lambda event: kept.append((event.id, event.preview)) or add(event)  # type: ignore[method-assign,func-returns-value]
    daemon.run()
    assert [preview for _, preview in kept] == [True, False]
    assert len({id for id, _ in kept}) == 1
    assert (store.count(), (status.read(tmp_path / "run") or {})["events"]) == (1, 1)


def test_a_preview_that_is_withdrawn_is_gone_from_the_store(tmp_path: Path) -> None:
    """The vote took an ignored plate for another one at first."""
    daemon, store = a_daemon(tmp_path, FakeCamera([FRAMES]))
    store.add(an_event("early", preview=True))
    daemon.pipeline.judge.withdrawn.append("early")
    daemon.run()
    assert store.event("early") is None


def test_what_is_wrong_with_the_lists_is_told(tmp_path: Path) -> None:
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]), lists=SimpleNamespace(trouble="a.csv, line 2: has no plate", as_json=dict))
    daemon.run()
    assert (status.read(tmp_path / "run") or {})["detail"] == "a.csv, line 2: has no plate"
