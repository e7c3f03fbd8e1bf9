"""The second factor: somebody or something else that must say yes before the gate opens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.gate.settings import MQTT, GateConfig

if TYPE_CHECKING:
    from edge.gate.broker import Connect

YES = ("1", "on", "yes", "true", "home", "open")
MOST_BYTES = 64


class SecondFactor(Protocol):
    """Answers at once, from what it knows: a gate that waits for a network would hold up the camera."""

    def answer(self) -> tuple[bool, str]:
        """Yes or no, and why in a few words. What is not known is a no."""

    def close(self) -> None:
        """Ask no more."""


def says_yes(word: str) -> bool:
    return word.strip().strip('"').lower() in YES


class FileFactor:
    """A file that somebody else writes. `max_age_s` 0: its word counts for ever."""

    def __init__(self, path: Path, max_age_s: float, wall_s: Callable[[], float] = time.time) -> None:
        self._path, self._max_age_s, self._wall_s = path, max_age_s, wall_s

    def answer(self) -> tuple[bool, str]:
        try:
            age_s = self._wall_s() - self._path.stat().st_mtime
            with self._path.open(encoding="utf-8") as file:
                word = file.read(MOST_BYTES)
        except (OSError, ValueError) as error:
            return False, f"the file cannot be read ({getattr(error, 'strerror', None) or 'no text'})"
        # A file from the future is no fresh word: the clock was put back, and nobody knows how old it is.
        if self._max_age_s > 0 and not -1.0 <= age_s <= self._max_age_s:
            return False, f"the file is {age_s:.0f} s old"
        return (True, "the file says yes") if says_yes(word) else (False, "the file says no")

    def close(self) -> None:
        pass


class HttpFactor:
    """An address that is asked in the background, and only while somebody wants to know. An answer counts for `fresh_s`."""

    def __init__(self, url: str, *, timeout_s: float = 1.0, fresh_s: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._timeout_s, self._fresh_s, self._clock = url, timeout_s, fresh_s, clock
        self._known: tuple[float, bool, str] | None = None
        self._asking = threading.Lock()
        self._closed = False

    def answer(self) -> tuple[bool, str]:
        known, now = self._known, self._clock()
        if known is None or now - known[0] > self._fresh_s / 2:
            self._ask()
        if known is None or now - known[0] > self._fresh_s:
            return False, "it was asked and has not answered yet"
        return known[1], known[2]

    def close(self) -> None:
        self._closed = True

    def _ask(self) -> None:
        if not self._closed and self._asking.acquire(blocking=False):
            threading.Thread(target=self._fetch, name="second factor", daemon=True).start()

    def _fetch(self) -> None:
        import urllib.error
        import urllib.request

        asked_at = self._clock()
        try:
            with urllib.request.urlopen(self._url, timeout=self._timeout_s) as reply:
                yes = reply.status == 200 and says_yes(reply.read(MOST_BYTES).decode("utf-8", "replace"))
            self._known = asked_at, yes, "it says yes" if yes else "it says no"
        except (OSError, ValueError, urllib.error.URLError) as error:
            self._known = asked_at, False, f"it cannot be reached ({getattr(error, 'reason', None) or error})"
        finally:
            self._asking.release()


def second_factor(config: GateConfig, connect: Connect | None = None) -> SecondFactor | None:
    """None where the config asks for none. `connect` makes the connections to brokers."""
    where = config.second_factor
    if not where:
        return None
    if where.startswith(MQTT) and connect is not None:
        from edge.gate.word import TopicFactor

        return TopicFactor(connect, where, config.second_factor_max_age_s, kept_counts=config.second_factor_retained)
    return HttpFactor(where) if "://" in where else FileFactor(Path(where), config.second_factor_max_age_s)
