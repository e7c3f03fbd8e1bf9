"""Server-sent events: each change of the status and each new event, to a bounded number of pages that are being looked at."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from edge.errors import StoreError
from edge.web.daemon_files import DaemonFiles
from edge.web.language import ENGLISH, Language
from edge.web.snapshot import snapshot

TICK_S = 1.0
FIRST_TICK_S = 0.3
HEARTBEAT_S = 15.0
LIFE_S = 600.0
CATCH_UP = 50
"""At most so many missed events are sent again; a page that slept longer shows the newest."""


class Places:
    """So many streams at once: each holds one of the server's threads for as long as its page is open."""

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)

    def take(self) -> Callable[[], None] | None:
        """What gives the place back (once, however often it is called), or None when all are taken."""
        if not self._free.acquire(blocking=False):
            return None
        left = threading.Lock()

        def leave() -> None:
            if left.acquire(blocking=False):
                self._free.release()

        return leave


def message(name: str, data: dict[str, Any], id: str | None = None) -> bytes:
    """One server-sent event. JSON has no raw line break, so one `data` line is enough."""
    head = f"id: {id}\n" if id and not {"\n", "\r", "\0"} & set(id) else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def messages(
    files: DaemonFiles,
    after: str | None,
    wanted: Callable[[], bool],
    stop: threading.Event,
    language: Language = ENGLISH,
    *,
    with_events: bool = True,
) -> Iterator[bytes]:
    """`after` is the newest event that the page has; without it the stream begins with the present. Ends when no longer `wanted`."""
    yield b"retry: 2000\n\n"
    began_at = spoke_at = time.monotonic()
    stamp, shown = files.stamp(), ""
    newest = after if after is not None else _newest(files)
    tick_s, first = FIRST_TICK_S, True
    while wanted() and time.monotonic() - began_at < LIFE_S:
        files.watch()
        fresh_stamp = files.stamp()
        if first or fresh_stamp != stamp:
            stamp, first = fresh_stamp, False
            for event in _since(files, newest) if with_events else ():
                newest, spoke_at = event["id"], time.monotonic()
                yield message("plate", event, event["id"])
        now = snapshot(files, language)
        key = json.dumps({name: now[name] for name in now if name not in ("now", "sentence")})
        if key != shown:
            shown, spoke_at = key, time.monotonic()
            yield message("status", now)
        elif time.monotonic() - spoke_at > HEARTBEAT_S:
            spoke_at = time.monotonic()
            yield b": still here\n\n"
        if stop.wait(tick_s):
            return
        tick_s = TICK_S


def _newest(files: DaemonFiles) -> str:
    try:
        return next((event.id for event in files.store().events(1)), "")
    except StoreError:
        return ""


def _since(files: DaemonFiles, newest: str) -> list[dict[str, Any]]:
    """The events that came after one id, oldest first."""
    found: list[dict[str, Any]] = []
    try:
        for event in files.store().events(CATCH_UP):
            if event.id == newest:
                break
            found.append(event.as_json())
    except StoreError:
        return []  # the status says what is wrong with the store
    return found[::-1]
