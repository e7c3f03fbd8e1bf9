"""The status file."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

from edge import status
from edge.status import Meter, StatusFile
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


def test_the_version_is_that_of_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As importlib.metadata has it; beside it there may be others, folders that are not there, and archives."""
    (tmp_path / "a.zip").write_bytes(b"PK")
    for name in ("platewatch_more-9.dist-info", "other-1.0.dist-info"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "none"), str(tmp_path / "a.zip"), str(tmp_path)])
    assert status.version() == "source"
    (tmp_path / "platewatch-1.2.3rc1.dist-info").mkdir()
    (tmp_path / "platewatch-1.2.3rc1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: platewatch\nVersion: 1.2.3rc1\n")
    assert status.version() == metadata.version("platewatch") == "1.2.3rc1"
