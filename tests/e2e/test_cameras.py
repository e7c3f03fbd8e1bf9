"""Real streams that die, stall, freeze and talk nonsense: an RTSP server of GStreamer's on the loopback, OpenCV's FFmpeg, the real pump and daemon."""

from __future__ import annotations

import json
import logging
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import status
from edge.attention.attention import Attention
from edge.camera.checkup import Patience
from edge.camera.kinds import KINDS
from edge.camera.opencv import OpenCvCamera, open_stream
from edge.camera.pump import Pump
from edge.camera.settings import CameraConfig, NightConfig
from edge.checks.camera import check_camera
from edge.checks.outcome import Device, Outcome
from edge.checks.sent import sent_size
from edge.config import Config, load
from edge.daemon import Daemon
from edge.errors import CameraLost
from edge.metrics.exposition import render
from edge.metrics.figures import Surroundings, families
from edge.pipeline import Pipeline
from edge.records import Frame
from edge.slot import Slot
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_read
from tests.fakes import FakeDetector, FakeReader
from tests.rtsp import SERVER, free_port, serving

ROOT = Path(__file__).parent.parent.parent


class Watch:
    """A pump on a stream, tended as the daemon does, with a reader that takes what comes."""

    def __init__(self, port: int, **keys: object) -> None:
        config = CameraConfig.model_validate({"name": "gate", "source": f"rtsp://user:top-secret@127.0.0.1:{port}/cam"} | keys)
        self.stop, self.slot, self.shapes = threading.Event(), Slot[Frame](Frame.release), set[tuple[int, ...]]()
        self.pump = Pump(KINDS["opencv"](config, NightConfig()), self.slot, self.stop, Patience.of(config))
        self.pump.start()

    def until(self, so: Callable[[], bool], within_s: float = 60.0) -> float:
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
def test_a_server_that_dies_and_comes_back_with_another_size_is_seen_again(watches: Callable[..., Watch], caplog: pytest.LogCaptureFixture) -> None:
    """Killed in the middle, twice; each time it is noticed, and new frames come in the resolution that it came back with, which is said and counted."""
    port, sizes = free_port(), [(1280, 720), (640, 480), (1920, 1080)]
    watch = watches(port)

    def seen(width: int) -> bool:
        return watch.pump.width == width and watch.pump.lost is None

    for lives, (width, height) in enumerate(sizes):
        with serving(port, width, height, fps=5):
            watch.until(partial(seen, width))
            assert watch.pump.resized == lives
        watch.until(lambda: watch.pump.lost is not None)
        assert "127.0.0.1" in str(watch.pump.lost)
        assert "top-secret" not in str(watch.pump.lost)
        refused = watch.pump.losses["not opened"]
        watch.until(lambda refused=refused: watch.pump.losses["not opened"] > refused)  # type: ignore[misc]
    assert watch.pump.reopened >= 2
    assert watch.shapes == {(height, width) for width, height in sizes}
    assert watch.pump.losses["gone"] >= 3
    assert watch.pump.as_json()["resized"] == 2
    assert "its pictures are 640x480 now; they were 1280x720" in caplog.text


@SERVER
def test_a_stream_that_stalls_is_noticed_and_opened_again(watches: Callable[..., Watch]) -> None:
    """The connection stands, the pictures stop: a loss when the set time is over, and new pictures when there are any."""
    port = free_port()
    with serving(port) as server:
        watch = watches(port, stall_s=3.0)
        watch.until(lambda: watch.pump.fresh > 5)
        server.say("stall")
        watch.until(lambda: watch.pump.losses["stalled"] >= 1)
        server.say("flow")
        watch.until(lambda: watch.pump.reopened >= 1 and watch.pump.lost is None)


@SERVER
def test_a_frozen_stream_is_told_from_a_living_one(watches: Callable[..., Watch]) -> None:
    """Pictures come, all the same: a loss after the set time, again and again, and hardly anything that would feed the watchdog; then it moves, and is back."""
    port = free_port()
    with serving(port) as server:
        server.say("still")
        watch = watches(port, freeze_s=2.0)
        watch.until(lambda: watch.pump.losses["frozen"] >= 2)
        assert watch.pump.fresh < 0.5 * watch.pump.frames
        assert "the same picture" in str(watch.pump.lost)
        patient = watches(port, freeze_s=0)  # allowed by the config
        patient.until(lambda: patient.pump.frames > 30)
        assert patient.pump.losses == {}
        patient.end()
        server.say("ball")
        seen = watch.pump.fresh
        watch.until(lambda: watch.pump.fresh > seen + 5 and watch.pump.lost is None)
        assert watch.pump.reopened >= 1


@SERVER
def test_a_camera_with_hardly_any_key_frames_is_seen_from_its_first_one(watches: Callable[..., Watch]) -> None:
    """Cameras that save bandwidth send one every ten seconds, or fewer; this one sends one for each who opens it, and no other."""
    port = free_port()
    with serving(port, key=100_000):
        watch = watches(port)
        watch.until(lambda: watch.pump.fresh > 5)
        assert watch.pump.losses == {}


@SERVER
def test_opencv_tells_nothing_of_a_resolution_that_changes_within_a_stream() -> None:
    """docs/cameras.md says that it cannot be known where the stream is read, only by its packets on a connection beside it (what the doctor does).

    The day on which this fails, OpenCV has begun to tell, and `OpenCvCamera.frames` should look: then such a stream can be opened again at once.
    """
    port = free_port()
    address = f"rtsp://127.0.0.1:{port}/cam"
    told = [cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN, cv2.CAP_PROP_CODEC_PIXEL_FORMAT]
    told += [cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_CODEC_EXTRADATA_INDEX, cv2.CAP_PROP_ORIENTATION_META]

    def look(video: cv2.VideoCapture, frames: int) -> tuple[object, ...]:
        for _ in range(frames):
            assert video.grab()
        extradata = video.retrieve(flag=int(video.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX)))[1]
        picture = video.retrieve()[1]
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32))
        return (picture.shape, *(video.get(one) for one in told), extradata.tobytes())

    pictures: list[np.ndarray] = []
    with serving(port, 1280, 720, fps=5) as server:
        server.say("still")
        video = open_stream(address, 20_000)
        try:
            before = look(video, 5)
            assert before[0] == (720, 1280, 3)
            for width, height in ((640, 480), (1920, 1080)):
                server.say(f"size {width} {height}")
                until = time.monotonic() + 90
                while sent_size(address) != (width, height):  # the server's encoder begins anew
                    assert time.monotonic() < until
                    look(video, 1)
                assert look(video, 20) == before
                assert float(np.abs(pictures[-1] - pictures[0]).mean()) < 8, "no longer scaled to the first size"
        finally:
            video.release()


@SERVER
def test_the_doctor_says_that_a_stream_changed_its_resolution(tmp_path: Path, watches: Callable[..., Watch]) -> None:
    """While the daemon goes on with scaled pictures; when it opens the camera again, it has the new size, and the doctor is content."""
    port = free_port()
    (tmp_path / "c.toml").write_text(f'[camera]\nsource = "rtsp://user:top-secret@127.0.0.1:{port}/cam"\n[runtime]\ndirectory = "run"\n')
    device = Device(tmp_path / "c.toml", load(tmp_path / "c.toml"))

    def says() -> Outcome:
        camera = watch.pump.as_json()
        told = {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": status.utc_iso(datetime.now(UTC)), "camera": camera}
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run/status.json").write_text(json.dumps(told))
        outcome = check_camera(device)
        assert outcome is not None
        return outcome

    with serving(port, 640, 360) as server:
        watch = watches(port, freeze_s=0, stall_s=3.0)
        watch.until(lambda: watch.pump.fresh > 5)
        server.say("size 320 240")
        while (said := says()).state == "good":  # the server's encoder begins anew
            assert watch.pump.lost is None
        assert "the camera sends 320x240 now" in said.words
        assert (said.state, "top-secret" in said.words) == ("note", False)
        assert watch.shapes == {(360, 640)}
        server.say("stall")
        watch.until(lambda: watch.pump.lost is not None)
        server.say("flow")
        watch.until(lambda: (240, 320) in watch.shapes)
        assert watch.pump.resized == 1
        assert says().state == "good"


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
    watch.until(lambda: watch.pump.losses["not opened"] >= 3)
    babble.end()
    silent = Nonsense(port, None)
    watch.until(lambda: silent.accepted > 0)
    silent.end()
    with serving(port):
        watch.until(lambda: watch.pump.fresh > 3)
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
        give_up_at = time.monotonic() + 90
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
    until(lambda found: found["camera"]["losses"].get("not opened", 0) >= 3)  # type: ignore[index]
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
    for said in (lost, found):
        assert "top-secret" not in render(families(said, Surroundings("1", alive=True)))


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
