"""One MQTT connection with a last will. The one place that knows paho."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from edge.publish.base import Refused, Stumbled, ThrownOut, Unreachable, in_words, secret
from edge.publish.dialects.base import Message
from edge.publish.settings import TargetConfig
from edge.publish.tls import tls_context

KEEP_ALIVE_S = 30
SHORT_LIFE_S = 5.0
"""A connection that ended sooner was not wanted: another client with this id, or a broker that lets nobody stay."""
MOST_BYTES_IN = 64 * 1024
"""Whoever speaks MQTT 5 is told to send us no larger packet. (To 3.1.1 that cannot be said.)"""
ONLINE, OFFLINE = b"online", b"offline"
REFUSALS = {"Not authorized", "Topic name invalid", "Payload format invalid", "Packet too large"}
"""Reason codes of MQTT 5 after which the same message would fail again; after the others it may not."""


class Link:
    """One connection at a time. A lost one is not mended behind our back: what was under way is offered again by the outbox, in order."""

    def __init__(
        self,
        config: TargetConfig,
        client_id: str,
        *,
        will: str,
        subscribe: Sequence[str] = (),
        hear: Callable[[str, bytes, bool], None] = lambda topic, payload, retained: None,
        wake: Callable[[], None] = lambda: None,
        environment: dict[str, str] | None = None,
    ) -> None:
        where = f"target {config.name!r}"
        self._config, self._id, self._will, self._subscribe, self._hear, self._wake = config, client_id, will, subscribe, hear, wake
        self._password = secret(config.password, f"{where}, password", dict(os.environ) if environment is None else environment)
        self._tls = tls_context(config, where) if config.tls else None
        self._changed = threading.Condition()
        self._client: Any = None
        self._up = self._closed = False
        self._why = ""
        self._acks: dict[int, str] = {}
        self._since = float("-inf")
        self.lives = 0
        """How often it was connected: another number means that the broker may have forgotten us."""

    def as_guest(self) -> None:
        """Before it is opened: a connection beside the device's own, with another id, of which nobody is told."""
        self._id, self._will, self._subscribe = f"{self._id}-test", "", ()

    @property
    def up(self) -> bool:
        with self._changed:
            return self._up

    def open(self) -> None:
        """Connect, unless it is; Unreachable says why that failed."""
        if self._closed:
            raise Unreachable("stopped")
        if self.up:
            return
        if self._client is not None:
            short = time.monotonic() - self._since < SHORT_LIFE_S
            self._drop()
            if short:
                said = f" ({self._why})" if self._why else ""
                raise ThrownOut(f"the broker ended the connection at once{said}; has another client the id {self._id!r}, or was a message too large?")
        client = self._client = self._fresh()
        try:
            port = self._config.port or (8883 if self._config.tls else 1883)
            client.connect(self._config.host, port, keepalive=KEEP_ALIVE_S, properties=self._said("CONNECT", MaximumPacketSize=MOST_BYTES_IN))
            client.loop_start()
            self._await(lambda: self._up or bool(self._why), "the broker does not answer")
            if not self._up:
                raise Unreachable(f"the broker refuses: {self._why}")
        except ssl.SSLCertVerificationError as error:
            self._drop()
            raise Unreachable(f"the broker's certificate is not trusted ({error.verify_message})") from None
        except Unreachable:
            self._drop()
            raise
        except (OSError, ValueError) as error:
            self._drop()
            raise Unreachable(f"the broker cannot be reached ({in_words(error) if isinstance(error, OSError) else error})") from None

    def publish(self, messages: Sequence[Message]) -> None:
        """Send in order, QoS 1, and wait until the broker has acknowledged them all."""
        client = self._client
        if client is None or not self.up:
            raise Unreachable(f"the connection to the broker is lost{f' ({self._why})' if self._why else ''}")
        mids = []
        with self._changed:
            self._acks.clear()  # what came for messages that nobody waits for; ids are used again
        for message in messages:
            try:
                mids.append(client.publish(message.topic, message.payload, qos=1, retain=message.retain, properties=self._expiry(message)).mid)
            except ValueError as error:
                raise Refused(f"the message cannot be sent ({error})") from None
        try:
            self._await(lambda: all(mid in self._acks for mid in mids) or not self._up, "the broker does not acknowledge")
        except Unreachable as error:
            self._drop()
            raise Stumbled(str(error)) from None
        with self._changed:
            answers = [self._acks.pop(mid, None) for mid in mids]
        if None in answers:
            # A message that is too large for it ends the connection too, and would end the next one.
            raise (Unreachable if self._closed else Stumbled)("the connection to the broker was lost before it acknowledged")
        if failed := next((answer for answer in answers if answer), ""):
            raise (Refused if failed in REFUSALS else Unreachable)(f"the broker answers: {failed}")

    def close(self, farewell: bytes) -> None:
        """Say farewell, for at most a moment, and hang up."""
        client, self._closed = self._client, True
        if client is not None and self.up:
            with contextlib.suppress(ValueError, RuntimeError):
                if self._will:
                    client.publish(self._will, farewell, qos=1, retain=True).wait_for_publish(0.5)
                client.disconnect()
            with self._changed:  # only a DISCONNECT that has left us keeps the broker from telling our last will
                self._changed.wait_for(lambda: not self._up, 0.5)
        self._drop()

    def _fresh(self) -> Any:
        import paho.mqtt.client as paho  # only devices with an MQTT target need it
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        five = self._config.protocol == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._id,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            clean_session=None if five else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = self._config.timeout_s
        if self._will:
            client.will_set(self._will, OFFLINE, qos=1, retain=True)
        if self._config.user:
            client.username_pw_set(self._config.user, self._password or None)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.on_connect, client.on_disconnect, client.on_publish, client.on_message = (
            self._on_connect,
            self._on_disconnect,
            self._on_publish,
            self._on_message,
        )
        with self._changed:
            self._why = ""
        return client

    def _expiry(self, message: Message) -> Any:
        return self._said("PUBLISH", MessageExpiryInterval=message.expires_s) if message.expires_s else None

    def _said(self, packet: str, **values: int) -> Any:
        """What can be said in MQTT 5 alone; None otherwise."""
        if self._config.protocol != "5":
            return None
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        made: Any = Properties(getattr(PacketTypes, packet))  # type: ignore[no-untyped-call]
        for name, value in values.items():
            setattr(made, name, value)
        return made

    def _drop(self) -> None:
        """Forget the connection, whatever its state; paho's thread ends, and nothing of it is sent again."""
        client, self._client = self._client, None
        with self._changed:
            self._up = False
            self._changed.notify_all()
        if client is None:
            return
        with contextlib.suppress(Exception):
            client.disconnect()
        if (line := client.socket()) is not None:
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)
        with contextlib.suppress(AttributeError):  # its thread may end by itself at this very moment
            client.loop_stop()

    def _await(self, true: Callable[[], bool], otherwise: str) -> None:
        with self._changed:
            if not self._changed.wait_for(true, self._config.timeout_s):
                raise Unreachable(f"{otherwise} within {self._config.timeout_s:g} s")

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        with self._changed:
            if client is not self._client:
                return
            self._up, self._why = not reason.is_failure, str(reason) if reason.is_failure else ""
            self._since = time.monotonic()
            self.lives += not reason.is_failure
            self._changed.notify_all()
        if not reason.is_failure:
            if self._will:
                client.publish(self._will, ONLINE, qos=1, retain=True)
            if self._subscribe:
                client.subscribe([(topic, 1) for topic in self._subscribe])

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        with self._changed:
            if client is not self._client:
                return
            self._up, self._why = False, self._why or str(reason)
            self._changed.notify_all()
        self._wake()

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        with self._changed:
            if client is self._client:
                self._acks[mid] = str(reason) if reason.is_failure else ""
                self._changed.notify_all()

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        with contextlib.suppress(UnicodeDecodeError):  # of a topic that no honest broker would send
            if client is self._client:
                self._hear(message.topic, message.payload, message.retain)
