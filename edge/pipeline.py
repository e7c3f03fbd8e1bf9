"""A frame's way: detect, read, track, judge."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.attention.attention import Attention
from edge.attention.lens import Lens
from edge.attention.regions import Polygon
from edge.keeping.blank import blank, scene
from edge.records import Detection, Event, Frame, Luma, Pass, PlateRead, Quad, Sighting
from edge.status import Meter, PlateInView
from edge.tracking.judge import Judge
from edge.tracking.looks import became
from edge.tracking.tracker import Track, Tracker
from edge.vision.image import sharpness

CROP_MARGIN = 0.15
NOTHING = PlateRead("", 0.0, ())
BURNT_OUT = 250
"""Luma from here on says nothing any more."""


class PlateFinder(Protocol):
    """(H, W) uint8 -> the plates in it."""

    def detect(self, luma: Luma) -> list[Detection]: ...


class PlateReader(Protocol):
    """(H, W) uint8 and a plate's corners in it -> what it says."""

    def read(self, luma: Luma, quad: Quad, lines: int) -> PlateRead: ...


class Pipeline:
    """Takes frames, gives events. `in_view` is what the last frame showed, `passes` the plates in it that are believed; `meter` how long it took."""

    def __init__(
        self,
        detector: PlateFinder,
        reader: PlateReader,
        tracker: Tracker,
        judge: Judge,
        *,
        min_plate_px: float = 0.0,
        min_score: float = 0.0,
        attention: Attention | None = None,
        lens: Lens | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._detector, self._reader, self.tracker, self.judge = detector, reader, tracker, judge
        self.min_plate_px, self.min_score, self._clock = min_plate_px, min_score, clock
        self.attention, self.lens = attention, lens
        self._followed: list[Track] = []
        self._shape: tuple[int, ...] = ()
        self.meter = Meter()
        self.in_view: list[PlateInView] = []
        self.seen: list[Track] = []
        """The tracks of what is in view, in the same order."""
        self.looks: Counter[str] = Counter()
        """What became of every single look at a plate (`edge.tracking.looks`)."""
        self.passes: list[Pass] = []
        self.excluded: tuple[Polygon, ...] = ()
        """What is black in every picture: shares of the frame. The reader sees all the same what belongs to a plate that counts."""
        self.frames = False
        """Whether each look that votes takes the whole frame along: costs the time of a JPEG each."""

    def step(self, frame: Frame) -> list[Event]:
        """Work one frame, if it is worth it; the events that settled with it."""
        if self._shape not in ((), frame.luma.shape):  # another resolution: what was followed is elsewhere now
            events, self._shape = self.finish(frame.seen_at), frame.luma.shape
            return events + self.step(frame)
        self._shape = frame.luma.shape
        if self.attention is not None and not self.attention.wants(frame, self._followed):
            self.passes = []  # nobody looked: the gate must not act on what an earlier frame showed
            self.meter.add({}, frame.seen_at)  # done with, though it cost next to nothing
            return []
        began = self._clock()
        found = self._detector.detect(frame.luma)
        detected = self._clock()
        sightings = [self._look(frame, one) for one in found]
        read = self._clock()
        self.looks.update(became(one, self.judge.flaw(one)) for one in sightings)
        events = self._judged(self.tracker.update(sightings, frame.seen_at), frame.seen_at)
        done = self._clock()
        spent_s = {"detect": detected - began, "track": done - read, "total": done - began} | ({"read": read - detected} if found else {})
        self.meter.add({stage: 1000 * seconds for stage, seconds in spent_s.items()}, frame.seen_at)
        return events

    def totals(self) -> dict[str, object]:
        """Counts since the start, for the status."""
        took, sight = self.meter.histograms(), {stage: one.as_json() for stage, one in self.judge.sight.items()}
        return {"detections": self.looks.total(), "looks": dict(self.looks), "took": took, "sight": sight}

    def attend(self, attention: Attention) -> None:
        """Look by other settings; the scene is learnt anew, the counters go on."""
        if self.attention is not None:
            attention.looked, attention.passed_over = self.attention.looked, self.attention.passed_over
        self.attention = attention

    def rest(self, now: float) -> list[Event]:
        """No frame came: let the tracks grow old."""
        return self._judged(self.tracker.update([], now), now)

    def finish(self, now: float) -> list[Event]:
        """No frame will come: judge what is still in view."""
        return self._judged(self.tracker.finish(), now)

    def _judged(self, tracks: Iterable[Track], now: float) -> list[Event]:
        judged = [(track, self.judge.judge(track, now)) for track in tracks]
        seen = [track for track, _ in judged if track.last_seen_at == now and not track.lost and not track.last.excluded]
        self._followed = [track for track, _ in judged if not track.lost]
        self.seen = seen
        self.in_view = [self._shown(track) for track in seen]
        self.passes = [one for track in seen if (one := self.judge.pass_of(track)) is not None]
        return [event for _, event in judged if event is not None]

    def _shown(self, track: Track) -> PlateInView:
        voted = self.judge.vote_of(track)
        return track.last.detection.quad, voted.text, round(voted.confidence, 3)

    def _look(self, frame: Frame, found: Detection) -> Sighting:
        height, width = frame.luma.shape
        if self.attention is not None and not self.attention.admits(found, width, height):
            return Sighting(found, NOTHING, frame.seen_at, excluded=True)  # followed, so that its pass is counted, and no more
        crop = cut_out(frame.picture, found, CROP_MARGIN)
        x0, y0, _, _ = bounds(found, CROP_MARGIN, width, height)
        if self.excluded:
            blank(crop, self.excluded, (x0, y0), (width, height))
        plate = cut_out(frame.luma, found, 0.0)
        # What has no vote is not read, but followed all the same, so that its pass is counted with its reason.
        votes = found.box.width >= self.min_plate_px and found.score >= self.min_score
        luma, quad = (frame.luma, found.quad) if self.lens is None or not votes else self.lens.straighten(frame.luma, found.quad)
        read = self._reader.read(luma, quad, found.lines) if votes else NOTHING
        sharp, glare = (sharpness(plate) / (float(plate.var()) + 1.0), float((plate >= BURNT_OUT).mean())) if plate.size else (0.0, 0.0)
        frames = scene(frame.picture, self.excluded) if self.frames and read.text else b""
        return Sighting(found, read, frame.seen_at, sharp, glare, crop=crop if crop.size else None, scene_jpeg=frames, crop_at=(x0, y0))


def cut_out(picture: npt.NDArray[np.uint8], found: Detection, margin: float) -> npt.NDArray[np.uint8]:
    """A copy of the upright part of (H, W) or (H, W, 3) around a plate, `margin` of its size on each side."""
    x0, y0, x1, y1 = bounds(found, margin, picture.shape[1], picture.shape[0])
    return picture[y0:y1, x0:x1].copy()  # a view would keep the whole frame in memory for as long as the track


def bounds(found: Detection, margin: float, width: int, height: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of that part, whole pixels within the frame."""
    dx, dy = margin * found.box.width, margin * found.box.height
    x0, x1 = (int(np.clip(x, 0, width)) for x in (found.box.x0 - dx, found.box.x1 + dx + 1))
    y0, y1 = (int(np.clip(y, 0, height)) for y in (found.box.y0 - dy, found.box.y1 + dy + 1))
    return x0, y0, x1, y1
