"""Keeps Home Assistant informed: announces the device, again when it restarts over there, tells figures, and hears the switch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

from edge.publish.dialects import homeassistant as dialect
from edge.publish.dialects.base import Message
from edge.publish.ear import Ear
from edge.publish.household import Household as Household
from edge.publish.mqtt import STAY_S, Mqtt, base_topic
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told

MOST_KNOWN = 100
"""So many known plates get a sensor of their own; more would only bury the others over there."""
JITTER_S = 5.0
"""After its restart every device announces itself; not all in the same second."""
SWITCH_EVERY_S = 1.0
"""Whoever sends commands faster is heard with the last one."""
MOST_PREVIEWS = 50


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
        self._switched_at = float("-inf")
        self._ear = Ear()
        self._last: str | None = None
        """Id of the event that was last told; None after a start, when nobody knows."""
        self._previews: dict[str, str] = {}
        """Id -> what the plate is known as, of previews."""
        super().__init__(config, site, wake=wake, subscribe=[self._birth, *([self._command] if config.commands else [])], hear=self._hear)

    def send(self, told: Told) -> None:
        if not told.test:
            self._greet()
        super().send(told)
        if not told.test:
            self._remember(told)

    def messages(self, told: Told) -> tuple[Message, ...]:
        if told.stage != "withdrawn":
            return super().messages(told)
        return dialect.withdrawal(told, self.base, last=self._last in (None, told.id), known_as=self._previews.get(told.id, ""))

    def _remember(self, told: Told) -> None:
        """For a withdrawal, which says nothing of the plate itself."""
        self._last = told.id
        self._previews.pop(told.id, None)
        if told.stage == "preview":
            self._previews[told.id] = told.known_as
            if len(self._previews) > MOST_PREVIEWS:
                self._previews.pop(next(iter(self._previews)))

    @property
    def ignored(self) -> dict[str, int]:
        return self._ear.ignored

    def tend(self, now: float) -> float:
        self._greet()
        if now >= self._birth_at:
            self._announce()
        if self._switch is not None and now - self._switched_at >= SWITCH_EVERY_S:
            wanted, self._switch, self._switched_at = self._switch, None, now
            self._household.detect(wanted)
            self._link.publish(self._switch_state())
        if now >= self._state_at:
            self._state_at = now + dialect.STATE_EVERY_S
            self._link.publish([self._state()])
        switch_at = self._switched_at + SWITCH_EVERY_S if self._switch is not None else float("inf")
        return max(0.0, min(STAY_S, self._state_at - now, self._birth_at - now, switch_at - now))

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
            self._ear.ignore("retained")
        elif (word := self._ear.word(payload)) is not None:
            self._heed(topic, word)

    def _heed(self, topic: str, word: str) -> None:
        if topic == self._birth and word == "online":
            if self._birth_at < float("inf"):
                self._ear.ignore("too often")
                return
            self._birth_at = self._clock() + JITTER_S * self._household.jitter()
        elif topic == self._command and word in ("ON", "OFF"):
            if self._switch is not None:
                self._ear.ignore("too often")
            self._switch = word == "ON"
        elif (topic, word) != (self._birth, "offline"):
            self._ear.ignore("not a word of ours")
            return
        self._wake()


def _names_of(note: str) -> Iterable[str]:
    try:
        found = json.loads(note or "[]")
    except ValueError:
        return ()
    return [str(name) for name in found] if isinstance(found, list) else ()
