"""A killed daemon is started again on the same store: nothing that was stored is missing. The process is real, the networks are fake."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from edge import status
from edge.config import Config
from edge.daemon import Daemon
from edge.errors import StoreError
from edge.pipeline import Pipeline
from edge.records import Detection, Event, Frame
from edge.store import Store
from edge.tracking.judge import Judge
from edge.tracking.tracker import Tracker
from tests.builders import a_detection, a_frame, a_read
from tests.fakes import FakeCamera, FakeDetector, FakeReader

ROOT = Path(__file__).parent.parent.parent


def busy_street() -> Iterator[Frame]:
    """200 frames a second by the clock on the wall, 20 by their own: a new car every half second of theirs."""
    for index in count():
        time.sleep(0.005)
        yield a_frame(index / 20, index)


def watch(folder: Path) -> int:
    """What the process under test does: a plate for five frames, none for five, then the next plate."""
    config = Config.model_validate(
        {
            "runtime": {"directory": str(folder)},
            "store": {"path": str(folder / "events.sqlite"), "keep_at_least_mb_free": 0},
            "tracking": {"lost_after_s": 0.1},
        }
    )
    frames = count()

    def script() -> Iterator[list[Detection]]:
        for frame in frames:
            yield [a_detection()] if frame % 10 < 5 else []

    reads = count()
    reader = FakeReader(lambda quad: a_read(f"AB{next(reads) // 5 % 1000:03}"))
    pipeline = Pipeline(FakeDetector(script()), reader, Tracker(0.1), Judge(config.tracking))
    daemon = Daemon(config, FakeCamera([busy_street()]), pipeline, Store(config.store.path))
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    return daemon.run()


def stored(folder: Path) -> dict[str, Event]:
    """The events as the page would read them, while the daemon writes."""
    try:
        with Store(folder / "events.sqlite", read_only=True) as store:
            return {event.id: event for event in store.events(10_000)}
    except StoreError:
        return {}


@pytest.fixture
def started() -> Iterator[Callable[[Path], subprocess.Popen[bytes]]]:
    """Starts the process under test; none is left, also where a test fails."""
    running: list[subprocess.Popen[bytes]] = []

    def start(folder: Path) -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen([sys.executable, "-m", "tests.e2e.test_restart", str(folder)], cwd=ROOT))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def wait_for_more(process: subprocess.Popen[bytes], folder: Path, than: int) -> None:
    give_up_at = time.monotonic() + 60
    while len(stored(folder)) <= than:
        assert process.poll() is None, "the daemon ended by itself"
        assert time.monotonic() < give_up_at, "no event within a minute"
        time.sleep(0.05)


def test_a_killed_daemon_restarts_with_its_events(tmp_path: Path, started: Callable[[Path], subprocess.Popen[bytes]]) -> None:
    """SIGKILL in the middle of the work, three times; then a polite stop."""
    before: dict[str, Event] = {}
    for _ in range(3):
        process = started(tmp_path)
        wait_for_more(process, tmp_path, than=len(before) + 2)
        known = stored(tmp_path)
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
        assert not status.is_alive(status.read(tmp_path) or {})
        before = stored(tmp_path)
        assert known.items() <= before.items()
    process = started(tmp_path)
    wait_for_more(process, tmp_path, than=len(before))
    process.terminate()
    assert process.wait(30) == 0
    after = stored(tmp_path)
    assert before.items() <= after.items()
    assert (status.read(tmp_path) or {})["state"] == "stopped"
    with Store(tmp_path / "events.sqlite") as store:
        assert all((store.crop(id) or b"")[:2] == b"\xff\xd8" for id in after)
    db = sqlite3.connect(tmp_path / "events.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_a_second_kill_signal_is_not_needed(tmp_path: Path, started: Callable[[Path], subprocess.Popen[bytes]]) -> None:
    """SIGTERM alone ends the daemon, camera thread and all."""
    process = started(tmp_path)
    wait_for_more(process, tmp_path, than=0)
    process.terminate()
    try:
        assert process.wait(30) == 0
    except subprocess.TimeoutExpired:
        pytest.fail("it did not listen")


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1])))
