"""The reasons why passes gave no event, written to the store now and then."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from edge.errors import StoreError
from edge.status import utc_iso
from edge.store import Store

EVERY_S = 30.0
log = logging.getLogger(__name__)


class Tally:
    """Knows what was written already."""

    def __init__(self, store: Store, *, clock: Callable[[], float], wall: Callable[[], datetime]) -> None:
        self._store, self._clock, self._wall = store, clock, wall
        self._told: Counter[str] = Counter()
        self._tell_at = float("-inf")

    def is_due(self) -> bool:
        return self._clock() >= self._tell_at

    def tell(self, reasons: Counter[str]) -> None:
        """`reasons` are counted since the start."""
        fresh = reasons - self._told
        self._tell_at = self._clock() + EVERY_S
        try:
            if fresh:
                with self._store.batch():
                    for reason, count in fresh.items():
                        self._store.add_reason(reason, utc_iso(self._wall()), count)
                self._told += fresh
        except StoreError as error:
            log.error("%s", error)  # they are still counted in memory, and told next time
