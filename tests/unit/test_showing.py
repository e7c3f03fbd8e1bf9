"""The live picture: made while somebody looks, by a thread of its own, and never at a frame's expense."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge import showing, status
from edge.keeping.settings import PrivacyConfig
from edge.keeping.veil import Veil
from edge.records import Quad
from edge.showing import LivePicture
from tests.fakes import FakeCamera, FakeClock
from tests.unit.test_daemon import FRAMES, a_daemon

PATIENCE_S = 60.0
SEEN = np.zeros((720, 1280, 3), np.uint8)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[LivePicture, FakeClock, FakeClock]]:
    """It, watched, with its two clocks."""
    clock, wall = FakeClock(), FakeClock(1_800_000_000.0)
    made = LivePicture(tmp_path, clock=clock, wall_s=wall)
    (tmp_path / "watched").touch()
    os.utime(tmp_path / "watched", (wall.now, wall.now))
    yield made, clock, wall
    made.close()


def threads(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], Any] = lambda: None) -> list[str]:
    """In which threads a function of OpenCV is called from now on."""
    called, real = list[str](), getattr(cv2, name)

    def noted(*words: Any, **more: Any) -> Any:
        called.append(threading.current_thread().name)
        act()
        return real(*words, **more)

    monkeypatch.setattr(cv2, name, noted)
    return called


def test_it_is_made_only_while_somebody_looks(tmp_path: Path) -> None:
    """No `watched`, an old one, a fresh one; and without a look there is not even a thread."""
    clock, wall = FakeClock(), FakeClock(1_800_000_000.0)
    live = LivePicture(tmp_path, clock=clock, wall_s=wall)
    assert not live.offer(SEEN)
    (tmp_path / "watched").touch()
    os.utime(tmp_path / "watched", (wall.now - 6, wall.now - 6))
    assert not live.offer(SEEN)
    assert live._thread is None
    os.utime(tmp_path / "watched", (wall.now - 4, wall.now - 4))
    assert live.offer(SEEN)
    assert live.wait(PATIENCE_S)
    assert not live.offer(SEEN)  # at most five a second
    clock.advance(0.21)
    assert live.offer(SEEN)
    live.close()
    assert (tmp_path / "live.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert live._thread is not None
    assert not live._thread.is_alive()


def test_while_its_thread_is_behind_a_frame_pays_nothing(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoder hangs, frames go on: none is made small, veiled or described, and no queue grows; then it goes on with the newest."""
    picture, clock, _ = live
    go, described = threading.Event(), list[int]()
    threads(monkeypatch, "imencode", lambda: go.wait(PATIENCE_S))
    assert picture.offer(SEEN)
    shrunk = threads(monkeypatch, "resize")
    for number in range(50):
        clock.advance(1.0)
        assert not picture.offer(np.zeros((1080, 1920), np.uint8), lambda number=number: described.append(number) or {})  # type: ignore[misc]
    assert (threading.current_thread().name in shrunk, described) == (False, [])
    go.set()
    assert picture.wait(PATIENCE_S)
    assert picture.offer(np.zeros((1080, 1920), np.uint8), lambda: described.append(50) or {})
    assert described == [50]


def test_the_frame_s_thread_never_encodes_and_makes_a_picture_small_once(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full HD frame is halved here, which is one operation; the JPEG and the file are the other thread's, which gives way to this one."""
    picture, clock, _ = live
    encoded, shrunk, told = threads(monkeypatch, "imencode"), threads(monkeypatch, "resize"), threads(monkeypatch, "cvtColor")
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(5):
        clock.advance(1.0)
        assert picture.offer(np.zeros((1080, 1920, 3), np.uint8))
        assert picture.wait(PATIENCE_S)
    me = threading.current_thread().name
    assert encoded == ["live picture"] * 5
    assert (shrunk, told) == ([me] * 5, [])
    if (Path("/proc/self/task")).is_dir():
        assert os.getpriority(os.PRIO_PROCESS, picture._thread.native_id) == max(mine, showing.NICE)
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_a_watched_daemon_s_frames_are_worked_without_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: what comes off the daemon's own loop while somebody looks is a picture of the frame that was worked, made elsewhere."""
    daemon, _ = a_daemon(tmp_path, FakeCamera([FRAMES]), [[]] * len(FRAMES))
    encoded = threads(monkeypatch, "imencode")
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "watched").touch()
    monkeypatch.setattr(daemon._live, "is_watched", lambda: True)
    assert daemon.run() == 0
    assert set(encoded) == {"live picture"}
    told = json.loads(status.figures_of((tmp_path / "run" / "live.jpg").read_bytes()))
    assert (told["width"], told["height"], told["plates"]) == (640, 360, [])


def test_the_picture_is_of_its_frame_though_the_camera_fills_the_memory_anew(live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture, clock, _ = live
    for shape in ((90, 160, 3), (720, 1280), (1080, 1920, 3)):
        clock.advance(1.0)
        go = threading.Event()
        with monkeypatch.context() as patch:
            threads(patch, "imencode", lambda go=go: go.wait(PATIENCE_S))  # type: ignore[misc]
            frame = np.full(shape, 200, np.uint8)
            assert picture.offer(frame)
            frame[:] = 0
            go.set()
            assert picture.wait(PATIENCE_S)
        seen = cv2.imread(str(tmp_path / "live.jpg"))
        assert seen is not None
        assert abs(int(seen.mean()) - 200) <= 2


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (1080, 1920), (2160, 3840, 3), (540, 1440), (120, 160, 3)])
def test_it_is_small_and_has_its_figures_with_it(shape: tuple[int, ...]) -> None:
    """At most 960 wide, never enlarged, colour or not; nothing is drawn upon it, and what belongs to it is read from the same bytes."""
    frame, figures = (
        np.full(shape, 60, np.uint8),
        {"number": 3, "plates": [{"text": "AB12CDE\n\u00e4", "quad": [[700, 600], [900, 600], [900, 650], [700, 650]]}]},
    )
    jpeg = showing.encode(showing.small(frame), figures)
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    scale = min(1.0, 960 / shape[1])
    assert shown.shape == (round(shape[0] * scale), round(shape[1] * scale), 3)
    assert np.abs(shown.astype(int) - 60).max() <= 2
    assert json.loads(status.figures_of(jpeg)) == figures
    assert all(32 <= byte < 127 for byte in status.figures_of(jpeg))


def test_more_figures_than_a_header_holds_are_left_out_and_nonsense_has_none() -> None:
    plates = [{"text": "AB12CDE", "quad": [[0.5, 0.5]] * 4}] * 400
    told = json.loads(status.figures_of(showing.encode(np.zeros((90, 160), np.uint8), {"number": 3, "plates": plates})))
    assert told == {"number": 3, "plates": []}
    for content in (b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x00" * 9, b"GIF89a", b"\xff\xd8\xff\xda" + b"\xff\xfe\x00\x04{}"):
        assert status.figures_of(content) == b""


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720)])
def test_what_is_hidden_is_hidden_in_the_small_picture_to_its_last_pixel(size: tuple[int, int]) -> None:
    """A white triangle and a stranger's white plate on black: not a grey pixel is left, before the JPEG is made."""
    width, height = size
    triangle = ((0.1, 0.1), (0.4, 0.15), (0.2, 0.5))
    plate = Quad(((1001.3, 400.7), (1199.2, 420.1), (1190.6, 470.9), (999.8, 455.2)))
    frame = np.zeros((height, width), np.uint8)
    for points in ([(x * width, y * height) for x, y in triangle], plate.points):
        cv2.fillPoly(frame, [np.floor(np.asarray(points)).astype(np.int32)], 255)
    veil = Veil(PrivacyConfig(known_only=True), exclude=[triangle])
    made = showing.small(frame)
    assert made.max() == 255
    assert veil.picture(made, [(plate, "AB12CDE", 0.9)], size).max() == 0


def test_a_folder_that_cannot_be_written_is_said_once_and_frames_go_on(
    live: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, clock, _ = live

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(showing, "replace", refuse)
        for _ in range(3):
            clock.advance(1.0)
            assert picture.offer(SEEN)
            assert picture.wait(PATIENCE_S)
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR] == ["the live picture cannot be written: No space left on device"]
    clock.advance(1.0)
    assert picture.offer(SEEN)
    assert picture.wait(PATIENCE_S)
    assert (tmp_path / "live.jpg").exists()
