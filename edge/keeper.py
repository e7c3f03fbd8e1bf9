"""Between the pipeline and a store that may refuse."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice

from edge.camera.base import back_off_s
from edge.errors import StoreError
from edge.keeping.schema import Damaged
from edge.records import Event
from edge.store import Store

BATCH_S = 1.0
"""Events within so many seconds are one write to the card. The first after a pause is written at once."""
AT_ONCE = 50
log = logging.getLogger(__name__)


class Keeper:
    """Hands events to the store; what it will not take now waits here, at most `bound` events, and is offered again.

    A damaged store is set aside, and a new one begun. `saved` and `lost` count since the start.
    """

    def __init__(self, store: Store, *, bound: int = 500, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._bound, self._wall = store, bound, wall
        self._waiting = deque[Event]()
        self._unsaid = list[str]()
        self._failed, self._again_at = 0, float("-inf")
        self.saved = self.lost = 0
        self.trouble = ""

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def keep(self, events: Sequence[Event], now: float, *, hurry: bool = False) -> None:
        """Store these and those still waiting; after a failure not before its back-off is over, unless in a `hurry`."""
        self._waiting.extend(events)
        while len(self._waiting) > self._bound:
            self._waiting.popleft()
            self.lost += 1
            log.error("an event is lost: the store takes none and %d wait already", self._bound)
        if not (self._waiting or self._unsaid) or (now < self._again_at and not hurry):
            return
        try:
            self._withdraw()
            while self._waiting:
                self._write(list(islice(self._waiting, AT_ONCE)))
        except StoreError as error:
            self._failed += 1
            self._again_at = now + back_off_s(self._failed)
            self.trouble = f"{len(self._waiting)} events wait to be stored{f', {self.lost} are lost' if self.lost else ''}: {error}"
            log.error("%s", self.trouble)
            if isinstance(error, Damaged):
                self._set_aside(now)
        else:
            self._failed, self.trouble, self._again_at = 0, "", now + BATCH_S

    def _write(self, events: Sequence[Event]) -> None:
        with self._store.batch():
            for event in events:
                self._store.add(event)  # idempotent by id: an event that was stored after all is not stored twice
        for _ in events:
            self._waiting.popleft()
            self.saved += 1

    def _set_aside(self, now: float) -> None:
        try:
            self._store.set_aside(self._wall())
            self._again_at = now
        except StoreError as error:
            log.error("%s", error)

    def forget(self, id: str) -> None:
        """A preview that should not have been: neither waiting nor stored, as soon as the store can; and who was told it hears so."""
        self._waiting = deque(event for event in self._waiting if event.id != id)
        self._unsaid.append(id)
        try:
            self._withdraw()
        except StoreError as error:
            log.error("a preview of an ignored plate stands in the store until that works again: %s", error)

    def _withdraw(self) -> None:
        while self._unsaid:
            self._store.withdraw(self._unsaid[0])
            self._unsaid.pop(0)
