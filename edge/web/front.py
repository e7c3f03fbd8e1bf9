"""A connection of the page. uvicorn and h11 speak HTTP on it; here stands what they leave open: how many may come, how long each may take, and TLS from the
first byte on.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.web.auth import guesser

LARGEST_HEADER = 16 * 1024
TOO_LONG = f"The header is longer than {LARGEST_HEADER} bytes."
RETRY_S = 2
TWO_WAYS = re.compile(rb"(?<!\r)\n|\n[ \t]")
"""A line's end or a folded line that not every server and proxy reads alike. h11 takes both."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`of_one` is what one address may have at once: a browser takes six. Bodies come in at `slowest_bytes_s` at least; `uploads` large ones at once.
    `waiting` requests may wait for a thread. What is `paced` is given `pictures_s` times a second to all viewers together."""

    connections: int = 320
    of_one: int = 32
    handshake_s: float = 10.0
    header_s: float = 10.0
    idle_s: float = 75.0
    closing_s: float = 5.0
    slowest_bytes_s: float = 16_000.0
    uploads: int = 2
    waiting: int = 64
    pictures_s: float = 30.0
    paced: frozenset[str] = frozenset({"/live.jpg"})


class Refusal(Exception):
    """An answer that is given before the application is asked; the connection ends with it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

    def told(self) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body, in the one shape of an error."""
        body = json.dumps({"error": {"status": self.code, "message": str(self)}}).encode() + b"\n"
        headers = {"content-type": "application/json", "content-length": str(len(body)), "cache-control": "no-store", "x-content-type-options": "nosniff"}
        headers |= {"retry-after": str(RETRY_S)} if self.code == 503 else {}
        return [(name.encode(), value.encode()) for name, value in (headers | {"connection": "close"}).items()], body


class Room:
    """All connections. With a `context` they are encrypted, but for those that come to the port of `plain`."""

    def __init__(self, context: ssl.SSLContext | None = None, plain: int = 0) -> None:
        self.limits, self.context, self.plain = Limits(), context, plain
        self.open: dict[Connection, None] = {}
        self._of: Counter[str] = Counter()

    def enter(self, one: Connection) -> bool:
        """Where all places are taken, the connection that was of no use for longest goes, unless all were of use just now."""
        if self._of[guesser(one.address)] >= self.limits.of_one:
            return False
        if len(self.open) >= self.limits.connections:
            oldest = min(self.open, key=lambda other: other.active_at)
            if one.active_at - oldest.active_at < 1.0:
                return False
            self.leave(oldest)
            oldest.go()
        self.open[one] = None
        self._of[guesser(one.address)] += 1
        return True

    def leave(self, one: Connection) -> None:
        if one in self.open:
            del self.open[one]
            self._of -= Counter((guesser(one.address),))

    def look(self) -> None:
        """Now and then: whose time is over?"""
        for one in tuple(self.open):
            one.look(self.limits)


class Connection(H11Protocol):
    """`active_at` is when it last did something of use: came, brought a whole header, was answered. Trickling bytes are of no use. `next_at` is when its next
    live picture is due. `farewell` ends the live stream that it has."""

    def __init__(self, room: Room, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.address, self.next_at = "", 0.0
        self.farewell: Callable[[], object] | None = None
        self._room, self._early = room, b""
        self._shaking: asyncio.Task[None] | None = None
        self._stuck_since: float | None = None
        self._head_since: float | None = None
        self._closing_since: float | None = None
        self.active_at = self.loop.time()
        self.timeout_keep_alive = room.limits.idle_s  # type: ignore[assignment]  # it says int, and takes any number
        self.app_state = {"connection": self}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        peer, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.address = str(peer[0]) if peer else ""
        if not self._room.enter(self):
            transport.abort()
        elif self._room.context is None or here[1] == self._room.plain:
            self._begin(transport)
        else:
            self._shaking = self.loop.create_task(self._shake_hands(transport, self._room.context))

    def _begin(self, transport: asyncio.Transport) -> None:
        self._head_since = self.loop.time()
        super().connection_made(transport)

    async def _shake_hands(self, raw: asyncio.Transport, context: ssl.SSLContext) -> None:
        try:
            inner = await self.loop.start_tls(raw, self, context, server_side=True, ssl_handshake_timeout=self._room.limits.handshake_s)
        except OSError:
            inner = None
        if inner is None or inner.is_closing():
            self._room.leave(self)
            raw.abort()
            return
        self._begin(inner)
        self.data_received(self._early)

    def data_received(self, data: bytes) -> None:
        if self.flow is None:
            self._early += data  # with the last words of the handshake
        elif data:
            super().data_received(data)

    def handle_events(self) -> None:
        if self.conn.their_state is h11.IDLE:
            head = self.conn.trailing_data[0].partition(b"\r\n\r\n")[0]
            if len(head) > LARGEST_HEADER:  # h11 takes any length that comes at once
                self._refuse(Refusal(431, TOO_LONG))
                return
            if TWO_WAYS.search(head):
                self._refuse(Refusal(400, "A line of the header ends in a way that is not read alike everywhere."))
                return
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self.active_at, self._head_since = self.loop.time(), None
        elif self._head_since is None and self.conn.trailing_data[0]:
            self._head_since = self.loop.time()

    def on_response_complete(self) -> None:
        self.active_at = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls it while it handles what h11 raised."""
        said = sys.exception()
        code = said.error_status_hint if isinstance(said, h11.RemoteProtocolError) else 400
        self._refuse(Refusal(code, TOO_LONG if code == 431 else "The request is malformed."))

    def _refuse(self, refusal: Refusal) -> None:
        """While no application answers on it."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers, body = refusal.told()
            response = h11.Response(status_code=refusal.code, headers=headers, reason=HTTPStatus(refusal.code).phrase)
            for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def pause_writing(self) -> None:
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = None
        super().resume_writing()

    def look(self, limits: Limits) -> None:
        """Who does not take what it is sent, or does not say what it wants, goes."""
        now = self.loop.time()
        if self.flow is None:
            return  # the handshake has a time of its own
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > limits.closing_s:
                self.transport.abort()
        elif self._stuck_since is not None and now - self._stuck_since > limits.idle_s:
            self.transport.abort()
        elif self._head_since is not None and now - self._head_since > limits.header_s:
            self._refuse(Refusal(408, "The request came too slowly."))

    def go(self) -> None:
        """To make room: a live stream is ended as it should be, anything else is cut off."""
        if self.farewell is None:
            self.transport.abort()
        else:
            self.shutdown()
            self.loop.call_later(self._room.limits.closing_s, self.transport.abort)

    def shutdown(self) -> None:
        super().shutdown()
        if self.farewell is not None:
            self.farewell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._room.leave(self)
        if self.flow is not None:
            super().connection_lost(exc)
        self.app_state, self._shaking = {}, None
