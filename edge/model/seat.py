"""Where a network sits while the daemon runs. The pipeline asks the seat; who sits there may change between two frames.

A newcomer is on trial: the one of before stays in memory beside it. Where the newcomer fails, or where it finds nothing legible and the one of before
does, the one of before answers in its place, so that nothing is lost meanwhile; when that happens at once or too often, it is back in its seat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from edge.model.bundle import Bundle
from edge.records import Detection, Luma, PlateRead, Quad

TRIAL_LOOKS = 300
"""After so many looks the trial is over, whatever they showed: two networks are twice the memory."""
PROOFS = 20
"""After so many looks that showed a legible plate it is over too."""
MISSES = 5
"""So many looks at which only the one of before read a plate are too many, if they are also more than the newcomer's own."""
LEGIBLE = 0.5
"""Confidence from which a read counts as one."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class Seat:
    """Of one kind of network. `refused` says why the last that was offered is not in use; the counters begin with the daemon."""

    kind = ""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.before: Bundle | None = None
        """The one to fall back on; None when the trial is over."""
        self.refused = ""
        self.switched = self.refusals = self.rolled_back = 0
        self._left = self._good = self._missed = 0

    def take(self, bundle: Bundle) -> None:
        """Between two frames: sit down, on trial. Who has not proven itself is nothing to fall back on."""
        if bundle.content != self.bundle.content or bundle.manifest != self.bundle.manifest:
            self.before = self.before or self.bundle
            self.switched += 1
            self._left, self._good, self._missed = TRIAL_LOOKS, 0, 0
            log.info("%s: %s (%s) is in use from now on", self.kind, bundle.manifest.name, bundle.manifest.sha256[:8])
        self.bundle, self.refused = bundle, ""

    def refuse(self, sentence: str) -> None:
        """Something was offered and not taken."""
        self.refused = f"{sentence}; {self.bundle.manifest.name} stays in use"
        self.refusals += 1
        log.error("%s: %s", self.kind, self.refused)

    def as_json(self) -> dict[str, Any]:
        """For the status."""
        return {
            **self.bundle.about(),
            "previous": None if self.before is None else self.before.about(),
            "refused": self.refused,
            "switched": self.switched,
            "refusals": self.refusals,
            "rolled_back": self.rolled_back,
        }

    def _ask(self, ask: Callable[[Any], T], is_good: Callable[[T], bool]) -> T:
        before = self.before
        if before is None:
            return ask(self.bundle.network)
        try:
            answer = ask(self.bundle.network)
        except Exception as error:  # whatever it was, the one of before did not do it
            self._back(before, f"failed at work ({type(error).__name__}: {error})")
            return ask(before.network)
        self._left -= 1
        if is_good(answer):
            self._good += 1
        elif is_good(earlier := ask(before.network)):
            self._missed += 1
            answer = earlier
        if self._missed >= MISSES and self._missed > self._good:
            self._back(before, f"read nothing at {self._missed} of {self._missed + self._good} looks where the one before it did")
        elif self._left <= 0 or self._good >= PROOFS:
            self.before = None
            log.info("%s: %s keeps its seat", self.kind, self.bundle.manifest.name)
        return answer

    def _back(self, before: Bundle, why: str) -> None:
        gone, self.bundle, self.before = self.bundle, before, None
        self.rolled_back += 1
        self.refused = f"the {self.kind} {gone.manifest.name} ({gone.manifest.sha256[:8]}) {why}; {before.manifest.name} is in use again"
        log.error("%s", self.refused)


class ReaderSeat(Seat):
    """Reads plates, as `pipeline.PlateReader`."""

    kind = "reader"

    def read(self, luma: Luma, quad: Quad, lines: int) -> PlateRead:
        read: PlateRead = self._ask(lambda network: network.read(luma, quad, lines), is_legible)
        return read

    @property
    def trusted(self) -> Any:
        """The network whose word counts where another's is in question."""
        return (self.before or self.bundle).network


class DetectorSeat(Seat):
    """Finds plates, as `pipeline.PlateFinder`. On trial what it finds is read, to see whether it is a plate."""

    kind = "detector"

    def __init__(self, bundle: Bundle, reader: ReaderSeat) -> None:
        super().__init__(bundle)
        self._reader = reader

    def detect(self, luma: Luma) -> list[Detection]:
        def any_legible(found: list[Detection]) -> bool:
            return any(is_legible(self._reader.trusted.read(luma, one.quad, one.lines)) for one in found[:3])

        found: list[Detection] = self._ask(lambda network: network.detect(luma), any_legible)
        return found


def is_legible(read: PlateRead) -> bool:
    return bool(read.text) and read.confidence >= LEGIBLE
