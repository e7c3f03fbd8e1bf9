"""When a track becomes an event, and why it does not."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from edge.config import TrackingConfig
from edge.plates.text import edit_distance
from edge.records import Event, Sighting
from edge.status import utc_iso
from edge.tracking.tracker import Track
from edge.tracking.voting import NO_VOTE, Look, Vote, vote, weigh

Reason = Literal["too small", "blurred", "low detection", "nothing legible", "too few reads", "reads disagree", "low confidence", "too short", "same pass"]
REASONS: tuple[str, ...] = get_args(Reason)


def jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """(H, W) or (H, W, 3) BGR -> JPEG."""
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


class Judge:
    """One event for each pass. Durations count by the tracks' monotonic clock; `wall` is asked once, when an event is made.

    `reasons` counts the passes that gave no event, and why.
    """

    def __init__(
        self,
        config: TrackingConfig,
        *,
        camera: str = "camera",
        country: str | None = None,
        crops: bool = True,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._config, self._camera, self._country, self._crops, self._wall, self._new_id = config, camera, country, crops, wall, new_id
        self._votes: dict[int, tuple[Vote, float]] = {}
        """Track id -> its vote, and since when that text stands."""
        self._settled: set[int] = set()
        """Tracks that were judged; their vote is final."""
        self._seen_at: dict[str, float] = {}
        """Text -> when a judged track last showed it."""
        self.reasons: Counter[str] = Counter()

    def judge(self, track: Track, now: float) -> Event | None:
        """Look at a track after a frame; the event when it has just settled."""
        event = None if track.id in self._settled else self._settle(track, now)
        if track.id in self._settled:
            text = self._votes[track.id][0].text
            self._seen_at[text] = max(track.last_seen_at, self._seen_at.get(text, track.last_seen_at))
        if track.lost:
            self._settled.discard(track.id)
            self._votes.pop(track.id, None)
            self._forget(track.last_seen_at)
        return event

    def vote_of(self, track: Track) -> Vote:
        """What the track's looks said together when it was last judged."""
        return self._votes[track.id][0] if track.id in self._votes else NO_VOTE

    def _settle(self, track: Track, now: float) -> Event | None:
        looks = self._voters(track)
        sharpest = max((look.sharpness for look in looks), default=0.0)
        voted = vote([Look(look.read, weigh(look, sharpest)) for look in looks])
        before, since = self._votes.get(track.id, (NO_VOTE, now))
        since = since if before.text == voted.text else now
        self._votes[track.id] = voted, since
        if (reason := self._doubt(track, voted)) is not None:
            if track.lost:
                self.reasons[reason] += 1
            return None
        if not track.lost and track.last_seen_at - since < self._config.settle_s:
            return None
        self._settled.add(track.id)
        seen_at = self._seen_at.get(voted.text)
        if seen_at is not None and track.first_seen_at - seen_at < self._config.repeat_after_s:
            self.reasons["same pass"] += 1
            return None
        return self._event(track, voted, now)

    def _voters(self, track: Track) -> list[Sighting]:
        return [look for look in track.looks if look.read.text and self._flaw(look) is None]

    def _flaw(self, look: Sighting) -> Reason | None:
        if look.detection.box.width < self._config.min_plate_px:
            return "too small"
        if look.detection.score < self._config.min_detection_score:
            return "low detection"
        return "blurred" if look.sharpness < self._config.min_sharpness else None

    def _doubt(self, track: Track, voted: Vote) -> Reason | None:
        """Why this vote is not believed, or None when it is."""
        if voted.agreeing >= self._config.min_reads:
            if len(voted.text) < self._config.min_characters:
                return "too short"
            return None if voted.confidence >= self._config.min_confidence else "low confidence"
        flaws = Counter(flaw for look in track.looks if (flaw := self._flaw(look)))
        if voted.looks < self._config.min_reads and flaws and flaws.total() >= len(track.looks) / 2:
            return flaws.most_common(1)[0][0]
        if voted.looks == 0:
            return "nothing legible"
        return "too few reads" if voted.looks < self._config.min_reads else "reads disagree"

    def _event(self, track: Track, voted: Vote, now: float) -> Event:
        best = min(
            self._voters(track),
            key=lambda look: (edit_distance(look.read.text, voted.text), look.crop is None, -look.read.confidence * look.detection.score),
        )
        # A track is dated by how long ago it was seen, so that a jump of the wall clock during the pass stretches nothing.
        wall = self._wall()
        last_seen = wall - timedelta(seconds=max(0.0, now - track.last_seen_at))
        duration_s = track.last_seen_at - track.first_seen_at
        return Event(
            id=self._new_id(),
            camera=self._camera,
            text=voted.text,
            confidence=voted.confidence,
            characters=voted.characters,
            first_seen=utc_iso(last_seen - timedelta(seconds=duration_s)),
            last_seen=utc_iso(last_seen),
            duration_s=duration_s,
            looks=voted.looks,
            agreeing=voted.agreeing,
            lines=best.read.lines,
            country=self._country,
            detection_score=best.detection.score,
            quad=best.detection.quad,
            crop_jpeg=jpeg(best.crop) if self._crops and best.crop is not None else b"",
        )

    def _forget(self, now: float) -> None:
        """Plates not seen for long need no memory."""
        self._seen_at = {text: at for text, at in self._seen_at.items() if now - at <= self._config.repeat_after_s}
