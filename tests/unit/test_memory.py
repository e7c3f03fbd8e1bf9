"""What the running daemon holds in memory: no module that it does not need, no frame more than it works."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.bench.watched import config_text
from edge.camera.files import FilesCamera
from edge.camera.pump import Pump
from edge.camera.settings import CameraConfig
from edge.camera.video import opened
from edge.records import Frame
from edge.slot import Slot
from edge.wiring import BUNDLES
from tests.fakes import FakeCamera

ROOT = Path(__file__).parents[2]
CLIPS = ROOT / "edge" / "clips"
LIBRARIES = "import numpy, cv2, pydantic, pydantic.json_schema, sqlite3, ai_edge_litert.interpreter"
HEAVY = (
    "asyncio", "concurrent.futures", "edge.bench.machine", "edge.bench.result", "edge.camera.opencv", "edge.camera.pi", "edge.gate.broker", "edge.publish.link",
    "edge.publish.webhook", "edge.web.app", "flask", "http.client", "jinja2", "multiprocessing", "numpy.ma", "numpy.random", "paho", "rich", "ssl",
    "tensorflow", "urllib.request", "uvicorn", "werkzeug", "xml.etree.ElementTree", "xml.dom",
)  # fmt: skip
DAEMON = """
import sys
from pathlib import Path
from edge import config, safe, wiring
from edge.reload import Reload
wiring.build(config.load(Path(sys.argv[1]))).run()
"""


def modules(code: str, *words: str) -> set[str]:
    """Those that a fresh process has loaded after `code`."""
    told = [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))", *words]
    done = subprocess.run(told, capture_output=True, text=True, check=True, cwd=ROOT, timeout=120)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_running_daemon_has_loaded_nothing_heavy_that_its_camera_and_targets_do_not_need(tmp_path: Path) -> None:
    """A picture with four plates is read, and its events are told to a file; what the libraries load by themselves is their own affair."""
    text = config_text(CLIPS / "bench-4.jpg", (BUNDLES / "detector", BUNDLES / "reader"), 1, loop=False, real_time=False)
    (tmp_path / "here.toml").write_text(text, encoding="utf-8")
    loaded = modules(DAEMON, str(tmp_path / "here.toml"))
    assert {"edge.pipeline", "edge.publish.files", "cv2"} <= loaded
    assert (loaded - modules(LIBRARIES)) & set(HEAVY) == set()


LEAN = """
import importlib, sys
from edge.cli import main
assert main(["run", "--config", sys.argv[1]]) == 0
loaded = [name for name, module in sys.modules.items() if module is not None]
import hashlib, hmac
from importlib.metadata import version
sums = [hashlib.sha256(b"abc").hexdigest(), hmac.digest(b"key", b"abc", "sha256").hex(), hmac.new(b"key", b"abc", hashlib.sha256).hexdigest()]
import json
print(json.dumps([loaded, *sums, version("numpy")]))
"""


def test_the_daemon_that_is_started_as_ever_spares_what_its_libraries_would_load_for_nothing(tmp_path: Path) -> None:
    """No OpenSSL for a checksum, no mail and no zip for plugins that nobody has; checksums are the same, and who needs versions has them."""
    text = config_text(CLIPS / "bench-4.jpg", (BUNDLES / "detector", BUNDLES / "reader"), 1, loop=False, real_time=False)
    (tmp_path / "here.toml").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", LEAN, str(tmp_path / "here.toml")], capture_output=True, text=True, check=True, cwd=ROOT, timeout=120)
    loaded, *sums, numpy = json.loads(done.stdout.splitlines()[-1])
    assert {"edge.daemon", "pydantic", "hashlib"} <= set(loaded)
    assert {"importlib.metadata", "email", "zipfile", "_hashlib", "_ssl"} & set(loaded) == set()
    mine = hmac.digest(b"key", b"abc", "sha256").hex()
    assert (sums, numpy) == ([hashlib.sha256(b"abc").hexdigest(), mine, mine], np.__version__)


class Counted:
    """Frames that are made one by one; `most` of them were alive when one was made, that one included."""

    def __init__(self, count: int) -> None:
        self._count, self.most = count, 0
        self._made = list[weakref.ref[Any]]()

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            frame = Frame(np.zeros((180, 320), np.uint8), float(index), index=index)
            self._made.append(weakref.ref(frame.luma))
            self.most = max(self.most, sum(one() is not None for one in self._made))
            yield frame
            del frame


@pytest.mark.parametrize(("waits", "limit"), [(True, 2), (False, 3)])
def test_one_frame_is_worked_and_one_lies_ready_and_only_a_live_camera_makes_another_meanwhile(waits: bool, limit: int) -> None:
    frames, stop = Counted(40), threading.Event()
    slot = Slot[Frame](Frame.release)
    pump = Pump(FakeCamera([frames], waits=waits), slot, stop)  # type: ignore[list-item]
    pump.start()
    worked = 0
    while not slot.closed:
        if (frame := slot.get(5.0)) is not None:
            time.sleep(0.002)  # busy: the camera is faster
            worked += 1
            frame.release()
        del frame
    pump.join(5.0)
    assert worked + slot.dropped == 40
    assert frames.most <= limit


def test_a_released_frame_s_memory_serves_the_next_and_one_that_is_kept_is_never_written_over() -> None:
    def played() -> Iterator[Frame]:
        return FilesCamera(CameraConfig(kind="files", source=str(CLIPS / "demo.mp4"), real_time=False)).frames()

    kept = list(itertools.islice(played(), 12))
    assert len({address(frame) for frame in kept}) == 12
    places = set[int]()
    for frame, same in zip(played(), kept, strict=False):
        np.testing.assert_array_equal(frame.luma, same.luma)
        np.testing.assert_array_equal(frame.picture, same.picture)
        places.add(address(frame))
        frame.release()
        frame.release()  # said twice it is still one
    assert len(places) == 1


def test_an_overloaded_live_camera_needs_memory_for_two_frames_and_never_writes_over_the_one_that_is_worked() -> None:
    """What waits is dropped for the next one before that is decoded, into its memory; the daemon always gets a frame that came after its last."""
    stop, slot, places, numbers = threading.Event(), Slot[Frame](Frame.release), set[int](), list[int]()
    pump = Pump(FilesCamera(CameraConfig(kind="files", source=str(CLIPS / "demo.mp4"), loop=True), sleep=lambda s: None), slot, stop)
    pump.start()
    while len(numbers) < 8:
        if (frame := slot.get(60.0)) is None:
            break
        before, dropped = frame.picture.copy(), slot.dropped
        until(lambda dropped=dropped: slot.dropped >= dropped + 2)  # type: ignore[misc]
        np.testing.assert_array_equal(frame.picture, before)
        places.add(address(frame))
        numbers.append(frame.index)
        frame.release()
        del frame
    stop.set()
    pump.join(60.0)
    assert len(numbers) == 8
    assert numbers == sorted(set(numbers))
    assert len(places) <= 2


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def address(frame: Frame) -> int:
    return int(frame.picture.__array_interface__["data"][0])


def test_a_recording_is_decoded_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each more holds several frames of its own: on four cores some 24 MB at 1080p."""
    asked, real = list[tuple[Any, ...]](), cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda *words: asked.append(words) or real(*words))
    assert opened(str(CLIPS / "demo.mp4")).isOpened()
    assert [words[2] for words in asked] == [[cv2.CAP_PROP_N_THREADS, 1]]
