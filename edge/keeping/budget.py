"""What this process writes to the card, by the day: memory cards wear out by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

IO = Path("/proc/self/io")


def written_bytes(path: Path = IO) -> int | None:
    """Bytes that this process has caused to be written to a disk so far, files in memory not counted; None where the kernel does not tell."""
    try:
        found = dict(line.split(": ") for line in path.read_text(encoding="ascii").splitlines())
        return max(0, int(found["write_bytes"]) - int(found["cancelled_write_bytes"]))
    except (OSError, ValueError, KeyError):
        return None


class Budget:
    """Counts from the start of the process; `today` begins anew at midnight UTC."""

    def __init__(self, wall: Callable[[], datetime], written: Callable[[], int | None] = written_bytes) -> None:
        self._wall, self._written = wall, written
        self._day, self._began = wall().date(), written() or 0
        self._yesterday: tuple[date, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """{"today", "yesterday"} in bytes; yesterday None where the process is younger, all of it None where the kernel does not tell."""
        now, day = self._written(), self._wall().date()
        if now is None:
            return {"today": None, "yesterday": None}
        if day == self._day + timedelta(days=1):
            self._yesterday = (self._day, max(0, now - self._began))
            self._began = now
        self._day = day  # a clock that jumped makes no new day: what was written before is of the same one
        return {"today": max(0, now - self._began), "yesterday": self._yesterday[1] if self._yesterday else None}
