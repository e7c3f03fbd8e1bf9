"""What the daemon says of itself: its state and every part's figures, put together for the status file."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.config import Config
from edge.desk.aid import cells
from edge.records import Event, Frame
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

    def tell(self, name: str, teller: Callable[[], Any] | None) -> None:
        """From now on this under that name, or nothing."""
        self.tellers.pop(name, None)
        if teller is not None:
            self.tellers[name] = teller

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

    def plates(self) -> list[dict[str, Any]]:
        """Those in view, without the texts that may not be told."""
        shown = self._veil.in_view(self._pipeline.in_view)
        return [{"quad": [[round(x, 1), round(y, 1)] for x, y in quad.points], "text": text, "confidence": sure} for quad, text, sure in shown]

    def figures(self, frame: Frame) -> dict[str, Any]:
        """What belongs to this very picture: its number, when it was worked, its size, its plates, and where something moves."""
        height, width = frame.luma.shape
        told: dict[str, Any] = {"number": frame.index, "at": utc_iso(self._wall()), "width": width, "height": height, "plates": self.plates()}
        attention = self._pipeline.attention
        return told if attention is None else told | {"motion": cells(attention.cells)}

    def view(self) -> dict[str, Any]:
        """Where plates count, and from which width on, as it is in force."""
        attention = self._pipeline.attention
        regions = attention.regions if attention is not None else None
        polygons = {"include": regions.include, "exclude": regions.exclude} if regions is not None else {"include": (), "exclude": ()}
        return polygons | {"min_plate_px": self._pipeline.min_plate_px}

    def compose(self, stopped: bool = False) -> dict[str, Any]:
        """As `edge.status` says."""
        state = self.state(stopped)  # before the troubles: the camera may be lost at any moment, and then with its reason
        meter, troubles = self._pipeline.meter, (self._pump.lost, self._keeper.trouble, *self._house.words(), *(worry() for worry in self.worries))
        return (
            self.facts
            | {
                "state": state,
                "detail": "; ".join(trouble for trouble in troubles if trouble),
                "updated_at": utc_iso(self._wall()),
                "camera": self._pump.as_json(),
                "fps": meter.fps(self._clock()),
                "stages_ms": meter.stages_ms(),
                "plates_in_view": self.plates(),
                "events": self.events,
                "totals": {"previews": self.previews, "lost": self._keeper.lost, "stages": meter.totals()} | self._pipeline.totals(),
                "reasons": dict(self._pipeline.judge.reasons),
                "store": self._house.as_json() | {"waiting": self._keeper.waiting, "lost": self._keeper.lost, "privacy": self._veil.as_json()},
            }
            | {name: tell() for name, tell in self.tellers.items()}
        )
