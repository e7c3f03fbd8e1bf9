"""The process under test as the kernel and its folder tell of it, from outside."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge import status
from edge.errors import StoreError
from edge.metrics.exposition import render
from edge.metrics.figures import Surroundings, families
from edge.metrics.process import footprint
from edge.store import Store


@dataclass(frozen=True, slots=True)
class Sample:
    """At `hours` of simulated time since the start. Megabytes are of 10^6 bytes; `files_mb` is everything in the folder but the log."""

    hours: float
    frames: int
    rss_mb: float
    private_mb: float
    handles: int
    threads: int
    cpu_s: float
    written_mb: float
    store_mb: float
    wal_mb: float
    gallery_files: int
    gallery_mb: float
    files_mb: float
    log_mb: float
    stored: int
    events: int
    waiting: int
    unread: int
    scraped_kb: float

    def as_json(self) -> dict[str, Any]:
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(self).items()}


def sample(pid: int, folder: Path, hours: float, frames: int) -> Sample:
    """Look once, as the page does: its status, its metrics, its store."""
    taken, told = footprint(pid), status.read(folder / "run") or {}
    stored = _stored(folder / "events.sqlite")
    around = Surroundings("soak", alive=True, stored_events=stored, store_bytes=_size(folder / "events.sqlite"), free_bytes=1, daemon=taken)
    unread = list((folder / "run" / "unread").glob("*"))
    return Sample(
        hours=hours,
        frames=frames,
        rss_mb=(taken.resident_bytes or 0) / 1e6,
        private_mb=_private_bytes(pid) / 1e6,
        handles=len(os.listdir(f"/proc/{pid}/fd")),
        threads=len(os.listdir(f"/proc/{pid}/task")),
        cpu_s=taken.cpu_s or 0.0,
        written_mb=(taken.written_bytes or 0) / 1e6,
        store_mb=_size(folder / "events.sqlite") / 1e6,
        wal_mb=_size(folder / "events.sqlite-wal") / 1e6,
        gallery_files=len(unread),
        gallery_mb=sum(map(_size, unread)) / 1e6,
        files_mb=sum(map(_size, unread)) / 1e6 + sum(_size(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".log") / 1e6,
        log_mb=_size(folder / "daemon.log") / 1e6,
        stored=stored,
        events=int(told.get("events") or 0),
        waiting=sum(int(target.get("pending") or 0) for target in told.get("targets") or ()),
        unread=sum((told.get("reasons") or {}).values()),
        scraped_kb=len(render(families(told, around))) / 1e3,
    )


def texts(folder: Path) -> list[dict[str, Any]]:
    """What lies in the gallery of unread plates."""
    return [json.loads(path.read_bytes()) for path in sorted((folder / "run" / "unread").glob("2*.json"))]


def _stored(path: Path) -> int:
    try:
        with Store(path, read_only=True) as store:
            return store.count()
    except StoreError:  # not there yet
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _private_bytes(pid: int) -> int:
    """What it has written, so that it is nobody else's. Not what it alone maps of a library: that grows as soon as another process of ours has ended."""
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return 1024 * int(rows["Private_Dirty"].split()[0])
