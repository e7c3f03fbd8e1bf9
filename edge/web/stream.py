"""Server-sent events: each change of the status and each new event, to many pages that are being looked at.

What there is to tell is put together once for all of them, and once for each language that they speak: a hundred listeners ask the disk no more than one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
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
BEGIN = b"retry: 2000\n\n"
LISTEN = "platewatch.listen"
"""In the ASGI scope: an application that finds it may hand its Listener over, and need not stream itself."""


class Places:
    """So many streams at once."""

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


@dataclass(eq=False, slots=True)
class Listener:
    """One page. `after` is the newest event that it has; None begins with the present. `wanted` and `may_see_events` are asked before every message;
    `leave` is called at its end."""

    after: str | None
    wanted: Callable[[], bool]
    language: Language = ENGLISH
    may_see_events: Callable[[], bool] = lambda: True
    leave: Callable[[], None] = lambda: None
    shown: str = ""
    began_at: float = field(default_factory=time.monotonic)
    spoke_at: float = field(default_factory=time.monotonic)


class Desk:
    """Composes what listeners are told. `composed` counts the snapshots that were made, `asked` how often the store was."""

    def __init__(self, files: DaemonFiles, clock: Callable[[], float] = time.monotonic) -> None:
        self._files, self._clock = files, clock
        self._stamp: object = None
        self._events: list[tuple[str, bytes]] = []
        self.composed = self.asked = 0

    def tell(self, listeners: Sequence[Listener]) -> list[bytes | None]:
        """What each has to be told now, b"" where that is nothing, None where it has to go. Looks at everything once, whoever listens."""
        self._files.watch()
        now = self._clock()
        self._look()
        said: dict[int, tuple[str, bytes]] = {}
        return [self._to(one, now, said) if one.wanted() and now - one.began_at < LIFE_S else None for one in listeners]

    def _to(self, one: Listener, now: float, said: dict[int, tuple[str, bytes]]) -> bytes:
        words = [self._news(one)] if one.may_see_events() else []
        if id(one.language) not in said:
            said[id(one.language)] = self._status(one.language)
        key, message = said[id(one.language)]
        if key != one.shown:
            one.shown = key
            words.append(message)
        if any(words):
            one.spoke_at = now
        elif now - one.spoke_at > HEARTBEAT_S:
            one.spoke_at = now
            return b": still here\n\n"
        return b"".join(words)

    def _status(self, language: Language) -> tuple[str, bytes]:
        self.composed += 1
        now = snapshot(self._files, language)
        return json.dumps({name: now[name] for name in now if name not in ("now", "sentence")}), message("status", now)

    def _news(self, one: Listener) -> bytes:
        """The events that came after the one it has, oldest first."""
        newest, found = self._events[0][0] if self._events else "", list[bytes]()
        if one.after is not None:
            for id, words in self._events:
                if id == one.after:
                    break
                found.append(words)
        one.after = newest or one.after or ""
        return b"".join(reversed(found))

    def _look(self) -> None:
        """At the newest events, where the store has changed."""
        stamp = self._files.stamp()
        if stamp == self._stamp:
            return
        self.asked += 1
        try:
            self._events = [(event.id, message("plate", event.as_json(), event.id)) for event in self._files.store().events(CATCH_UP)]
            self._stamp = stamp
        except StoreError:
            return  # the status says what is wrong with the store


def message(name: str, data: dict[str, Any], id: str | None = None) -> bytes:
    """One server-sent event. JSON has no raw line break, so one `data` line is enough."""
    head = f"id: {id}\n" if id and not {"\n", "\r", "\0"} & set(id) else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def messages(files: DaemonFiles, listener: Listener, stop: threading.Event) -> Iterator[bytes]:
    """For one listener, where nobody serves many (`edge.web.hub`). Ends when it is no longer `wanted`."""
    yield BEGIN
    desk, tick_s = Desk(files), FIRST_TICK_S
    while (words := desk.tell([listener])[0]) is not None:
        if words:
            yield words
        if stop.wait(tick_s):
            return
        tick_s = TICK_S
