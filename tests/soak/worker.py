"""The process under test: the daemon as `platewatch run` builds it, with another camera and other clocks.

    python -m tests.soak.worker CONFIG MEMORY_FD LINE_FD MONOTONIC_S WALL_S [SPOIL]

SPOIL is for the test that the soak can fail: `memory` keeps a small part of every frame, `handles` opens a file now and then and never closes it, `both`.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from tests.soak.clocks import Clocks

WAKE_EVERY_S = 2.0
"""Targets wait in real time, which goes so much slower than the daemon's: they are woken by the daemon's."""


def main(words: list[str]) -> int:
    config, memory, line, monotonic_s, wall_s, *spoil = words
    clocks = Clocks(float(monotonic_s), float(wall_s))
    clocks.install()

    from edge import logs, wiring
    from edge.camera.kinds import KINDS
    from edge.config import load
    from tests.soak.link import Seat

    logs.set_up()
    seat = Seat("soak", int(memory), int(line), clocks)
    KINDS["opencv"] = lambda camera, night: seat
    daemon = wiring.build(load(Path(config)))
    seat.tick = _Ticks(clocks, daemon, spoil[0] if spoil else "")
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    return daemon.run()


class _Ticks:
    def __init__(self, clocks: Clocks, daemon: Any, spoil: str) -> None:
        self._clocks, self._daemon, self._spoil = clocks, daemon, spoil
        self._wake_at, self._count, self._kept = float("-inf"), 0, list[Any]()

    def __call__(self, luma: Any) -> None:
        self._count += 1
        if self._spoil in ("memory", "both"):
            self._kept.append(luma[::4, ::4].copy())
        if self._spoil in ("handles", "both") and self._count % 50 == 0:
            self._kept.append(open("/dev/null", "rb"))  # noqa: SIM115 (that is the fault)
        if self._clocks.monotonic_s >= self._wake_at:
            self._wake_at = self._clocks.monotonic_s + WAKE_EVERY_S
            self._daemon.publishing.wake()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
