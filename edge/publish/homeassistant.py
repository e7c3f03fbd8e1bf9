"""Keeps Home Assistant informed: announces the device, again when it restarts over there, tells figures, and hears the switch."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from edge.publish.dialects import homeassistant as dialect
from edge.publish.dialects.base import Message
from edge.publish.mqtt import STAY_S, Mqtt, base_topic
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told

MOST_KNOWN = 100
"""So many known plates get a sensor of their own; more would only bury the others over there."""
JITTER_S = 5.0
"""After its restart every device announces itself; not all in the same second."""


@dataclass(slots=True)
class Household:
    """What the rest of the device lends to this target. The defaults are a device of which nothing is known."""

    known: Callable[[], tuple[str, ...]] = lambda: ()
    figures: Callable[[], dict[str, Any]] = dict
    detecting: Callable[[], bool] = lambda: True
    detect: Callable[[bool], None] = lambda on: None
    note: Callable[[str], str] = lambda key: ""
    write_note: Callable[[str, str], None] = lambda key, value: None
    jitter: Callable[[], float] = field(default=random.random)


class HomeAssistant(Mqtt):
    """The `homeassistant` dialect."""

    def __init__(
        self, config: TargetConfig, site: Site, household: Household, *, wake: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._household, self._wake, self._clock = household, wake, clock
        self._birth, self._command = f"{config.discovery_prefix}/status", f"{base_topic(config, site)}/detection/set"
        self._announced: tuple[int, tuple[str, ...]] = (0, ())
        self._birth_at = self._state_at = float("inf")
        self._switch: bool | None = None
        super().__init__(config, site, wake=wake, subscribe=[self._birth, *([self._command] if config.commands else [])], hear=self._hear)

    def send(self, told: Told) -> None:
        if not told.test:
            self._greet()
        super().send(told)

    def tend(self, now: float) -> float:
        self._greet()
        if now >= self._birth_at:
            self._announce()
        if self._switch is not None:
            wanted, self._switch = self._switch, None
            self._household.detect(wanted)
            self._link.publish(self._switch_state())
        if now >= self._state_at:
            self._state_at = now + dialect.STATE_EVERY_S
            self._link.publish([self._state()])
        return max(0.0, min(STAY_S, self._state_at - now, self._birth_at - now))

    def _greet(self) -> None:
        """Connected, and announced since then, with the lists as they are now."""
        self._link.open()
        if self._announced != (self._link.lives, self._names()):
            self._announce()

    def _announce(self) -> None:
        names, key = self._names(), f"known:{self._config.name}"
        lives, before = self._link.lives, _names_of(self._household.note(key))
        self._household.write_note(key, json.dumps(names))
        gone = [name for name in before if name not in names]
        made = dialect.discovery(self._site, self.base, known=names, gone=gone, pictures=self._config.picture != "none", commands=self._config.commands)
        topic = dialect.discovery_topic(self._site, self._config.discovery_prefix)
        payload = json.dumps(made, ensure_ascii=False).encode()
        self._link.publish([Message(topic, payload, retain=True), *self._switch_state(), self._state()])
        self._announced, self._birth_at, self._state_at = (lives, names), float("inf"), self._clock() + dialect.STATE_EVERY_S

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._household.known()))[:MOST_KNOWN]

    def _switch_state(self) -> list[Message]:
        if not self._config.commands:
            return []
        return [Message(f"{self.base}/detection", b"ON" if self._household.detecting() else b"OFF", retain=True)]

    def _state(self) -> Message:
        return Message(f"{self.base}/state", json.dumps(self._household.figures()).encode())

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """On the connection's thread. What was retained is old news: we have announced ourselves just now, and a switch is no state."""
        if retained:
            return
        if topic == self._birth and payload == b"online":
            self._birth_at = self._clock() + JITTER_S * self._household.jitter()
        elif topic == self._command and payload in (b"ON", b"OFF"):
            self._switch = payload == b"ON"
        self._wake()


def _names_of(note: str) -> Iterable[str]:
    try:
        found = json.loads(note or "[]")
    except ValueError:
        return ()
    return [str(name) for name in found] if isinstance(found, list) else ()
