"""Real streams that die, stall, freeze and talk nonsense: an RTSP server of GStreamer's on the loopback, OpenCV's FFmpeg, the real pump and daemon."""

from __future__ import annotations

import logging
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import status
from edge.attention.attention import Attention
from edge.camera.checkup import Patience
from edge.camera.kinds import KINDS
from edge.camera.opencv import OpenCvCamera
from edge.camera.pump import Pump
from edge.camera.settings import CameraConfig, NightConfig
from edge.config import Config
from edge.daemon import Daemon
from edge.errors import CameraLost
from edge.pipeline import Pipeline
from edge.records import Frame
from edge.slot import Slot
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_read
from tests.fakes import FakeDetector, FakeReader

ROOT = Path(__file__).parent.parent.parent
PYTHON = "/usr/bin/python3"
PARTS = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst; Gst.init(None); assert Gst.ElementFactory.find('x264enc')"


def _has_a_server() -> bool:
    return shutil.which(PYTHON) is not None and subprocess.run([PYTHON, "-c", PARTS], capture_output=True, check=False).returncode == 0


SERVER = pytest.mark.skipif(
    not _has_a_server(), reason="no GStreamer RTSP server: apt install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,ugly}"
)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(port: int, mode: str = "ball", width: int = 640, height: int = 360, fps: int = 10) -> Iterator[subprocess.Popen[bytes]]:
    words = [PYTHON, str(ROOT / "tests/rtsp_server.py"), str(port), str(width), str(height), str(fps), mode]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


class Watch:
    """A pump on a stream, tended as the daemon does, with a reader that takes what comes."""

    def __init__(self, port: int, **keys: object) -> None:
        config = CameraConfig.model_validate({"name": "gate", "source": f"rtsp://user:top-secret@127.0.0.1:{port}/cam"} | keys)
        self.stop, self.slot, self.shapes = threading.Event(), Slot[Frame](Frame.release), set[tuple[int, ...]]()
        self.pump = Pump(KINDS["opencv"](config, NightConfig()), self.slot, self.stop, Patience.of(config))
        self.pump.start()

    def until(self, so: Callable[[], bool], within_s: float = 30.0) -> float:
        """Tend until it is so; how long that took, seconds."""
        began = time.monotonic()
        while not so():
            assert time.monotonic() - began < within_s, f"not within {within_s} s: {self.pump.losses}, {self.pump.lost}, {self.pump.frames} frames"
            self.pump.tend()
            if (frame := self.slot.get(0.05)) is not None:
                self.shapes.add(frame.luma.shape)
                frame.release()
        return time.monotonic() - began

    def end(self) -> None:
        self.stop.set()
        self.slot.close()
        self.pump.join(15)


@pytest.fixture
def watches() -> Iterator[Callable[..., Watch]]:
    begun: list[Watch] = []

    def begin(port: int, **keys: object) -> Watch:
        begun.append(Watch(port, **keys))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


@SERVER
def test_a_server_that_dies_and_comes_back_with_another_size_is_seen_again(watches: Callable[..., Watch]) -> None:
    """Killed in the middle; noticed within seconds; back with another resolution, and new frames of it within seconds of its return."""
    port = free_port()
    with serving(port):
        watch = watches(port)
        watch.until(lambda: watch.pump.fresh > 5)
    assert watch.until(lambda: watch.pump.lost is not None) < 10
    assert "127.0.0.1" in str(watch.pump.lost)
    assert "top-secret" not in str(watch.pump.lost)
    watch.until(lambda: watch.pump.losses["not opened"] > 0)
    with serving(port, width=320, height=240):
        assert watch.until(lambda: (240, 320) in watch.shapes, within_s=25) < 25
        watch.until(lambda: watch.pump.lost is None)
    assert watch.pump.losses["gone"] >= 1
    assert watch.pump.reopened == 1
    assert watch.shapes == {(360, 640), (240, 320)}


@SERVER
def test_a_stream_that_stalls_is_noticed_and_opened_again(watches: Callable[..., Watch]) -> None:
    """The connection stands, the pictures stop: a loss within seconds, and a fresh connection brings new ones."""
    port = free_port()
    with serving(port, "stall"):
        watch = watches(port)
        watch.until(lambda: watch.pump.fresh > 5)
        watch.until(lambda: watch.pump.losses["stalled"] == 1)
        watch.until(lambda: watch.pump.reopened == 1)


@SERVER
def test_a_frozen_stream_is_told_from_a_living_one(watches: Callable[..., Watch]) -> None:
    """Pictures come, all the same: a loss after the set time, again and again, and hardly anything that would feed the watchdog."""
    port = free_port()
    with serving(port, "still"):
        watch = watches(port, freeze_s=2.0)
        watch.until(lambda: watch.pump.losses["frozen"] >= 2, within_s=60)
        assert watch.pump.fresh < 0.5 * watch.pump.frames
        assert "the same picture" in str(watch.pump.lost)
        patient = watches(port, freeze_s=0)  # allowed by the config
        patient.until(lambda: patient.pump.frames > 30)
        assert patient.pump.losses == {}


@SERVER
def test_a_resolution_that_changes_within_a_stream_does_no_harm(watches: Callable[..., Watch]) -> None:
    """OpenCV goes on at the size that it began with."""
    port = free_port()
    with serving(port, "resize"):
        watch = watches(port)
        watch.until(lambda: watch.pump.fresh > 90, within_s=60)
        assert watch.shapes == {(360, 640)} or watch.pump.reopened


class Nonsense:
    """Accepts every connection on a port and answers with whatever `say` gives; `None` says nothing for ever."""

    def __init__(self, port: int, say: Callable[[], bytes] | None) -> None:
        self._listens = socket.create_server(("127.0.0.1", port))
        self._listens.settimeout(0.1)
        self._say, self._open, self._stop = say, list[socket.socket](), threading.Event()
        self.accepted = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                one, _ = self._listens.accept()
            except TimeoutError:
                continue
            self.accepted += 1
            self._open.append(one)
            if self._say is not None:
                try:
                    one.sendall(self._say())
                    one.close()
                except OSError:
                    continue

    def end(self) -> None:
        self._stop.set()
        self._thread.join(5)
        for one in (self._listens, *self._open):
            one.close()


@SERVER
def test_nonsense_on_the_port_is_outlived(watches: Callable[..., Watch]) -> None:
    """Random bytes, half an answer, and silence instead of a stream; then the camera itself takes the port, and its frames come."""
    port, dice = free_port(), random.Random(5)
    answers = iter([b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999\r\n\r\nhalf"])
    babble = Nonsense(port, lambda: next(answers, None) or dice.randbytes(20_000))
    watch = watches(port)
    watch.until(lambda: watch.pump.losses["not opened"] >= 3, within_s=60)
    babble.end()
    silent = Nonsense(port, None)
    watch.until(lambda: silent.accepted > 0, within_s=30)
    silent.end()
    with serving(port):
        watch.until(lambda: watch.pump.fresh > 3, within_s=40)
    assert watch.pump.failure is None


@SERVER
def test_the_daemon_says_in_words_what_its_camera_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The whole daemon over a real stream: watching, lost with the address but without its password, watching again; the watchdog is fed by frames alone."""
    caplog.set_level(logging.DEBUG)
    port, told = free_port(), list[str]()
    monkeypatch.setattr("edge.daemon.notify", told.append)
    config = Config.model_validate(
        {
            "camera": {"source": f"rtsp://user:top-secret@127.0.0.1:{port}/cam"},
            "runtime": {"directory": str(tmp_path / "run")},
            "store": {"path": str(tmp_path / "events.sqlite"), "keep_at_least_mb_free": 0},
        }
    )
    attention = Attention(config.view, config.motion, lost_after_s=1.0, settle_s=5.0)
    pipeline = Pipeline(FakeDetector([]), FakeReader(lambda quad: a_read("")), Tracker(1.0), Judge(config.tracking), attention=attention)
    daemon = Daemon(config, KINDS["opencv"](config.camera, config.night), pipeline, Store(config.store.path))
    thread = threading.Thread(target=daemon.run)

    def until(so: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        give_up_at = time.monotonic() + 40
        while not so(found := status.read(tmp_path / "run") or {}):
            assert time.monotonic() < give_up_at, found
            time.sleep(0.1)
        return found

    with serving(port):
        thread.start()
        until(lambda found: found.get("state") == "watching" and found["camera"]["frames"] > 20)  # type: ignore[index]
    lost = until(lambda found: found.get("state") == "camera lost")
    fed = told.count("WATCHDOG=1")
    assert fed >= 1
    assert "rtsp://***@127.0.0.1" in str(lost["detail"])
    time.sleep(2.5)
    assert told.count("WATCHDOG=1") <= fed + 1
    with serving(port):
        found = until(lambda found: found.get("state") == "watching" and found["camera"]["reopened"] == 1)  # type: ignore[index]
        assert found["camera"]["losses"]["gone"] >= 1  # type: ignore[index]
        until(lambda found: told.count("WATCHDOG=1") > fed + 1)
    daemon.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert "top-secret" not in caplog.text
    assert "top-secret" not in (tmp_path / "run/status.json").read_text()


def test_not_even_the_library_prints_a_password() -> None:
    """What OpenCV and FFmpeg write to the terminal by themselves, for an address that refuses, one that does not exist, and one that is nonsense."""
    program = (
        "from edge.camera.opencv import OpenCvCamera\nfrom edge.camera.settings import CameraConfig\n"
        "for address in ('127.0.0.1:9/cam', 'no-such-host.invalid/cam', '[:::/cam'):\n"
        "    try:\n        OpenCvCamera(CameraConfig(source='rtsp://user:top-secret@' + address)).__enter__()\n"
        "    except OSError as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert done.stdout.count("cannot be opened") == 3
    assert "top-secret" not in done.stdout + done.stderr


def test_a_device_that_is_no_camera_is_a_loss() -> None:
    """A path that is not there, a file that is no video, a number without a device."""
    for source in ("/dev/video99", "/dev/null", "73"):
        with pytest.raises(CameraLost, match="cannot be opened"):
            OpenCvCamera(CameraConfig(source=source)).__enter__()


def test_damaged_videos_end_in_frames_or_in_a_sentence(tmp_path: Path) -> None:
    """Bytes overwritten and cut off at random in a real recording: pictures of the right kind, or a loss; never a crash of the process."""
    path = tmp_path / "clip.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for step in range(10):
        video.write(np.random.default_rng(step).integers(0, 255, (48, 64, 3), dtype=np.uint8))
    video.release()
    whole = path.read_bytes()
    program = (
        "import sys\nfrom edge.camera.files import FilesCamera\nfrom edge.camera.checkup import is_picture\nfrom edge.camera.settings import CameraConfig\n"
        "from edge.errors import PlatewatchError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        with FilesCamera(CameraConfig(kind='files', source=name, real_time=False)) as camera:\n"
        "            for frame in camera.frames():\n                assert frame.luma.dtype == 'uint8' and frame.luma.ndim == 2\n"
        "                is_picture(frame.luma)\n"
        "    except PlatewatchError:\n        pass\nprint('lived')\n"
    )
    names = []
    for number in range(30):
        dice = random.Random(number)
        damaged = bytearray(whole[: dice.randrange(1, len(whole))] if number % 3 == 0 else whole)
        for _ in range(dice.randrange(1, 200)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        names.append(str(tmp_path / f"{number}.avi"))
        Path(names[-1]).write_bytes(damaged)
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True, errors="replace", cwd=ROOT, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "lived\n"), done.stderr[-2000:]
