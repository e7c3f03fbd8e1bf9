"""A soak from its start to its end: the daemon in a process of its own, the frames, the web hook that is down now and then, and the looks at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge import status
from edge.errors import PlatewatchError
from edge.keeping.accesses import Looks
from tests.receivers import Receiver
from tests.soak.link import Stage
from tests.soak.scenes import Scenes
from tests.soak.setting import write_lists, write_setting
from tests.soak.tally import finals
from tests.soak.watching import Sample, sample, texts

ROOT = Path(__file__).parents[2]
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
BOOTED_S = 1000.0
"""The monotonic clock at midnight of the first day."""
FAREWELL_S = 60.0
MEMORY = Path("/dev/shm")
"""The runtime folder is in memory, as `/run` is on a device: what is written to the disk is the store's and the targets' alone."""


class SoakError(PlatewatchError):
    """The daemon ended by itself, or could not be started."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`hours` of simulated time; a sample is taken every `sample_s` of them; the web hook is down for a sixth of every `rhythm_s`, in the middle."""

    hours: float
    sample_s: float
    rhythm_s: float
    spoil: str = ""

    @classmethod
    def of(cls, hours: float, spoil: str = "") -> Plan:
        return cls(hours, max(10.0, min(300.0, 3600 * hours / 60)), min(3 * 3600.0, 3600 * hours / 2), spoil)

    def is_down(self, gone_s: float) -> bool:
        return 5 / 12 < gone_s / self.rhythm_s % 1 < 7 / 12


@dataclass(slots=True)
class Played:
    """What came of it; `hours` as far as it came."""

    samples: list[Sample] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    unread: list[dict[str, Any]] = field(default_factory=list)
    frames: int = 0
    hours: float = 0.0
    took_s: float = 0.0
    stopped: bool = False
    outages: int = 0


def play(scenes: Scenes, plan: Plan, folder: Path, progress: Callable[[Played], None] = lambda played: None) -> Played:
    """Show the daemon all of it. Ctrl-C ends it early, and what was found until then is told."""
    played, started = Played(), time.perf_counter()
    with ExitStack() as open_:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Stage()
        open_.callback(stage.close)
        (folder / "run").symlink_to(open_.enter_context(tempfile.TemporaryDirectory(prefix="platewatch-soak-", dir=MEMORY if MEMORY.is_dir() else None)))
        hook = _Hook(open_)
        config = write_setting(folder, hook.url, scenes.allow, scenes.deny, scenes.ignore)
        daemon = open_.enter_context(_daemon(config, stage, plan))
        open_.callback(_end, daemon)
        try:
            _show(scenes, plan, folder, stage, daemon, hook, played, progress)
        except KeyboardInterrupt:
            played.stopped = True
        except (ConnectionError, OSError) as error:
            raise SoakError(f"the daemon ended after {played.hours:.2f} h: {_last_words(folder)}") from error
        hook.up(True)
        played.samples.append(sample(daemon.pid, folder, played.hours, played.frames))
        with suppress(OSError):
            stage.end()
        if daemon.wait(FAREWELL_S) != 0:
            raise SoakError(f"the daemon did not end well: {_last_words(folder)}")
        played.status, played.unread = status.read(folder / "run") or {}, texts(folder)
    played.outages, played.took_s = hook.outages, time.perf_counter() - started
    played.bodies = [json.loads(body) for body in hook.got]
    return played


def _show(
    scenes: Scenes, plan: Plan, folder: Path, stage: Stage, daemon: subprocess.Popen[bytes], hook: _Hook, played: Played, progress: Callable[[Played], None]
) -> None:
    began_s, sample_at, chore_at = None, 0.0, 0.0
    page = _Page(folder)
    for moment in scenes.moments():
        began_s = moment.at_s if began_s is None else began_s
        gone_s = moment.at_s - began_s
        stage.await_request()
        hook.up(not plan.is_down(gone_s))
        if gone_s >= sample_at and played.frames:
            sample_at += plan.sample_s
            played.samples.append(sample(daemon.pid, folder, gone_s / 3600, played.frames))
            progress(played)
        if gone_s >= chore_at:
            chore_at += plan.rhythm_s / 3
            write_lists(folder, [*scenes.allow, f"CHANGED{played.frames}"], scenes.deny, scenes.ignore)
        page.look(MIDNIGHT.timestamp() + moment.at_s, watches=gone_s % plan.rhythm_s < 0.05 * plan.rhythm_s)
        stage.hand_over(moment.luma, BOOTED_S + moment.at_s, MIDNIGHT.timestamp() + moment.at_s)
        played.frames += 1
        played.hours = gone_s / 3600
    stage.await_request()


def _daemon(config: Path, stage: Stage, plan: Plan) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.soak.worker", config, stage.memory, stage.theirs.fileno(), BOOTED_S, MIDNIGHT.timestamp(), plan.spoil]
    with (config.parent / "daemon.log").open("wb") as log:
        return subprocess.Popen(
            [str(word) for word in words if word != ""],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(stage.memory, stage.theirs.fileno()),
            start_new_session=True,  # Ctrl-C reaches this process alone
        )


def _end(daemon: subprocess.Popen[bytes]) -> None:
    if daemon.poll() is None:
        daemon.kill()
        daemon.wait()


def _last_words(folder: Path) -> str:
    lines = (folder / "daemon.log").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


class _Hook:
    """A receiver that keeps its port and what it got while it is down and up again."""

    def __init__(self, open_: ExitStack) -> None:
        self.got, self.outages = list[bytes](), 0
        self._receiver: Receiver | None = Receiver()
        self._receiver.__enter__()
        self._port, self.url = self._receiver.port, self._receiver.url
        open_.callback(self.up, False)

    def up(self, wanted: bool) -> None:
        if wanted and self._receiver is None:
            self._receiver = Receiver(self._port)
            self._receiver.__enter__()
        elif not wanted and self._receiver is not None:
            self._receiver.__exit__()
            self.got += [body for _, body in self._receiver.got]
            self._receiver, self.outages = None, self.outages + 1


class _Page:
    """What the page does to the daemon's folder: it watches the live picture for a while, and notes who looked."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._now = folder / "run", 0.0
        self._looks = Looks(self._folder, lambda: self._now)

    def look(self, now: float, *, watches: bool) -> None:
        self._now = now
        if watches:
            self._looks.note(datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"), "127.0.0.1", "looked")
            (self._folder / "watched").touch()
            os.utime(self._folder / "watched", (now, now))


def events_of(played: Played) -> list[dict[str, Any]]:
    """The final events that came to the web hook, each once."""
    return finals(played.bodies)
