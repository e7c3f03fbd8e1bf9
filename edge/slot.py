"""Room for one frame: the newest. What nobody fetched in time is dropped and counted, so that the device is never late."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """One writer, one reader, each in its own thread. What is dropped is handed to `on_drop`, by the writer."""

    def __init__(self, on_drop: Callable[[T], None] = lambda item: None) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self._on_drop = on_drop
        self.dropped = 0

    def put(self, item: T, *, wait_s: float = 0.0) -> None:
        """Lay down the newest item; one that still lies there is dropped, after at most `wait_s` for its reader."""
        with self._changed:
            if wait_s and self._item is not None:
                self._changed.wait_for(lambda: self._item is None or self._closed, wait_s)
            old, self._item = self._item, item
            self.dropped += old is not None
            self._changed.notify_all()
        if old is not None:
            self._on_drop(old)

    def drop(self) -> None:
        """Give up what lies there, as the next `put` would."""
        with self._changed:
            old, self._item = self._item, None
            self.dropped += old is not None
            self._changed.notify_all()
        if old is not None:
            self._on_drop(old)

    def get(self, timeout_s: float) -> T | None:
        """The newest item, or None when none came within `timeout_s` or the slot is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def wait_for_room(self, timeout_s: float) -> None:
        """Until the last item is fetched: for a writer whose next one should not be made before."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed, timeout_s)

    def close(self) -> None:
        """Nothing more will come: a waiting reader is woken. What lies there can still be fetched."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """No item is there, and none will come."""
        with self._changed:
            return self._closed and self._item is None
