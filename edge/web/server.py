"""The page as a server: uvicorn, with the application behind it."""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from werkzeug.exceptions import HTTPException

from edge.errors import ConfigError
from edge.web import tls
from edge.web.answering import Answering
from edge.web.front import LARGEST_HEADER, Connection, Room
from edge.web.limits import LARGEST_FORM, largest_body
from edge.web.stream import Desk

if TYPE_CHECKING:
    from flask import Flask

    from edge.web.settings import WebConfig

TICK_S = 0.5
GRACE_S = 3
LOOK_EVERY_S = 3600.0
BACKLOG = 256


@dataclass(slots=True)
class Duty:
    """What is done again and again, in a thread."""

    every_s: float
    act: Callable[[], object]
    due_at: float


class Server(uvicorn.Server):
    """`run` serves until the process is told to end, or `close` is called from another thread."""

    def __init__(self, app: Flask, config: WebConfig, threads: int) -> None:
        """Listens already; ConfigError when a port is taken or the certificate cannot be used."""
        found = tls.certificate_of(config)
        context = tls.context_of(found) if found else None
        self.room = Room(context, config.redirect_port)
        self._sockets = [*listening(config.host, config.port, "web.port")]
        self.effective_port = int(self._sockets[0].getsockname()[1])
        if context and config.redirect_port:
            self._sockets += listening(config.host, config.redirect_port, "web.redirect_port")
        self.answering = Answering(app.wsgi_app, threads, Desk(app.extensions["daemon_files"]).tell, self.room, self.effective_port if context else 0)
        self.answering.largest, self.answering.small = largest_of(app), LARGEST_FORM
        self._duties: list[Duty] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake, self._ended = asyncio.Event(), threading.Event()
        self._runner: threading.Thread | None = None
        super().__init__(settings(self.answering, self.room))
        if found and context:
            app.extensions["fingerprint"] = tls.fingerprint_of(found.certificate)
            renewal = tls.Renewal(config, context, found)

            def look() -> None:
                if renewal.look():
                    app.extensions["fingerprint"] = tls.fingerprint_of(found.certificate)

            self.every(LOOK_EVERY_S, look)

    def every(self, seconds: float, act: Callable[[], object]) -> None:
        """Calls `act` from a thread again and again, while the server runs."""
        self._duties.append(Duty(seconds, act, 0.0))

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        self._runner = threading.current_thread()
        try:
            super().run(sockets or self._sockets)
        finally:
            self.answering.executor.shutdown(wait=False, cancel_futures=True)
            self._ended.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which wakes ten times a second."""
        self._loop = loop = asyncio.get_running_loop()
        for duty in self._duties:
            duty.due_at = loop.time() + duty.every_s
        while not await self.on_tick(0):
            self.room.look()
            for duty in self._duties:
                if loop.time() >= duty.due_at:
                    duty.due_at = loop.time() + duty.every_s
                    self.answering.run(duty.act)
            try:
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Live streams get their last chunk, answers a moment to be given; then all is cut off."""
        for one in tuple(self.room.open):
            if one.flow is None:
                one.transport.abort()  # it is still shaking hands
        await super().shutdown(sockets)
        for one in tuple(self.room.open):
            one.transport.abort()
        await asyncio.sleep(0)

    def close(self) -> None:
        """Returns when nothing is answered any more. May be called again and again, also where it never ran."""
        self.should_exit = True
        if self._runner is None:
            for one in self._sockets:
                one.close()
        elif self._runner is not threading.current_thread():
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._wake.set)
            self._ended.wait(3 * GRACE_S)


def settings(answering: Any, room: Room) -> uvicorn.Config:
    """Nothing is believed that a proxy says, nothing told of the server, and no line logged that a stranger can cause."""
    return uvicorn.Config(
        answering,
        http=functools.partial(Connection, room),  # type: ignore[arg-type]  # it is called, and nothing else
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=LARGEST_HEADER,
    )


def listening(host: str, port: int, key: str) -> list[socket.socket]:
    """On every address that the name stands for."""
    found = list[socket.socket]()
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            found.append(socket.create_server((str(address[0]), int(address[1])), family=family, backlog=BACKLOG))
    except OSError as error:
        for one in found:
            one.close()
        raise ConfigError(f"cannot listen on {host}:{port} ({error.strerror}); stop what does, or change {key}") from None
    return found


def largest_of(app: Flask) -> Callable[[str, str], int]:
    """How much each address of the page takes, before a byte of it has come."""
    addresses = app.url_map.bind("localhost")

    def largest(method: str, path: str) -> int:
        try:
            endpoint, _ = addresses.match(path, method)
        except HTTPException:
            return LARGEST_FORM
        return largest_body(app.view_functions[endpoint])

    return largest
