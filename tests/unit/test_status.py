"""The status file and the live picture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import status
from edge.status import LivePicture, Meter, StatusFile
from tests.fakes import FakeClock

NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def a_status(age_s: float = 0.0, **changes: object) -> dict[str, object]:
    return {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": status.utc_iso(NOW - timedelta(seconds=age_s))} | changes


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """By the folder or by the file."""
    assert StatusFile(tmp_path).offer(lambda: a_status())
    assert status.read(tmp_path) == status.read(tmp_path / "status.json") == a_status()


def test_it_is_written_at_most_twice_a_second(tmp_path: Path) -> None:
    """Ten offers in a second: two more writings after the first; and it is composed only when written."""
    clock, composed = FakeClock(), list[float]()
    file = StatusFile(tmp_path, clock=clock)
    for _ in range(11):
        file.offer(lambda: composed.append(clock.now) or a_status())  # type: ignore[func-returns-value]
        clock.advance(0.1001)
    assert len(composed) == 3
    assert file.offer(a_status, force=True)


def test_no_half_file_is_ever_seen(tmp_path: Path) -> None:
    """It is replaced whole, so nothing else lies in the folder afterwards, and an open reader keeps the old one."""
    file = StatusFile(tmp_path)
    file.offer(lambda: a_status(events=1), force=True)
    with (tmp_path / "status.json").open() as old:
        file.offer(lambda: a_status(events=2), force=True)
        assert '"events": 1' in old.read()
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"v": 2}'])
def test_what_cannot_be_read_is_none(tmp_path: Path, content: str | None) -> None:
    """Absent, empty, broken, no object, of another edition."""
    if content is not None:
        (tmp_path / "status.json").write_text(content)
    assert status.read(tmp_path) is None


def test_alive_is_recent_and_running_and_not_stopped() -> None:
    """All three; a jump of the clock ahead counts as too old until the next writing."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert status.is_alive(a_status(), NOW)
    assert status.is_alive(a_status(age_s=4.9), NOW)
    assert status.is_alive(a_status(pid=1), NOW)
    assert not status.is_alive(a_status(age_s=5.1), NOW)
    assert not status.is_alive(a_status(age_s=-60), NOW)
    assert not status.is_alive(a_status(state="stopped"), NOW)
    assert not status.is_alive(a_status(pid=int(gone.stdout)), NOW)
    assert not status.is_alive({"v": 1}, NOW)


def test_the_live_picture_is_made_only_while_somebody_looks(tmp_path: Path) -> None:
    """No `watched`, an old one, a fresh one."""
    clock, wall = FakeClock(), FakeClock(1_800_000_000.0)
    live = LivePicture(tmp_path, clock=clock, wall_s=wall)
    picture = np.zeros((720, 1280, 3), np.uint8)
    assert not live.offer(picture)
    (tmp_path / "watched").touch()
    os.utime(tmp_path / "watched", (wall.now - 6, wall.now - 6))
    assert not live.offer(picture)
    os.utime(tmp_path / "watched", (wall.now - 4, wall.now - 4))
    assert live.offer(picture)
    assert not live.offer(picture)  # at most five a second
    clock.advance(0.21)
    assert live.offer(picture)


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (1080, 1920), (120, 160, 3)])
def test_the_live_picture_is_small_and_has_its_figures_with_it(shape: tuple[int, ...]) -> None:
    """At most 960 wide, never enlarged, colour or not; nothing is drawn upon it, and what belongs to it is read from the same bytes."""
    frame, figures = (
        np.full(shape, 60, np.uint8),
        {"number": 3, "plates": [{"text": "AB12CDE\n\u00e4", "quad": [[700, 600], [900, 600], [900, 650], [700, 650]]}]},
    )
    jpeg = status.encode(frame, figures)
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == ((540, 960, 3) if shape[1] == 1920 else (120, 160, 3))
    assert np.abs(shown.astype(int) - 60).max() <= 2
    assert json.loads(status.figures_of(jpeg)) == figures
    assert all(32 <= byte < 127 for byte in status.figures_of(jpeg))


def test_more_figures_than_a_header_holds_are_left_out_and_nonsense_has_none() -> None:
    plates = [{"text": "AB12CDE", "quad": [[0.5, 0.5]] * 4}] * 400
    told = json.loads(status.figures_of(status.encode(np.zeros((90, 160), np.uint8), {"number": 3, "plates": plates})))
    assert told == {"number": 3, "plates": []}
    for content in (b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x00" * 9, b"GIF89a", b"\xff\xd8\xff\xda" + b"\xff\xfe\x00\x04{}"):
        assert status.figures_of(content) == b""


def test_stage_times_are_median_and_95th_percentile() -> None:
    """Of the last frames only; a stage that never ran is 0."""
    meter = Meter(keep=100)
    for number in range(300):
        meter.add({"detect": float(number - 199)}, number / 10)
    assert meter.stages_ms()["detect"] == {"median": 50.5, "p95": 95.05}
    assert meter.stages_ms()["read"] == {"median": 0.0, "p95": 0.0}
    assert meter.totals()["read"] == {"frames": 0, "seconds": 0.0}


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """Ten a second; and none when nothing came for a while."""
    meter = Meter()
    assert meter.fps(0.0) == 0.0
    for number in range(100):
        meter.add({"total": 1.0}, number / 10)
    assert meter.fps(9.9) == pytest.approx(10, abs=0.3)
    assert meter.fps(30.0) == 0.0


def test_times_are_utc_and_sort_as_text() -> None:
    """Whatever zone they come in."""
    local = datetime.fromisoformat("2026-11-22T23:00:00.5+02:00")
    assert status.utc_iso(local) == "2026-11-22T21:00:00.500+00:00"
