"""How late an event is: what the daemon noted of each frame, and when another process saw the row in the store and the line in the file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.bench.figures import Samples, Timing
from edge.bench.streamed import Glass
from edge.bench.watched import Watched

LOOK_EVERY_S = 0.002
STARTED_S = 60.0


@dataclass(slots=True)
class Outlook:
    """From outside, as any reader of the store and of the file would see it: previews by id, and when they were there first (monotonic s)."""

    folder: Path
    rows: dict[str, float] = field(default_factory=dict)
    lines: dict[str, float] = field(default_factory=dict)
    _db: sqlite3.Connection | None = None
    _read: int = 0
    _stamp: tuple[int, int] = (0, 0)

    def look(self) -> None:
        """Once; cheap while nothing has changed."""
        now = time.monotonic()
        for id in self._new_rows():
            self.rows.setdefault(id, now)
        for id in self._new_lines():
            self.lines.setdefault(id, now)

    def _new_rows(self) -> list[str]:
        try:
            if self._db is None:
                self._db = sqlite3.connect(f"file:{self.folder / 'events.sqlite'}?mode=ro", uri=True, isolation_level=None)
            about = (self.folder / "events.sqlite-wal").stat()
            stamp = (about.st_size, about.st_mtime_ns)
            if stamp == self._stamp:
                return []
            found = [id for (id,) in self._db.execute("SELECT id FROM events WHERE json_extract(json, '$.preview')")]
            self._stamp = stamp
        except (OSError, sqlite3.Error):  # not there yet, or being made just now
            return []
        return found

    def _new_lines(self) -> list[str]:
        path = self.folder / "events.jsonl"
        try:
            if path.stat().st_size == self._read:
                return []
            with path.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except OSError:
            return []
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        return [told["id"] for told in map(json.loads, whole.splitlines()) if told["preview"]]

    def close(self) -> None:
        if self._db is not None:
            self._db.close()


def watch(one: Watched) -> Outlook:
    """Until the daemon has ended, which it does with its recording. Raises BenchError when it failed."""
    outlook = Outlook(one.folder)
    try:
        while one.process.poll() is None:
            outlook.look()
            time.sleep(LOOK_EVERY_S)
        outlook.look()
    finally:
        outlook.close()
    if one.process.returncode != 0:
        one.check()
    return outlook


def glass(recording: str, reads: int, notes: Sequence[Mapping[str, Any]], outlook: Outlook) -> Glass:
    """The figures of one recording, over all its previews."""
    frames, took = list[int](), {name: list[float]() for name in ("preview", "row", "line", "first_sight")}
    for place, note in enumerate(notes):
        for id, *texts, _ in note["previews"]:
            told = track_of(notes[: place + 1], set(texts))
            looks = [at for at in range(place + 1) if any(track == told and text in texts for track, text in notes[at]["reads"])]
            sights = [at for at in range(place + 1) if any(track == told for track, _ in notes[at]["reads"])]
            if len(looks) < reads:
                continue
            kth = notes[looks[reads - 1]]["seen_at"]
            frames.append(place - looks[reads - 1])
            took["preview"].append(note["done_at"] - kth)
            took["first_sight"].append(note["done_at"] - notes[sights[0]]["seen_at"])
            for name, found in (("row", outlook.rows), ("line", outlook.lines)):
                if id in found:
                    took[name].append(found[id] - kth)
    return Glass(recording=recording, reads=reads, frames=tuple(frames), **{name: timing(seconds) for name, seconds in took.items()})


def track_of(notes: Sequence[Mapping[str, Any]], texts: set[str]) -> int | None:
    """The track whose last look it was that read one of these texts; the one that the preview is of."""
    for note in reversed(notes):
        for track, text in note["reads"]:
            if text in texts:
                return int(track)
    return None


def timing(seconds: Sequence[float]) -> Timing | None:
    """ms; None of nothing."""
    return Samples({0: [1000 * one for one in seconds]}).timing().model_copy(update={"cpu": None}) if seconds else None
