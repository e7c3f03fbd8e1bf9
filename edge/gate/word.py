"""The second factor over MQTT: a topic on which somebody says yes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from edge.gate.broker import Connect, Keeping
from edge.gate.factor import says_yes
from edge.publish.ear import Ear

MOST_BYTES = 200


class TopicFactor:
    """Counts what it heard itself, on the connection that stands, and no longer than `max_age_s`. A broker that is gone says no.

    A payload is a word (`on`), or JSON with the time at which it was true: {"state": "on", "at": <unix seconds>}. What the broker kept from before
    counts with such a time alone, unless `kept_counts`. What is too long or no text is ignored and counted.
    """

    def __init__(
        self,
        connect: Connect,
        where: str,
        max_age_s: float,
        *,
        kept_counts: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._max_age_s, self._kept_counts, self._clock, self._wall_s = max_age_s, kept_counts, clock, wall_s
        self._ear = Ear(MOST_BYTES)
        self._known: tuple[int, float, bool] | None = None
        """(on which of the connections, when it was true, yes or no)"""
        self._link, _ = connect(where, "second_factor", hear=self._hear, wake=self._wake)
        self._keeping = Keeping(self._link, "second factor")
        self._keeping.start()

    def answer(self) -> tuple[bool, str]:
        known = self._known
        if not self._link.up:
            return False, f"its broker is away ({self._keeping.trouble or 'the connection is lost'})"
        if known is None or known[0] != self._link.lives:
            return False, "nobody has said anything yet"
        age_s = self._clock() - known[1]
        if age_s > self._max_age_s:
            return False, f"its word is {age_s:.0f} s old"
        return (True, "the topic says yes") if known[2] else (False, "the topic says no")

    def close(self) -> None:
        self._keeping.close()

    @property
    def ignored(self) -> dict[str, int]:
        return self._ear.ignored

    @property
    def trouble(self) -> str:
        return f"gate.second_factor: {trouble}; the gate stays closed" if (trouble := self._keeping.trouble) else ""

    def _wake(self) -> None:
        self._known = None
        self._keeping.wake()

    def _hear(self, topic: str, payload: bytes, kept: bool) -> None:
        """On the connection's thread."""
        if (word := self._ear.word(payload)) is None:
            return
        state, at_s = _parts(word)
        if kept and at_s is None and not self._kept_counts:
            self._ear.ignore("retained")
            return
        age_s = 0.0 if at_s is None else self._wall_s() - at_s
        if not -1.0 <= age_s <= self._max_age_s:  # a word from the future too: one of the two clocks is wrong
            self._ear.ignore("out of date")
            self._known = None
            return
        self._known = self._link.lives, self._clock() - max(0.0, age_s), says_yes(state)


def _parts(word: str) -> tuple[str, float | None]:
    """(what it says, when in unix seconds or None); what cannot be understood says nothing, which is no yes."""
    if not word.startswith("{"):
        return word, None
    try:
        found = json.loads(word)
        at = found.get("at")
        return str(found.get("state", "")), None if at is None else float(at)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return "", None
