"""Which plates were there just now, so that a parked car is reported once, however often its track breaks."""

from __future__ import annotations

from dataclasses import dataclass

from edge.plates.lookalike import one_look_apart
from edge.records import Box
from edge.tracking.tracker import Track
from edge.vision.geometry import iou

SAME_PLACE = 0.4
"""Two boxes that overlap by this stand in one place."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A reported plate: the id of its event, its track, when it was last seen (monotonic seconds), and where."""

    id: str
    track: int
    at: float
    box: Box


class Passes:
    """The plates that one camera has reported, by their text, for as long as they count as the same pass."""

    def __init__(self, repeat_after_s: float) -> None:
        self.repeat_after_s = repeat_after_s
        self._seen: dict[str, Seen] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def remember(self, text: str, id: str, track: Track) -> None:
        """Call it after every look at a reported plate."""
        known = self._seen.get(text)
        if known is None or track.last_seen_at >= known.at:
            self._seen[text] = Seen(id, track.id, track.last_seen_at, track.last.detection.box)

    def same(self, text: str, track: Track) -> Seen | None:
        """The earlier pass that this track goes on with, or None when the plate is a new one.

        The same text is the same plate wherever it is. A text that differs by one look-alike is that only where the other stood before and is no more:
        two cars may well have such plates, but not in one place without a pause.
        """
        known = self._seen.get(text)
        if known is not None and known.track != track.id and self._is_recent(known, track):
            return known
        for other, seen in self._seen.items():
            gone = seen.track != track.id and seen.at <= track.first_seen_at
            if gone and self._is_recent(seen, track) and one_look_apart(text, other) and iou(seen.box, track.first_box) >= SAME_PLACE:
                return seen
        return None

    def forget(self, now: float) -> None:
        """Plates not seen for long need no memory."""
        self._seen = {text: seen for text, seen in self._seen.items() if now - seen.at <= self.repeat_after_s}

    def _is_recent(self, seen: Seen, track: Track) -> bool:
        return track.first_seen_at - seen.at < self.repeat_after_s
