"""What the daemon says of itself: its state and every part's figures, put together for the status file."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.config import Config
from edge.records import Event
from edge.status import State, utc_iso, version

if TYPE_CHECKING:
    from edge.camera.pump import Pump
    from edge.keeper import Keeper
    from edge.keeping.housekeeping import Housekeeping
    from edge.keeping.veil import Veil
    from edge.pipeline import Pipeline

IDLE_AFTER_S = 2.0


class Account:
    """Put together anew whenever it is asked for. `tellers` add what they say under their name, `worries` a sentence where something is wrong."""

    def __init__(
        self,
        config: Config,
        facts: dict[str, Any],
        *,
        pump: Pump,
        keeper: Keeper,
        house: Housekeeping,
        pipeline: Pipeline,
        veil: Veil,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
    ) -> None:
        self._pump, self._keeper, self._house, self._pipeline, self._veil = pump, keeper, house, pipeline, veil
        self._clock, self._wall = clock, wall
        self.facts: dict[str, Any] = {
            "v": 1,
            "version": version(),
            "pid": os.getpid(),
            "started_at": utc_iso(wall()),
            "threads": config.models.threads,
        } | facts
        self.tellers: dict[str, Callable[[], Any]] = {}
        self.worries: list[Callable[[], str]] = []
        self.events = self.previews = 0
        self.frame_at: float | None = None
        """When the last frame was taken up, monotonic."""

    def count(self, event: Event) -> None:
        self.events += not event.preview
        self.previews += event.preview

    def state(self, stopped: bool = False) -> State:
        if stopped:
            return "stopped"
        if self._pump.lost is not None:
            return "camera lost"
        if self.frame_at is None:
            return "starting"
        return "idle" if self._clock() - self.frame_at > IDLE_AFTER_S else "watching"

    def compose(self, stopped: bool = False) -> dict[str, Any]:
        """As `edge.status` says."""
        state = self.state(stopped)  # before the troubles: the camera may be lost at any moment, and then with its reason
        meter, troubles = self._pipeline.meter, (self._pump.lost, self._keeper.trouble, *self._house.words(), *(worry() for worry in self.worries))
        shown = self._veil.in_view(self._pipeline.in_view)
        plates = [{"quad": [[round(x, 1), round(y, 1)] for x, y in quad.points], "text": text, "confidence": sure} for quad, text, sure in shown]
        return (
            self.facts
            | {
                "state": state,
                "detail": "; ".join(trouble for trouble in troubles if trouble),
                "updated_at": utc_iso(self._wall()),
                "camera": self._pump.as_json(),
                "fps": meter.fps(self._clock()),
                "stages_ms": meter.stages_ms(),
                "plates_in_view": plates,
                "events": self.events,
                "totals": {"previews": self.previews, "lost": self._keeper.lost, "stages": meter.totals()},
                "reasons": dict(self._pipeline.judge.reasons),
                "store": self._house.as_json() | {"waiting": self._keeper.waiting, "lost": self._keeper.lost, "privacy": self._veil.as_json()},
            }
            | {name: tell() for name, tell in self.tellers.items()}
        )
