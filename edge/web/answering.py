"""Between uvicorn and the Flask application: refuses what is too much before a byte of it has come, and lets no thread ever wait for who asks.

A request comes in whole before the application sees it. a2wsgi then runs the application in one of a few threads; what it answers faster than it is taken
lies in memory or in a file without a name, and the thread goes on to the next.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast

from a2wsgi.wsgi import WSGIResponder

from edge.web.forgery import HOST
from edge.web.front import LARGEST_HEADER, Connection, Limits, Refusal, Room
from edge.web.hub import Hub, Tell
from edge.web.stream import BEGIN, LISTEN, Listener

CHUNK = 256 * 1024
IN_MEMORY = 512 * 1024
MOST_UNTAKEN = 256 * 1024
"""Bytes that a listener may leave lying."""
NEVER = 2**30
"""So many make a stream wait: its last chunk must go where words lie, too."""
MOST_DRAINED, DRAINED_S = 1024 * 1024, 1.0
"""Of a body that is refused: so much is taken and thrown away, or who sends it would never read why."""
OURS = {b"connection", b"date", b"keep-alive", b"server", b"transfer-encoding", b"upgrade"}
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[..., Iterable[bytes]]
log = logging.getLogger(__name__)


class Bridge(WSGIResponder):
    """a2wsgi's, but its thread waits for none of its messages to be taken, and wakes the loop no more than it must."""

    _start: Any = None

    def send(self, message: Any) -> None:
        """The head goes with the first of the body."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None or message.get("more_body"):
            self.loop.call_soon_threadsafe(self._put, self._start, message)
            self._start = None

    def _put(self, *messages: Any) -> None:
        for message in messages:
            if message is not None:
                self.send_queue.put_nowait(message)


class Answering:
    """An ASGI application. `tell` composes what live streams say; plain HTTP is sent on to `secure_port` where there is one."""

    def __init__(self, app: App, threads: int, tell: Tell, room: Room, secure_port: int = 0) -> None:
        self.app, self.executor = app, ThreadPoolExecutor(threads, "page")
        self.hub = Hub(tell, self.run)
        self.largest: Callable[[str, str], int] = lambda _method, _path: LARGEST_HEADER
        """(method, path) -> how many bytes of body may come."""
        self.small = LARGEST_HEADER
        self.asked = 0
        """Requests that a thread works on, or that wait for one."""
        self._threads, self._room, self._secure_port = threads, room, secure_port
        self._uploads, self._picture_at = 0, 0.0

    def run(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """In one of the threads; to be called in the loop."""
        return asyncio.get_running_loop().run_in_executor(self.executor, work)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._secure_port and scope["scheme"] == "http":
                await _send_on(scope, send, self._secure_port)
                return
            length = self._look(scope)
            with tempfile.SpooledTemporaryFile(IN_MEMORY) as body, tempfile.SpooledTemporaryFile(IN_MEMORY) as rest:
                if length and not await self._take(receive, length, cast(IO[bytes], body)):
                    return
                await self._answer(scope, receive, send, cast(IO[bytes], body), cast(IO[bytes], rest))
        except Refusal as refusal:
            await _refuse(refusal, receive, send)

    def _look(self, scope: Scope) -> int:
        """How long the body is. Refusal where anything is unclear or too much."""
        headers = dict(scope["headers"])
        if not scope["raw_path"].startswith(b"/") and scope["raw_path"] != b"*":
            raise Refusal(400, "The request names no path of this page.")
        if b"transfer-encoding" in headers:
            raise Refusal(411, "Send the length of the body (Content-Length); chunks are not taken.")
        length = int(headers.get(b"content-length", b"0"))
        most = self.largest(scope["method"], scope["path"]) if length > self.small else self.small
        if length > most:
            raise Refusal(413, f"This takes at most {most} bytes.")
        if self.asked >= self._threads + self._room.limits.waiting:
            raise Refusal(503, "Too many ask at once; try again in a moment.")
        return length

    async def _take(self, receive: Receive, length: int, body: IO[bytes]) -> bool:
        """The whole body, in its time; False where the other side has left."""
        limits, large = self._room.limits, length > self.small
        if large and self._uploads >= limits.uploads:
            raise Refusal(503, "Others are sending large files; try again in a moment.")
        self._uploads += large
        try:
            async with asyncio.timeout(limits.header_s + length / limits.slowest_bytes_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    body.write(message["body"])
                    more = message["more_body"]
            body.seek(0)
            return True
        except TimeoutError:
            raise Refusal(408, "The request came too slowly.") from None
        finally:
            self._uploads -= large

    async def _answer(self, scope: Scope, receive: Receive, send: Send, body: IO[bytes], rest: IO[bytes]) -> None:
        one, limits = cast(Connection, scope["state"]["connection"]), self._room.limits
        if scope["path"] in limits.paced:
            await asyncio.sleep(max(0.0, one.next_at - one.loop.time()))
        listeners = list[Listener]()
        begun = False

        async def replay() -> Message:
            part = body.read(CHUNK)
            return {"type": "http.request", "body": part, "more_body": bool(part)}

        async def tell(message: Message) -> None:
            """Never waits for who asked. The end is told below."""
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                if message["status"] == 200 and scope["path"] in limits.paced:
                    self._pace(one, limits)
                await send({**message, "headers": [(name, value) for name, value in message["headers"] if name not in OURS]})
            elif rest.tell() or one.flow.write_paused:
                rest.write(message["body"])
            elif message["body"]:
                await send({**message, "more_body": True})

        # Names with an underscore would look like others to the application.
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        self.asked += 1
        try:
            try:
                bridge = Bridge(cast(Any, self.app), self.executor, send_queue_size=0)
                await bridge(cast(Any, {**scope, "headers": headers, LISTEN: listeners.append}), cast(Any, replay), cast(Any, tell))
            finally:
                self.asked -= 1
            if listeners and scope["method"] != "HEAD":
                await self._stream(listeners[0], one, receive, send)
            rest.seek(0)
            while part := rest.read(CHUNK):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                one.active_at = one.loop.time()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception:
            log.exception("%s %s could not be answered", scope["method"], scope["path"])
            if begun:
                raise  # the connection ends in the middle: nobody takes half an answer for a whole one
            raise Refusal(500, "The page made a mistake; its log says more.") from None
        finally:
            for listener in listeners:
                listener.leave()

    async def _stream(self, listener: Listener, one: Connection, receive: Receive, send: Send) -> None:
        """Until the listener has to go, has left, or takes nothing more. Its last chunk follows in any case."""
        one.transport.set_write_buffer_limits(high=NEVER)
        with self.hub.told(listener) as said:
            one.farewell = lambda: said.put_nowait(None)
            left = asyncio.create_task(_until_left(receive, one.farewell))
            try:
                words: bytes | None = BEGIN
                while words is not None and not one.transport.is_closing():
                    await send({"type": "http.response.body", "body": words, "more_body": True})
                    one.active_at = one.loop.time()
                    if one.transport.get_write_buffer_size() > MOST_UNTAKEN:
                        one.shutdown()  # after the answer
                        break
                    words = await said.get()
                else:
                    one.transport.set_write_buffer_limits()
            finally:
                one.farewell = None
                left.cancel()

    def _pace(self, one: Connection, limits: Limits) -> None:
        """All viewers together get so many live pictures a second, each its share."""
        self._picture_at = max(self._picture_at, one.loop.time()) + 1.0 / limits.pictures_s
        one.next_at = self._picture_at


async def _until_left(receive: Receive, then: Callable[[], object]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    then()


async def _refuse(refusal: Refusal, receive: Receive, send: Send) -> None:
    headers, body = refusal.told()
    await send({"type": "http.response.start", "status": refusal.code, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    drained, more = 0, True
    try:
        async with asyncio.timeout(DRAINED_S):
            while more and drained < MOST_DRAINED:
                message = await receive()
                drained += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_on(scope: Scope, send: Send, port: int) -> None:
    """To the same address over HTTPS; a host or path that is none is not repeated."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    if not HOST.fullmatch(host) or not scope["raw_path"].startswith(b"/"):
        raise Refusal(400, "The Host header names no host.")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    target = scope["raw_path"].decode("ascii") + (f"?{scope['query_string'].decode('ascii')}" if scope["query_string"] else "")
    where = f"https://{name}{'' if port == 443 else f':{port}'}{target}"
    headers = {"location": where, "content-length": "0", "cache-control": "no-store", "connection": "close"}
    await send({"type": "http.response.start", "status": 308, "headers": [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
