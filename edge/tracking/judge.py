"""When a track becomes an event, and why it does not."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt

from edge.metrics.histogram import SIGHT_S, Histogram
from edge.plates.choice import AUTO, NONE
from edge.plates.text import edit_distance
from edge.records import Event, Match, Pass, Sighting
from edge.status import utc_iso
from edge.tracking.evidence import evidence_of
from edge.tracking.passes import Passes, Seen
from edge.tracking.pooled import Memo
from edge.tracking.reasons import Reason, Unread, best_look, doubt, facts, flaw
from edge.tracking.settings import TrackingConfig
from edge.tracking.thinning import thin
from edge.tracking.tracker import Track
from edge.tracking.verdict import NO_VERDICT, Verdict, conclude

GHOST_LOOKS = 3
"""What was seen less often, and never surely, is a flicker of the detector: counted, but no picture of it is kept."""
Known = Callable[[str, datetime], Match | None]
"""What the lists say about a text at a time."""


def jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """(H, W) or (H, W, 3) BGR -> JPEG."""
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


@dataclass(slots=True)
class _State:
    """What is known of one track. `since` is when its text began to stand, `told` the last verdict that was believed, `known` the pass that it goes on with."""

    verdict: Verdict = NO_VERDICT
    since: float = 0.0
    ruled_looks: int = 0
    id: str = ""
    previewed: bool = False
    told: Verdict | None = None
    match: Match | None = None
    final: bool = False
    known: Seen | None = None
    known_text: str = ""
    memo: Memo = field(default_factory=dict)
    outcome: str = ""
    """"event", or why there is none."""

    @property
    def ignored(self) -> bool:
        return self.match is not None and self.match.kind == "ignore"


class Judge:
    """Two events at most for each pass: a preview while the vehicle is there, and the final one with the same id.

    Durations count by the tracks' monotonic clock; `wall` is asked when an event is made. `reasons` counts the passes that gave no event, and why;
    `on_unread` is handed each of those whose picture may be kept. `withdrawn` are the ids of previews that should not have been.
    """

    def __init__(
        self,
        config: TrackingConfig,
        *,
        camera: str = "camera",
        country: str | None = None,
        strict: bool = False,
        crops: bool = True,
        known: Known = lambda text, at: None,
        on_unread: Callable[[Unread], None] = lambda unread: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._config, self._camera, self._country, self._strict, self._crops = config, camera, country, strict, crops
        self._known, self._on_unread, self._wall, self._new_id = known, on_unread, wall, new_id
        self._states: dict[int, _State] = {}
        self._passes = Passes(config.repeat_after_s)
        self.reasons: Counter[str] = Counter()
        self.sight = {stage: Histogram(SIGHT_S) for stage in ("preview", "final")}
        """From the first sight of a plate to its event."""
        self.withdrawn: list[str] = []
        self.on_end: Callable[[Track, str, Verdict], None] | None = None
        """Hears of every track that is lost, and what became of it."""

    def adopt(self, config: TrackingConfig, *, camera: str, country: str | None, strict: bool, crops: bool) -> None:
        """From now on by these settings; what is in view is judged anew by the rules of another country."""
        if country != self._country:
            for state in self._states.values():
                state.ruled_looks = 0
        self._config, self._camera, self._country, self._strict, self._crops = config, camera, country, strict, crops
        self._passes.repeat_after_s = config.repeat_after_s

    def judge(self, track: Track, now: float) -> Event | None:
        """Look at a track after a frame; the event when there is one to tell."""
        state = self._states.setdefault(track.id, _State(since=now))
        event = None if state.final else self._decide(track, state, now)
        thin(track, self._config, state.memo, state.final)
        if (state.previewed or state.final) and not state.ignored:
            self._passes.remember((state.told or state.verdict).text, state.known.id if state.known else state.id, track)
        if track.lost:
            if self.on_end is not None:
                self.on_end(track, state.outcome, NO_VERDICT if state.ignored else state.told or state.verdict)
            del self._states[track.id]
            self._passes.forget(track.last_seen_at)
        return event

    def flaw(self, look: Sighting) -> Reason | None:
        """Why a look has no vote."""
        return flaw(look, self._config)

    def vote_of(self, track: Track) -> Verdict:
        """What the track's looks said together when it was last judged; nothing of a plate that is ignored."""
        state = self._states.get(track.id)
        return NO_VERDICT if state is None or state.ignored else state.verdict

    def ids(self) -> list[str]:
        """Of the passes of all plates in view, whether they are believed yet or not."""
        for state in self._states.values():
            state.id = state.id or self._new_id()
        return [state.id for state in self._states.values()]

    def pass_of(self, track: Track) -> Pass | None:
        """The track for the gate: None as long as its text is not believed."""
        state = self._states.get(track.id)
        if state is None or state.told is None:
            return None
        told, state.id = state.told, state.id or self._new_id()
        return Pass(state.id, told.text, told.confidence, told.agreeing, track.motion.direction(), track.last_seen_at - track.first_seen_at, state.match)

    def _decide(self, track: Track, state: _State, now: float) -> Event | None:
        looks = [look for look in track.looks if look.read.text and flaw(look, self._config) is None]
        self._conclude(looks, state, now)
        reason = doubt(track, state.verdict, self._config, self._strict, told=self._country not in (None, AUTO, NONE))
        if reason is None:
            state.told = state.verdict
            state.match = self._known(state.verdict.text, self._wall())
        elif not (track.lost and state.previewed):  # of a preview a final event must come, with what was last believed
            state.told = state.told if state.previewed else None
            if track.lost:
                self._unread(track, state, reason)
            return None
        if state.ignored:
            self._ignore(track, state)
            return None
        if not state.previewed:  # once known to go on, it goes on, however long it takes
            state.known = self._passes.same(state.verdict.text, track) or (state.known if state.verdict.text == state.known_text else None)
            state.known_text = state.verdict.text
        if not track.lost and track.last_seen_at - state.since < self._config.settle_s:
            ripe = 0 < self._config.preview_reads <= state.verdict.agreeing and state.known is None and not state.previewed
            return self._event(track, state, looks, now, preview=True) if ripe else None
        state.final = True
        if state.known is not None:
            self._unread(track, state, "same pass")
            return None
        return self._event(track, state, looks, now, preview=False)

    def _conclude(self, looks: Sequence[Sighting], state: _State, now: float) -> None:
        before = state.verdict
        state.verdict = conclude(looks, self._country, before, state.ruled_looks, state.memo)
        if state.verdict.raw_text != before.raw_text or len(looks) >= 1.5 * state.ruled_looks:
            state.ruled_looks = len(looks)
        if state.verdict.text != before.text:
            state.since = now

    def _ignore(self, track: Track, state: _State) -> None:
        if state.previewed:  # an earlier vote said something else
            self.withdrawn.append(state.id)
            state.previewed = False
        if track.lost:
            self.reasons["ignored"] += 1
            state.outcome = "ignored"

    def _unread(self, track: Track, state: _State, reason: Reason) -> None:
        """Count it; and hand its picture on, unless one of its looks may be at a plate that nobody wants kept."""
        self.reasons[reason] += 1
        state.outcome = reason
        ghost = track.sightings < GHOST_LOOKS and all(look.detection.score < self._config.min_detection_score for look in track.looks)
        if reason in ("same pass", "excluded") or ghost:
            return
        texts = {state.verdict.text, *(look.read.text for look in track.looks)} - {""}
        if any(map(self._is_ignored, texts)):
            self._on_unread(Unread(reason, facts(track, NO_VERDICT), None))
        else:
            best = best_look(track) if self._crops else None
            self._on_unread(Unread(reason, facts(track, state.verdict, best), best.crop if best else None))

    def _event(self, track: Track, state: _State, looks: Sequence[Sighting], now: float, preview: bool) -> Event:
        told = state.told or state.verdict
        self.sight["preview" if preview else "final"].add(now - track.first_seen_at)
        state.id, state.previewed, state.outcome = state.id or self._new_id(), preview, "event"
        best = min(
            looks,
            key=lambda look: (edit_distance(look.read.text, told.raw_text), look.crop is None, -look.read.confidence * look.detection.score),
        )
        # A track is dated by how long ago it was seen, so that a jump of the wall clock during the pass stretches nothing.
        last_seen = self._wall() - timedelta(seconds=max(0.0, now - track.last_seen_at))
        duration_s = track.last_seen_at - track.first_seen_at
        return Event(
            id=state.id,
            camera=self._camera,
            text=told.text,
            confidence=told.confidence,
            characters=told.characters,
            first_seen=utc_iso(last_seen - timedelta(seconds=duration_s)),
            last_seen=utc_iso(last_seen),
            duration_s=duration_s,
            looks=told.looks,
            agreeing=told.agreeing,
            lines=best.read.lines,
            country=told.country,
            detection_score=best.detection.score,
            quad=best.detection.quad,
            crop_jpeg=jpeg(best.crop) if self._crops and best.crop is not None else b"",
            preview=preview,
            raw_text=told.raw_text,
            rule=told.rule,
            direction=track.motion.direction(),
            dwell_s=track.motion.stood_s,
            match=state.match,
            frame_jpeg=best.scene_jpeg,
            crop_at=best.crop_at,
            evidence=None if preview else evidence_of(looks, told, track.first_seen_at, state.memo, self._is_ignored),
        )

    def _is_ignored(self, text: str) -> bool:
        match = self._known(text, self._wall())
        return match is not None and match.kind == "ignore"
