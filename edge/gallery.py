"""Pictures of plates that gave no event, for a short while: what was seen, why it was not read, and what was measured.

Each is a pair of files, `NAME.jpg` and `NAME.json` with {"v": 1, "at" (UTC), "camera", "reason", "crop" (whether there is a picture)} and the facts of
`edge.tracking.reasons.facts`. The page may read them at any time; a name sorts by its time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.keeping.belief import FAR
from edge.status import utc_iso
from edge.tracking.settings import UnreadConfig

if TYPE_CHECKING:  # the page looks too, and needs no OpenCV
    from edge.tracking.reasons import Unread

log = logging.getLogger(__name__)


class Gallery:
    """At most `config.keep` pictures in `directory`, none older than `config.hours`. What cannot be written is logged and no more: it is no event."""

    def __init__(self, directory: Path, config: UnreadConfig, *, camera: str = "camera", wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._directory, self._config, self._camera, self._wall = directory, config, camera, wall
        self._numbers = count()

    def adopt(self, config: UnreadConfig, camera: str) -> None:
        """From now on by these settings; the folder stays."""
        self._config, self._camera = config, camera

    def add(self, unread: Unread) -> None:
        """Keep one, and drop what is too many."""
        from edge.tracking.judge import jpeg

        if self._config.keep == 0:
            return
        now = self._wall()
        stem = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}-{next(self._numbers) % 10000:04}"
        told = {"v": 1, "at": utc_iso(now), "camera": self._camera, "reason": unread.reason, "crop": unread.crop is not None} | unread.facts
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            if unread.crop is not None:
                (self._directory / f"{stem}.jpg").write_bytes(jpeg(unread.crop))
            fresh = self._directory / f".{stem}"
            fresh.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
            fresh.replace(self._directory / f"{stem}.json")  # last and whole: who sees it finds the picture too
            self.tidy(by_age=False)
        except OSError as error:
            log.warning("the picture of an unread plate cannot be kept: %s", error)

    def tidy(self, by_age: bool = True) -> None:
        """Drop what is too many, and by a clock that is believed what is too old, or dated after tomorrow by one that was wrong; raises OSError."""
        soon = f"{(self._wall() + FAR).astimezone(UTC):%Y%m%dT%H%M%S%f}"
        oldest = f"{(self._wall() - timedelta(hours=self._config.hours)).astimezone(UTC):%Y%m%dT%H%M%S%f}"
        stems = sorted({path.stem for path in self._directory.glob("[12]*-*.*")}, key=lambda stem: (stem <= soon, stem))
        for place, stem in enumerate(reversed(stems)):
            if place >= self._config.keep or (by_age and not oldest <= stem <= soon):
                for suffix in (".json", ".jpg"):
                    (self._directory / f"{stem}{suffix}").unlink(missing_ok=True)


def shown(directory: Path, limit: int = 50) -> list[dict[str, Any]]:
    """The newest first, each with its `name`; a file that is no such JSON is left out."""
    found = []
    for path in sorted(directory.glob("[12]*-*.json"), reverse=True)[:limit]:
        try:
            told = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(told, dict) and told.get("v") == 1:
            found.append(told | {"name": path.stem})
    return found
