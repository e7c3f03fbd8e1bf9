"""Who looked at the page's events. The page never writes the store: it leaves a line in the runtime folder, and the daemon takes it from there."""

from __future__ import annotations

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from edge.store import Store

NAME = "accesses"
AGAIN_S = 600.0
"""The same look of the same address within so many seconds is one."""
LARGEST = 256 * 1024
REMEMBERED = 1000
log = logging.getLogger(__name__)


class Looks:
    """For the page. What cannot be written is logged and no more: the page serves all the same."""

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = directory / NAME, clock
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def note(self, at: str, who: str, did: str) -> None:
        now = self._clock()
        if now - self._seen.get((who, did), float("-inf")) < AGAIN_S:
            return
        self._seen[(who, did)] = now
        self._seen.move_to_end((who, did))
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        try:
            if self._path.exists() and self._path.stat().st_size > LARGEST:  # no daemon has taken anything for long
                return
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o660), "a", encoding="utf-8") as file:
                file.write(json.dumps([at, who, did]) + "\n")
        except OSError as error:
            log.warning("who looked cannot be written down: %s", error)


def collect(directory: Path, store: Store, keep: int) -> int:
    """For the daemon: the lines that the page has left, into the store's access log; how many. Raises OSError."""
    left, taken = directory / NAME, directory / f".{NAME}"
    if not taken.exists():  # else a collection that failed half way
        if not left.exists():
            return 0
        left.rename(taken)
    lines = []
    for line in taken.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            at, who, did = (str(part)[:100] for part in json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
        lines.append((at, who, did))
    with store.batch():
        for at, who, did in lines:
            store.note_access(at, who, did, 0, keep)
    taken.unlink()
    return len(lines)
