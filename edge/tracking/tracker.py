"""Which sighting belongs to which plate: by where it should be by now, and by what it says."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from edge.records import Box, Quad, Sighting
from edge.tracking.motion import MOST_GROWTH, Motion
from edge.tracking.voting import similarity
from edge.vision.geometry import iou

KEPT_LOOKS = 24
"""A parked car is looked at for hours: beyond so many looks the worst goes."""
FASTEST_WIDTHS_PER_S = 60.0
"""108 km/h straight across the picture, in plates of half a metre."""
ALIKE, UNLIKE = 0.6, 0.35
"""Texts as similar as ALIKE say the same plate; below UNLIKE, both read with SURE confidence, they say two."""
SURE = 0.6


@dataclass(slots=True)
class Track:
    """One plate over many frames. Times are monotonic seconds."""

    id: int
    looks: list[Sighting]
    first_seen_at: float
    last_seen_at: float
    sightings: int = 1
    lost: bool = False
    last: Sighting = field(init=False)
    first_box: Box = field(init=False)
    motion: Motion = field(init=False)
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=3))
    """The last texts that were read, for telling plates apart: one misread is not another plate."""

    def __post_init__(self) -> None:
        self.last = self.looks[-1]
        self.first_box = self.last.detection.box
        self.motion = Motion(self.last.detection.quad, self.last.seen_at)
        self._remember(self.last)

    def _remember(self, sighting: Sighting) -> None:
        if sighting.read.text:
            self.texts.append(sighting.read.text)

    def add(self, sighting: Sighting) -> None:
        """Take one more look; the worst goes when there are too many."""
        self.looks.append(sighting)
        if len(self.looks) > KEPT_LOOKS:
            self.looks.remove(min(self.looks, key=lambda look: look.read.confidence * look.detection.score))
        self.last, self.last_seen_at, self.sightings = sighting, sighting.seen_at, self.sightings + 1
        self.motion.add(sighting.detection.quad, sighting.seen_at)
        self._remember(sighting)


class Tracker:
    """Gives each sighting to one track, best match first; what fits none begins its own."""

    def __init__(self, lost_after_s: float) -> None:
        self.lost_after_s = lost_after_s
        self._tracks: list[Track] = []
        self._ids = count(1)

    def update(self, sightings: Sequence[Sighting], now: float) -> list[Track]:
        """All tracks after one frame; those unseen for too long are in it once more, `lost`, and then forgotten."""
        pairs = [(fit, track, sighting) for track in self._tracks for sighting in sightings if (fit := match(track, sighting)) > 0]
        taken_tracks, taken_sightings = set[int](), set[int]()
        for _, track, sighting in sorted(pairs, key=lambda pair: pair[0], reverse=True):
            if track.id not in taken_tracks and id(sighting) not in taken_sightings:
                track.add(sighting)
                taken_tracks.add(track.id)
                taken_sightings.add(id(sighting))
        fresh = [one for one in sightings if id(one) not in taken_sightings]
        self._tracks += [Track(next(self._ids), [one], one.seen_at, one.seen_at) for one in fresh]
        return self._after(now)

    def finish(self) -> list[Track]:
        """The source has ended: every track is lost."""
        return self._after(float("inf"))

    def _after(self, now: float) -> list[Track]:
        tracks = self._tracks
        for track in tracks:
            track.lost = now - track.last_seen_at > self.lost_after_s
        self._tracks = [track for track in tracks if not track.lost]
        return tracks


def match(track: Track, sighting: Sighting) -> float:
    """How well a sighting continues a track: 0 when it cannot, higher when it fits better."""
    old, new = track.last.detection, sighting.detection
    expected = track.motion.expected(sighting.seen_at)
    if min(_log_growth(old.quad, new.quad), _log_growth(expected, new.quad)) >= MOST_GROWTH:
        return 0.0
    passed_s = max(0.0, sighting.seen_at - track.last_seen_at)
    overlap = max(iou(expected.box, new.box), iou(old.box, new.box))
    away_widths = _corner_distance(expected, new.quad) / max(old.box.width, new.box.width, 1.0)
    both_read = bool(track.texts and sighting.read.text)
    alike = max(similarity(text, sighting.read.text) for text in track.texts) if both_read else 0.5
    if both_read and alike < UNLIKE and min(track.last.read.confidence, sighting.read.confidence) > SURE and (overlap < 0.5 or passed_s > 0.25):
        return 0.0  # the next car stopped where the last one stood
    # A plate's text carries it as far as a fast car goes between two frames; without it, only the next place will do.
    reach_widths = 1.0 + min(10.0, FASTEST_WIDTHS_PER_S * passed_s) if both_read and alike >= ALIKE else 1.2
    if overlap < 0.1 and away_widths > reach_widths:
        return 0.0
    # Two plates may change places between two frames: what they say counts more than where they are.
    return overlap + 2 * alike + 0.5 * max(0.0, 1.0 - away_widths / 10.0)


def _corner_distance(a: Quad, b: Quad) -> float:
    """Mean distance of the corners that belong together, pixels: tells a tilted plate from a level one in the same place."""
    return float(np.linalg.norm(a.array() - b.array(), axis=1).mean())


def _log_growth(a: Quad, b: Quad) -> float:
    """Natural logarithm, without sign, of how much higher one box is than the other: a plate that turns away loses width, not height."""
    return abs(float(np.log((a.box.height + 1) / (b.box.height + 1))))
