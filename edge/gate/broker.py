"""The gate's own connections to the brokers of targets: it does not share theirs, where events may wait in front of an order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from edge.errors import ConfigError
from edge.gate.settings import broker_of
from edge.publish.backoff import back_off_s
from edge.publish.base import PublishError

if TYPE_CHECKING:
    from edge.config import Config
    from edge.publish.link import Link

LONGEST_PAUSE_S, STAY_S = 30.0, 30.0
Hear = Callable[[str, bytes, bool], None]
"""(topic, payload, whether the broker kept it from before)"""


class Connect(Protocol):
    def __call__(self, reference: str, key: str, *, hear: Hear | None = None, wake: Callable[[], None] = lambda: None) -> tuple[Link, str]:
        """A connection, not open yet, to the broker of `mqtt:TARGET/topic`, and the topic. With `hear` it listens there. `key` is what named it."""


def connector(config: Config) -> Connect:
    """Of a config's targets; ConfigError where one is none, or no broker's."""

    def connect(reference: str, key: str, *, hear: Hear | None = None, wake: Callable[[], None] = lambda: None) -> tuple[Link, str]:
        from edge.publish.link import Link
        from edge.publish.mqtt import client_id
        from edge.publish.publishing import site_of

        name, topic = broker_of(reference)
        if trouble := config.gate.model_copy(update={key: reference}).stranger(config.targets):
            raise ConfigError(trouble)
        target = next(one for one in config.targets if one.name == name)
        id = f"{client_id(target, site_of(config))}-{key.replace('_', '-')}"
        if hear is None:
            return Link(target, id, will="", wake=wake), topic
        return Link(target, id, will="", subscribe=[topic], hear=hear, wake=wake), topic

    return connect


class Keeping:
    """Keeps a connection open by a thread of its own; after a failure it pauses, longer each time. `trouble` is empty while it is open."""

    def __init__(self, link: Link, name: str) -> None:
        self._link, self._stopped, self._awake = link, threading.Event(), threading.Event()
        self.trouble = "the broker was not reached yet"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """The connection may be lost."""
        if not self._link.up:
            self.trouble = self.trouble or "the connection to the broker is lost"
        self._awake.set()

    def close(self) -> None:
        self._stopped.set()
        self._awake.set()
        self._link.close(b"")
        if self._thread.ident is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        failed = 0
        while not self._stopped.is_set():
            self._awake.clear()
            try:
                self._link.open()
                failed, self.trouble = 0, ""
                self._awake.wait(STAY_S)
            except PublishError as error:
                failed += 1
                self.trouble = str(error)
                self._stopped.wait(back_off_s(failed, 0.0, LONGEST_PAUSE_S) / 2)
