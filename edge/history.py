"""The last day in a small file in the runtime folder: a few figures every ten minutes, for the curves of the page.

`history.json` holds {"v": 1, "rows": [[UTC in seconds, degrees Celsius, frames worked a second, MB of memory free, frames dropped since the row before], ...]},
null where something was not to be had. It lies in memory and is written so seldom that it costs nothing.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.health import temperature_c
from edge.metrics.process import counted

NAME = "history.json"
EVERY_S, KEEP = 600.0, 144
COLUMNS = ("at", "temperature_c", "fps", "free_mb", "dropped")
log = logging.getLogger(__name__)
Row = tuple[float | None, ...]


class History:
    """For the daemon, in one thread. What cannot be written is logged and no more."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._rows = deque(read(directory), maxlen=KEEP)
        self._dropped: int | None = None

    def note(self, status: Mapping[str, Any]) -> None:
        """A row of this status, unless the last one is too young."""
        at = datetime.fromisoformat(str(status["updated_at"])).timestamp()
        if self._rows and 0 <= at - (self._rows[-1][0] or 0) < EVERY_S * 0.9:
            return
        camera = status.get("camera") or {}
        dropped, memory = int(camera.get("dropped") or 0), counted(Path("/proc/meminfo"), "MemAvailable")
        since = None if self._dropped is None else max(0, dropped - self._dropped)
        self._dropped = dropped
        fps = float(status.get("fps") or 0.0) if status.get("state") == "watching" else None
        self._rows.append((round(at), temperature_c(), fps, None if memory is None else round(memory * 1024 / 1e6), since))
        try:
            fresh = self._path.with_name(f".{NAME}.{os.getpid()}")
            fresh.write_text(json.dumps({"v": 1, "rows": list(self._rows)}), encoding="utf-8")
            os.replace(fresh, self._path)
        except OSError as error:
            log.warning("the history of the last day cannot be written: %s", error)


def read(directory: Path) -> list[Row]:
    """What was noted, the oldest first; [] where there is nothing that can be read."""
    try:
        told = json.loads((directory / NAME).read_bytes())
        rows = [tuple(row) for row in told["rows"] if isinstance(row, list) and len(row) == len(COLUMNS)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [row for row in rows if isinstance(row[0], int | float) and all(one is None or isinstance(one, int | float) for one in row)][-KEEP:]
