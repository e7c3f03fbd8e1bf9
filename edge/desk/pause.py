"""Detection on or off. With targets it is Home Assistant's switch too, which they keep; without any, a file beside the store keeps it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import StoreError

if TYPE_CHECKING:
    from edge.publish.publishing import Publishing

NAME = "detection-off"
log = logging.getLogger(__name__)


class Pause:
    """`detecting` is asked at every frame."""

    def __init__(self, store: Path, publishing: Callable[[], Publishing | None]) -> None:
        self._targets, self._mark = publishing, store.with_name(NAME)
        self._off = False
        with suppress(OSError):
            self._off = self._mark.exists()

    @property
    def detecting(self) -> bool:
        publishing = self._targets()
        return not self._off if publishing is None else publishing.detecting

    def carry_on(self, on: bool) -> None:
        """There are other targets now, or none: on or off as it was."""
        publishing = self._targets()
        self._off = publishing is None and not on
        with suppress(OSError, StoreError):
            if self._off:
                self._mark.touch()
            else:
                self._mark.unlink(missing_ok=True)
            if publishing is not None and publishing.detecting != on:
                publishing.detect(on)

    def detect(self, on: bool) -> None:
        """From the next frame on. Raises StoreError where a restart would forget it; it is switched all the same."""
        if (publishing := self._targets()) is not None:
            publishing.detect(on)
            return
        self._off = not on
        log.info("detection is switched %s", "on" if on else "off")
        try:
            if on:
                self._mark.unlink(missing_ok=True)
            else:
                self._mark.touch()
        except OSError as error:
            raise StoreError(f"{self._mark}: cannot be written ({error.strerror})") from None

    def words(self) -> str:
        """For the status; with targets they say it."""
        return "detection is switched off" if self._off and self._targets() is None else ""
