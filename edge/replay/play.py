"""A recording through the daemon's own pipeline, as fast as it goes, by the recording's own clock. Nothing is stored, sent or opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.camera.files import VIDEO_SUFFIXES, FilesCamera
from edge.config import Config
from edge.errors import CameraLost, ConfigError, ImageError
from edge.lists.book import Lists
from edge.records import Event
from edge.tracking.reasons import Unread
from edge.wiring import make_pipeline, with_threads

Progress = Callable[[int], None]
"""Told after each frame how many there were."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A plate that was, or is said to have been, in view from `from_s` to `to_s` of the recording."""

    text: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Told(Seen):
    """An event that would have been; `at_s` is when it would have been told."""

    id: str
    at_s: float
    preview: bool
    confidence: float
    looks: int
    agreeing: int
    lines: int
    country: str | None
    direction: str
    list: str | None


@dataclass(frozen=True, slots=True)
class Passed(Seen):
    """A pass that gave no event; `text` is what its looks came to, perhaps ''."""

    reason: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Replayed:
    """All that a recording gave. `length_s` is of the recording, `took_s` of the work."""

    name: str
    bundles: dict[str, Any]
    events: list[Told] = field(default_factory=list)
    previews: list[Told] = field(default_factory=list)
    unread: list[Passed] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    frames: int = 0
    skipped: int = 0
    cut_short: int = 0
    """So many frames fewer than the recording itself says that it has."""
    looked: int = 0
    length_s: float = 0.0
    took_s: float = 0.0
    stages_ms: dict[str, dict[str, float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "recording": self.name,
            "bundles": self.bundles,
            "frames": self.frames,
            "skipped": self.skipped,
            "cut_short": self.cut_short,
            "looked": self.looked,
            "length_s": round(self.length_s, 3),
            "took_s": round(self.took_s, 3),
            "stages_ms": self.stages_ms,
            "events": [_rounded(one) for one in self.events],
            "previews": [_rounded(one) for one in self.previews],
            "unread": [_rounded(one) for one in self.unread],
            "reasons": self.reasons,
        }


def play(config: Config, source: Path, *, every_frame: bool = False, progress: Progress = lambda frames: None) -> Replayed:
    """Play a video, a picture or a folder of pictures. ImageError where there is nothing to play, ConfigError or BundleError as the daemon would say."""
    config, _ = with_threads(config)
    camera = FilesCamera(config.camera.model_copy(update={"kind": "files", "source": str(source), "loop": False, "real_time": False}), clock=lambda: 0.0)
    # Lists have dates and times of day: the recording is taken to have begun when its file was last written.
    began, now = datetime.fromtimestamp(int(source.stat().st_mtime), UTC), 0.0
    unread, ended = list[Passed](), False
    pipeline, bundles = make_pipeline(
        config,
        known=Lists(config.lists).match,
        # A pass is judged when it is lost: about so long after it was last seen.
        on_unread=lambda one: unread.append(_passed(now if ended else max(0.0, now - config.tracking.lost_after_s), one)),
        every_frame=every_frame,
        wall=lambda: began + timedelta(seconds=now),
    )
    told = Replayed(source.name, bundles, unread=unread)

    def keep(events: list[Event]) -> None:
        for event in events:
            (told.previews if event.preview else told.events).append(_told(event, began, now))
        while pipeline.judge.withdrawn:
            gone = pipeline.judge.withdrawn.pop()
            told.previews = [one for one in told.previews if one.id != gone]

    started = time.perf_counter()
    try:
        with camera:
            for frame in camera.frames():
                now = frame.seen_at
                keep(pipeline.step(frame))
                told.frames += 1
                progress(told.frames)
    except CameraLost:
        raise ImageError(f"{source}: cannot be opened as a video; copy it again or convert it to mp4") from None
    except ConfigError:
        what = "frame that can be read; copy it again or convert it to mp4" if source.suffix.lower() in VIDEO_SUFFIXES else "picture that can be read"
        raise ImageError(f"{source}: holds no {what}") from None
    ended = True
    keep(pipeline.finish(now))
    told.took_s, told.length_s, told.skipped = time.perf_counter() - started, now, camera.skipped
    told.reasons, told.stages_ms = dict(pipeline.judge.reasons.most_common()), pipeline.meter.stages_ms()
    told.looked = told.frames if pipeline.attention is None else pipeline.attention.looked
    return told


def _told(event: Event, began: datetime, now: float) -> Told:
    from_s, to_s = (round((datetime.fromisoformat(moment) - began).total_seconds(), 3) for moment in (event.first_seen, event.last_seen))
    return Told(
        event.text,
        from_s,
        to_s,
        event.id,
        now,
        event.preview,
        event.confidence,
        event.looks,
        event.agreeing,
        event.lines,
        event.country,
        event.direction,
        None if event.match is None else event.match.list,
    )


def _passed(to_s: float, one: Unread) -> Passed:
    """Without its picture: a recording may be hours long."""
    return Passed(str(one.facts["text"]), max(0.0, to_s - float(one.facts["seconds"])), to_s, one.reason, one.facts)


def _rounded(one: Seen) -> dict[str, Any]:
    """Without the event's id, which is another each time."""
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(one).items() if key not in ("id", "preview")}
