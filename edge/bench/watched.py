"""A daemon in a process of its own, with a config made for measuring, and what it says and takes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edge import status
from edge.bench.streamed import StreamRun
from edge.child import running
from edge.errors import PlatewatchError
from edge.metrics.process import counted, footprint

PATIENCE_S, GRACE_S = 60.0, 15.0
POLL_S = 0.02


class BenchError(PlatewatchError):
    """The daemon that was to be measured did not start, or ended by itself."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the daemon had done when it last said so, and the processor time that it had taken by then."""

    at_s: float
    cpu_s: float
    frames: int
    dropped: int
    looked: int
    passed_over: int
    plates: int
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Watched:
    """A running daemon; `folder` is where all its files are."""

    process: subprocess.Popen[bytes]
    folder: Path

    def moment(self) -> Moment:
        """The next time that it speaks. Raises BenchError when it does not."""
        before = (status.read(self.folder / "run") or {}).get("updated_at")
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            self.check()
            told = status.read(self.folder / "run")
            cpu_s = footprint(self.process.pid, ticks_per_s=os.sysconf("SC_CLK_TCK")).cpu_s
            if told is not None and told["updated_at"] != before:
                return _moment(told, cpu_s or 0.0)
            time.sleep(POLL_S)
        raise BenchError(f"the daemon has said nothing for {PATIENCE_S:.0f} s; is this machine very busy?")

    def until(self, ready: Callable[[Moment], bool]) -> Moment:
        """The first moment at which something is so, however slow the machine; BenchError where no frame comes any more."""
        frames, until = -1, 0.0
        while not ready(found := self.moment()):
            if found.frames > frames:
                frames, until = found.frames, time.monotonic() + PATIENCE_S
            elif time.monotonic() > until:
                raise BenchError(f"the daemon has had no frame for {PATIENCE_S:.0f} s: {found.told.get('detail') or 'the recording plays no more'}")
        return found

    def run(self, how: Any, recording: str, threads: int, first: Moment, last: Moment) -> StreamRun:
        """What happened between two moments, and the memory that it holds now."""
        seconds, looked, frames = last.at_s - first.at_s, last.looked - first.looked, last.frames - first.frames
        cpu_s = last.cpu_s - first.cpu_s
        return StreamRun(
            how=how,
            recording=recording,
            threads=threads,
            seconds=round(seconds, 2),
            frames=frames,
            looked=looked,
            passed_over=last.passed_over - first.passed_over,
            dropped=last.dropped - first.dropped,
            plates=last.plates - first.plates,
            fps=round(looked / seconds, 2),
            core_share=round(cpu_s / seconds, 4),
            cpu_ms=round(1000 * cpu_s / (frames if how == "nothing moves" else looked), 3) if looked and frames else None,
            resident_mb=self._mb("VmRSS"),
            private_mb=self._mb("RssAnon"),
            stages_ms=last.told.get("stages_ms", {}),
        )

    def check(self) -> None:
        """Raises BenchError when it has ended by itself."""
        if self.process.poll() is not None:
            last = (self.folder / "daemon.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise BenchError(f"the daemon ended by itself (exit {self.process.returncode}){f': {last[0]}' if last else ''}")

    def _mb(self, name: str) -> float | None:
        found = counted(Path(f"/proc/{self.process.pid}/status"), name)
        return None if found is None else round(found / 1024, 2)


def _moment(told: dict[str, Any], cpu_s: float) -> Moment:
    camera, attention, totals = told["camera"], told.get("attention", {}), told["totals"]
    at_s = datetime.fromisoformat(told["updated_at"]).timestamp()
    looked = totals["stages"]["total"]["frames"]
    return Moment(at_s, cpu_s, camera["frames"], camera["dropped"], looked, attention.get("passed_over", 0), totals["detections"], told)


def config_text(source: Path, models: tuple[Path, Path], threads: int, *, loop: bool, real_time: bool, freeze: bool = True) -> str:
    """TOML takes JSON's strings as they are. All else is as it is by default, and one target is told."""
    detector, reader = (json.dumps(str(folder.resolve())) for folder in models)
    flags = [f"loop = {str(loop).lower()}", f"real_time = {str(real_time).lower()}", *([] if freeze else ["freeze_s = 0"])]
    return "\n".join([
        "[camera]", 'kind = "files"', f"source = {json.dumps(str(source.resolve()))}", *flags,
        "[models]", f"detector = {detector}", f"reader = {reader}", f"threads = {threads}",
        "[store]", 'path = "events.sqlite"', "keep_at_least_mb_free = 0",
        "[runtime]", 'directory = "run"',
        "[[targets]]", 'name = "lines"', 'kind = "jsonl"', 'path = "events.jsonl"', 'stages = ["preview", "final"]', "",
    ])  # fmt: skip


@contextmanager
def daemon(folder: Path, config: str, words: tuple[str, ...] = ("edge", "run", "--config")) -> Iterator[Watched]:
    """A daemon on a config in a fresh folder; stopped politely, and by force when it does not listen."""
    folder.mkdir(parents=True)
    path = folder / "bench.toml"
    path.write_text(config, encoding="utf-8")
    with running([*words, str(path)], folder / "daemon.log", grace_s=GRACE_S) as process:
        yield Watched(process, folder)
