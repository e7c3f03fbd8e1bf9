"""The target that tells events over MQTT."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from edge.publish.dialects import DIALECTS
from edge.publish.dialects.base import Message
from edge.publish.link import OFFLINE, Link
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told, slug

STAY_S = 30.0
"""So often a connection is looked after; a lost one wakes its target at once."""


def base_topic(config: TargetConfig, site: Site) -> str:
    """Where a target's topics begin."""
    return (config.topic or DIALECTS[config.dialect].base or f"platewatch/{client_id(config, site)}").rstrip("/")


def client_id(config: TargetConfig, site: Site) -> str:
    return slug(config.client_id) if config.client_id else site.node


class Mqtt:
    """Tells a dialect's document, or its messages."""

    farewell = OFFLINE

    def __init__(self, config: TargetConfig, site: Site, *, wake: Callable[[], None] = lambda: None, **link: Any) -> None:
        self._config, self._site, self.base = config, site, base_topic(config, site)
        self._dialect = DIALECTS[config.dialect]
        if config.dialect == "frigate":
            self.farewell = b"stopped"
        self._link = Link(config, client_id(config, site), will=f"{self.base}/available", wake=wake, **link)

    def as_guest(self) -> None:
        """For a test beside a running device."""
        self._link.as_guest()

    @property
    def connected(self) -> bool | None:
        return self._link.up

    def send(self, told: Told) -> None:
        self._link.open()
        self._link.publish(self.messages(told))

    def messages(self, told: Told) -> tuple[Message, ...]:
        if self._dialect.messages is not None:
            return self._dialect.messages(told, self.base)
        assert self._dialect.document is not None
        document = json.dumps(self._dialect.document(told), ensure_ascii=False, default=float).encode()
        return (Message(f"{self.base}/{self._dialect.leaf}", document),)

    def tend(self, now: float) -> float:
        self._link.open()
        return STAY_S

    def close(self) -> None:
        self._link.close(self.farewell)
