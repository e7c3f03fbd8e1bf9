"""The two networks of a running daemon, and what takes their places: named anew in the config, or exchanged in their folders."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import BundleError
from edge.model.bundle import Bundle, Stamp, examine, load_bundle, make_network, stamp_of
from edge.model.rehearsal import look
from edge.model.seat import DetectorSeat, ReaderSeat, Seat
from edge.status import utc_iso

if TYPE_CHECKING:
    from edge.config import ModelsConfig

LOOK_EVERY_S, SETTLE_S = 10.0, 1.0
"""A folder that has changed is looked at again after SETTLE_S: while it goes on changing, somebody is still copying."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What was made ready beside the networks in use. Nothing has changed yet."""

    models: ModelsConfig
    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)


class Networks:
    """`detector` and `reader` are the seats for the pipeline. `folder_of` knows a bundle's folder by its name in the config.

    `models` has its number of threads worked out already.
    """

    def __init__(
        self,
        models: ModelsConfig,
        folder_of: Callable[[str], Path],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.models, self._folder_of, self._clock, self._wall = models, folder_of, clock, wall
        self._tried = {kind: stamp_of(self._folder(kind, models)) for kind in ("detector", "reader")}
        """The folders as they were when they were last read: before, so that what changes meanwhile is seen."""
        first = {kind: replace(load_bundle(self._folder(kind, models), kind, models), since=utc_iso(wall())) for kind in self._tried}
        self.reader = ReaderSeat(first["reader"])
        self.detector = DetectorSeat(first["detector"], self.reader)
        self._look_at = clock() + LOOK_EVERY_S
        self._seen = dict(self._tried)

    @property
    def seats(self) -> dict[str, Seat]:
        return {"detector": self.detector, "reader": self.reader}

    def changed(self) -> bool:
        """Has a folder changed since it was read, and come to rest? To be called at every turn; looks every few seconds."""
        if self._clock() < self._look_at:
            return False
        now = {kind: stamp_of(self._folder(kind, self.models)) for kind in self._tried}
        at_rest, self._seen = now == self._seen, now
        self._look_at = self._clock() + (LOOK_EVERY_S if at_rest else SETTLE_S)
        return at_rest and now != self._tried

    def are_as(self, models: ModelsConfig) -> bool:
        """Nothing is to be loaded for these: `prepare` would be done at once."""
        if models != self.models or any(seat.refused for seat in self.seats.values()):
            return False
        return self._tried == {kind: stamp_of(self._folder(kind, models)) for kind in self._tried}

    def prepare(self, models: ModelsConfig, *, again: bool = False) -> Offer:
        """Load and verify what is not in use yet; may take its time, in another thread than the pipeline's.

        A bundle that the config names anew must do, else BundleError. One whose files have changed (with `again`: or was refused) may be refused, and
        then the one in use stays.
        """
        bundles, refusals, stamps = dict[str, Bundle](), dict[str, str](), dict[str, Stamp]()
        for kind, seat in self.seats.items():
            folder, now = self._folder(kind, models), seat.bundle
            named = folder != self._folder(kind, self.models)
            stamps[kind] = stamp_of(folder)
            offered = (now.manifest, now.content)
            if due := named or stamps[kind] != self._tried[kind] or (again and bool(seat.refused)):
                try:
                    offered = examine(folder, kind, now)
                except BundleError as error:
                    if named:
                        raise
                    refusals[kind] = str(error)
            if offered != (now.manifest, now.content):
                network = make_network(*offered, models)
                look(network)
                bundles[kind] = Bundle(*offered, network, utc_iso(self._wall()))
            elif _settings(kind, models) != _settings(kind, self.models):
                bundles[kind] = now.made_anew(models)
            elif due and kind not in refusals:
                bundles[kind] = now  # what was wrong with its files is mended
        return Offer(models, bundles, refusals, stamps)

    def take(self, offer: Offer) -> None:
        """Between two frames."""
        self.models = offer.models
        self._tried = dict(offer.stamps)
        for kind, seat in self.seats.items():
            if kind in offer.bundles:
                seat.take(offer.bundles[kind])
            if kind in offer.refusals:
                seat.refuse(offer.refusals[kind])

    def words(self) -> str:
        """What is wrong, for the status."""
        return "; ".join(seat.refused for seat in self.seats.values() if seat.refused)

    def as_json(self) -> dict[str, Any]:
        """For the status."""
        return {kind: seat.as_json() for kind, seat in self.seats.items()}

    def _folder(self, kind: str, models: ModelsConfig) -> Path:
        return self._folder_of(getattr(models, kind))


def _settings(kind: str, models: ModelsConfig) -> tuple[object, ...]:
    return (models.threads, models.detection_threshold, models.closer_looks) if kind == "detector" else (models.threads,)
