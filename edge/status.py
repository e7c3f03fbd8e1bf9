"""What the daemon tells the page: one small file, replaced whole, and a live picture while somebody looks (`edge.showing`).

The daemon writes, the page reads; neither waits for the other. `status.json` holds
{"v": 1, "version", "pid", "state", "detail", "started_at", "updated_at" (UTC), "camera": {"name", "kind", "width", "height", "fps",
"frames", "dropped", "reopened", "skipped", and where it has them "losses": {why: count}, "resized" (times it came back with another size), "profile",
"exposure_ev"}, "fps",
"stages_ms": {stage: {"median", "p95"}}, "plates_in_view": [{"quad", "text", "confidence"}],
"events", "totals": {"previews", "lost" (events), "stages": {stage: {"frames", "seconds"}}, "detections", "looks": {what became of it: count},
"took": {stage: histogram}, "sight": {"preview", "final": histogram}}, "reasons": {reason: count}, a histogram being {"bounds" (s), "counts", "sum" (s)},
"bundles": {"detector": {"name", "sha256", "since" (UTC), "previous": {"name", "sha256", "since"} while it could come back, else null, "refused": a sentence,
"switched", "refusals", "rolled_back"}, "reader": {...}}, "reload": {"taken", "refused" (configs), "busy", "words"}, "threads"},
"store": {"forgotten": {why: count}, "written_bytes": {"today", "yesterday"}, "set_aside" (files), "waiting", "lost" (events), "privacy"},
"lists": {"plates", "trouble", "files": {file: its [inode, size, mtime_ns] when it was last read}},
where they work "threads_by": "set" | "measured" | "guessed", "attention": {"moving", "looked", "passed_over"} (frames), "governor":
{"temperature_c", "troubles", "step", "words"}, "view" {"include", "exclude" (polygons), "min_plate_px"} and "reload" {..., "waiting": keys}; "detecting",
while somebody asks `aid` (`edge.desk.aid`), and where there are targets "targets": [what `Courier.as_json` says of each].

`live.jpg` is not drawn upon. What belongs to it stands in its own comment, as JSON (`Account.figures`): one file, so that the two are never of two frames.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from edge.metrics.histogram import STAGE_S, Histogram
from edge.records import Quad

State = Literal["starting", "watching", "idle", "camera lost", "stopped", "safe mode"]
"""idle: the camera is open but has sent no frame for a while; safe mode: there is no camera, since the config cannot be used."""
STAGES = ("detect", "read", "track", "total")
ALIVE_S = 5.0
MOST_FIGURES = 12_000
"""Bytes: a header of the page's answer carries them."""
STATUS_NAME, LIVE_NAME, WATCHED_NAME = "status.json", "live.jpg", "watched"
PlateInView = tuple[Quad, str, float]
"""Where it is, its text so far ('' when none), and the confidence in it."""


def version() -> str:
    """As importlib.metadata tells it, which would take four megabytes of the daemon for that. "source": run from a folder that was never installed."""
    for folder in sys.path:
        for found in Path(folder).glob("platewatch-*.dist-info"):
            return found.stem.split("-")[1]
    return "source"


def utc_iso(moment: datetime) -> str:
    """2026-11-22T21:05:35.123+00:00: sorts as text; `moment` must know its zone."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


class Meter:
    """Durations of the last frames by stage, and how many frames a second were worked."""

    def __init__(self, keep: int = 200) -> None:
        self._ms = {stage: deque[float](maxlen=keep) for stage in STAGES}
        self._worked_at = deque[float](maxlen=keep)
        self._took = {stage: Histogram(STAGE_S) for stage in STAGES}

    def add(self, stage_ms: dict[str, float], worked_at: float) -> None:
        """Stages that a frame did not need (no plate, nothing to read) are left out of `stage_ms`."""
        for stage, ms in stage_ms.items():
            self._ms[stage].append(ms)
            self._took[stage].add(ms / 1000)
        self._worked_at.append(worked_at)

    def stages_ms(self) -> dict[str, dict[str, float]]:
        """{stage: {"median", "p95"}} in milliseconds; 0 where nothing was measured."""
        ranked = {stage: sorted(ms) for stage, ms in self._ms.items()}
        return {stage: {"median": round(_quantile(ms, 0.5), 2), "p95": round(_quantile(ms, 0.95), 2)} for stage, ms in ranked.items()}

    def totals(self) -> dict[str, dict[str, float]]:
        """{stage: {"frames", "seconds"}} since the start."""
        return {stage: {"frames": sum(took.counts), "seconds": round(took.sum, 6)} for stage, took in self._took.items()}

    def histograms(self) -> dict[str, dict[str, Any]]:
        """{stage: a `Histogram`} since the start, in seconds."""
        return {stage: took.as_json() for stage, took in self._took.items()}

    def fps(self, now: float, window_s: float = 5.0) -> float:
        recent = [at for at in self._worked_at if now - at <= window_s]
        span = now - recent[0] if recent else 0.0
        return round((len(recent) - 1) / span, 1) if len(recent) > 1 and span > 0 else 0.0


def _quantile(ranked: Sequence[float], share: float) -> float:
    """Linear between two of them, as NumPy's, which would load masked arrays for it; 0 of none."""
    if not ranked:
        return 0.0
    place = share * (len(ranked) - 1)
    low = int(place)
    return ranked[low] + (place - low) * (ranked[min(low + 1, len(ranked) - 1)] - ranked[low])


class StatusFile:
    """`<directory>/status.json`, replaced atomically at most every `interval_s`."""

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.monotonic, interval_s: float = 0.5) -> None:
        self._path, self._clock, self._interval_s = directory / STATUS_NAME, clock, interval_s
        self._written_at: float | None = None

    def offer(self, compose: Callable[[], dict[str, Any]], *, force: bool = False) -> bool:
        """Write what `compose` returns, unless the last writing is too recent. True when written; OSError when it cannot be."""
        now = self._clock()
        if not force and self._written_at is not None and now - self._written_at < self._interval_s:
            return False
        self._written_at = now
        replace(self._path, json.dumps(compose(), ensure_ascii=False, default=float).encode())
        return True


def with_figures(jpeg: bytes, told: bytes) -> bytes:
    """A JPEG with JSON in its comment, for `figures_of`."""
    after = _end(jpeg, 2)  # behind the JFIF header, which must come first
    return jpeg[:after] + b"\xff\xfe" + (len(told) + 2).to_bytes(2, "big") + told + jpeg[after:]


def figures_of(jpeg: bytes) -> bytes:
    """The JSON in a picture's comment; b"" where there is none."""
    at = 2
    while jpeg[at : at + 1] == b"\xff" and jpeg[at + 1 : at + 2] not in (b"\xda", b""):
        end = _end(jpeg, at)
        if jpeg[at + 1] == 0xFE:
            return jpeg[at + 4 : end]
        at = end
    return b""


def _end(jpeg: bytes, at: int) -> int:
    """Of the segment that begins there."""
    return at + 2 + max(2, int.from_bytes(jpeg[at + 2 : at + 4], "big"))


def read(path: Path) -> dict[str, Any] | None:
    """The status, from its file or the folder it stands in; None when it is absent, corrupt or of another edition."""
    try:
        found = json.loads((path / STATUS_NAME if path.is_dir() else path).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("v") == 1 else None


def is_alive(status: dict[str, Any], now: datetime | None = None) -> bool:
    """The daemon that wrote this status still runs: it did so within 5 s, has not said farewell, and its process exists."""
    try:
        age_s = abs(((now or datetime.now(UTC)) - datetime.fromisoformat(status["updated_at"])).total_seconds())
        if age_s > ALIVE_S or status["state"] == "stopped":
            return False
        os.kill(int(status["pid"]), 0)
    except PermissionError:  # it exists and belongs to another user, as the daemon does when the page looks
        return True
    except (KeyError, TypeError, ValueError, ProcessLookupError, OverflowError):
        return False
    return True


def replace(path: Path, content: bytes) -> None:
    """Readers see the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    os.replace(fresh, path)
