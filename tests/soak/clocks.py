"""Time that goes as it is told to, for a whole process: `install` before the first import of `edge`.

The daemon asks `time.monotonic`, `time.time` and `datetime.now`; all three are answered from here. Waiting (threads, sockets, sleep) goes on in real time.
"""

from __future__ import annotations

import datetime as calendar
import queue  # noqa: F401 (it, and what follows, must keep the real clock: loaded before the change)
import socketserver  # noqa: F401
import subprocess  # noqa: F401
import threading  # noqa: F401
import time
from typing import Any


class Clocks:
    """Monotonic seconds and seconds since 1970. Whoever has the frames sets them."""

    def __init__(self, monotonic_s: float, wall_s: float) -> None:
        self.monotonic_s, self.wall_s = monotonic_s, wall_s

    def install(self) -> None:
        """From now on this process asks nobody else."""
        import pydantic  # noqa: F401  (keeps the real class, which its own machinery compares with)

        clocks = self

        class datetime(calendar.datetime):
            @classmethod
            def now(cls, tz: calendar.tzinfo | None = None) -> Any:
                return cls.fromtimestamp(clocks.wall_s, tz)

        calendar.datetime = datetime  # type: ignore[misc]
        time.monotonic = lambda: clocks.monotonic_s
        time.time = lambda: clocks.wall_s
