"""A gate that is opened by somebody else, who is told to: an order over MQTT or HTTP, in place of a relay.

An order is {"v": 1, "command": "open", "id", "camera", "pulse_s", "issued_at", "expires_at"} (unix seconds); it names no plate. It is sent once, never
again: whoever gets it later than `expires_at`, or a second time under its `id`, must not open.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from edge.errors import GateError
from edge.gate.broker import Connect, Keeping
from edge.gate.settings import MQTT, GateConfig
from edge.publish.base import PublishError, Refused, secret
from edge.publish.dialects.base import Message
from edge.publish.exchange import Exchange
from edge.publish.signature import HEADER, sign

REVIVE_S = 10.0
"""Somebody who did not take an order may do better after so long."""
log = logging.getLogger(__name__)


class Sender(Protocol):
    @property
    def trouble(self) -> str:
        """Why nothing can be sent; empty when it can."""

    def send(self, order: bytes, id: str) -> None:
        """Returning means: the other side has it. Raises PublishError."""

    def close(self) -> None: ...


class Remote:
    """A `Relay` that sends orders. It never waits for the network: `undone` says afterwards which orders came to nothing."""

    def __init__(
        self, sender: Sender, camera: str, valid_s: float, *, clock: Callable[[], float] = time.monotonic, wall_s: Callable[[], float] = time.time
    ) -> None:
        self._sender, self._camera, self._valid_s, self._clock, self._wall_s = sender, camera, valid_s, clock, wall_s
        self._orders = queue.Queue[tuple[str, float, bytes] | None](maxsize=1)
        self._undone = deque[tuple[str, str]]()
        self._failed, self._failed_at = "", float("-inf")
        self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        return self._sender.trouble or self._failed

    def pulse(self, seconds: float, event: str) -> None:
        if trouble := self.trouble:
            raise GateError(trouble)
        now = self._wall_s()
        order = {"v": 1, "command": "open", "id": event, "camera": self._camera, "pulse_s": seconds}
        order |= {"issued_at": round(now, 3), "expires_at": round(now + self._valid_s, 3)}
        try:
            self._orders.put_nowait((event, self._clock() + self._valid_s, json.dumps(order).encode()))
        except queue.Full:
            raise GateError("the order before this one is still under way") from None

    def undone(self) -> list[tuple[str, str]]:
        return [self._undone.popleft() for _ in range(len(self._undone))]

    def tend(self, now: float) -> None:
        if self._failed and self._clock() - self._failed_at > REVIVE_S:
            self._failed = ""

    def close(self) -> None:
        """What is under way and not taken yet comes to nothing."""
        self._sender.close()
        try:
            event, _, _ = self._orders.get_nowait() or ("", 0.0, b"")
            self._undone.append((event, "Platewatch stopped before it was sent"))
        except queue.Empty:
            pass
        self._orders.put(None)
        self._thread.join(2.0)

    def _run(self) -> None:
        while (found := self._orders.get()) is not None:
            event, ends_at, order = found
            try:
                if self._clock() > ends_at:  # never an opening that nobody expects any more
                    raise Refused("its time was over before it could be sent")
                self._sender.send(order, event)
            except PublishError as error:
                self._come_to_nothing(event, str(error))
            except Exception as error:
                log.exception("the gate's order")
                self._come_to_nothing(event, f"an error of Platewatch itself ({type(error).__name__}); the log holds it")

    def _come_to_nothing(self, event: str, why: str) -> None:
        self._failed, self._failed_at = f"the order to open was not taken: {why}", self._clock()
        self._undone.append((event, why))


class ByMqtt:
    """QoS 1, not retained; with MQTT 5 the broker forgets it when its time is over."""

    def __init__(self, connect: Connect, where: str, valid_s: float) -> None:
        self._valid_s = valid_s
        self._link, self._topic = connect(where, "send_to", wake=self._wake)
        self._keeping = Keeping(self._link, "gate's broker")
        self._keeping.start()

    @property
    def trouble(self) -> str:
        return self._keeping.trouble

    def send(self, order: bytes, id: str) -> None:
        self._link.publish([Message(self._topic, order, expires_s=max(1, round(self._valid_s)))])

    def close(self) -> None:
        self._keeping.close()

    def _wake(self) -> None:
        self._keeping.wake()


class ByHttp:
    """One POST, signed; only an answer of 2xx within the order's time means that it was taken."""

    trouble = ""

    def __init__(self, url: str, key: str, valid_s: float, *, unix_s: Callable[[], float] = time.time) -> None:
        self._exchange = Exchange(url, "gate.send_to", timeout_s=valid_s)
        self._secret, self._unix_s = key, unix_s

    def send(self, order: bytes, id: str) -> None:
        headers = {"User-Agent": "platewatch", "Content-Type": "application/json", "Idempotency-Key": f"{id}-open", "Connection": "close"}
        if self._secret:
            headers[HEADER] = sign(order, self._secret, int(self._unix_s()))
        status, _ = self._exchange.post(order, headers)
        if not 200 <= status < 300:
            raise Refused(f"it answers {status}")

    def close(self) -> None:
        self._exchange.close()


def make_remote(config: GateConfig, connect: Connect, camera: str) -> Remote:
    """Raises ConfigError where the broker or the secret is missing."""
    sender: Sender
    if config.send_to.startswith(MQTT):
        sender = ByMqtt(connect, config.send_to, config.send_valid_s)
    else:
        sender = ByHttp(config.send_to, secret(config.send_secret, "gate.send_secret", dict(os.environ)), config.send_valid_s)
    return Remote(sender, camera, config.send_valid_s)
