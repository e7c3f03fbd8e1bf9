"""The page's server: it ends TLS, bounds every connection in number, time and bytes, and has whole requests answered by the application.

However slowly a request trickles in or an answer is taken, only a connection waits and never a thread; when there are too many, the one of least use goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from io import BytesIO
from typing import IO, Any

from edge.web.answering import Answering
from edge.web.auth import guesser
from edge.web.framing import LARGEST_HEADER, Refusal, parse, redirection, refusal
from edge.web.intake import CHUNK, Connection, Limits, copy_body, read_head

IN_MEMORY = 512 * 1024


class Front:
    """Listens on (host, port). Runs in a thread of its own, with `start` and `stop` called from any other."""

    def __init__(self, host: str, port: int, answering: Answering, *, context: ssl.SSLContext | None = None, redirect_port: int = 0) -> None:
        self._host, self._port, self._answering, self._context = host, port, answering, context
        self._redirect_port, self.limits = redirect_port, Limits()
        self.largest: Callable[[str, str], int] = lambda _method, _path: LARGEST_HEADER
        """(method, path) -> how many bytes of body may come."""
        self.small = LARGEST_HEADER
        self.port = port
        self.open: dict[Connection, None] = {}
        self._by_address: Counter[str] = Counter()
        self._uploads = 0
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="front", daemon=True)

    def start(self) -> None:
        """Raises OSError where an address is taken."""
        self._thread.start()
        try:
            self._wait(self._listen())
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def every(self, seconds: float, act: Callable[[], object]) -> None:
        """Calls `act` from a thread of the loop again and again."""

        async def go() -> None:
            while True:
                await asyncio.sleep(seconds)
                await self._answering.pool.run(act)

        asyncio.run_coroutine_threadsafe(go(), self._loop)

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        main = await asyncio.start_server(self._enter, self._host, self._port, limit=LARGEST_HEADER, backlog=256)
        self._servers.append(main)
        self.port = main.sockets[0].getsockname()[1]
        if self._redirect_port:
            self._servers.append(await asyncio.start_server(self._redirect, self._host, self._redirect_port, limit=LARGEST_HEADER))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its last."""
        peer = writer.get_extra_info("peername")
        one = Connection(reader, writer, str(peer[0]) if peer else "", self._loop.time(), asyncio.current_task())
        payer = guesser(one.address)
        if self._by_address[payer] >= self.limits.of_one or not self._make_room():
            writer.transport.abort()
            return
        self.open[one] = None
        self._by_address[payer] += 1
        try:
            if self._context is not None:
                async with asyncio.timeout(self.limits.handshake_s):
                    await writer.start_tls(self._context, ssl_handshake_timeout=self.limits.handshake_s)
            await self._requests(one)
        except Refusal as error:
            await self._say(one, refusal(error))
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError, asyncio.LimitOverrunError):
            pass
        finally:
            self._leave(one, payer)

    def _make_room(self) -> bool:
        """Where all places are taken, the connection that was of no use for longest goes, unless all were of use just now."""
        if len(self.open) < self.limits.connections:
            return True
        oldest = min(self.open, key=lambda one: one.active_at)
        if self._loop.time() - oldest.active_at < 1.0 or oldest.task is None:
            return False
        del self.open[oldest]
        oldest.task.cancel()
        return True

    def _leave(self, one: Connection, payer: str) -> None:
        self.open.pop(one, None)
        self._by_address[payer] -= 1
        if not self._by_address[payer]:
            del self._by_address[payer]
        one.writer.close()  # what is written is still sent, for as long as the other side takes it
        self._loop.call_later(5.0, one.writer.transport.abort)

    async def _requests(self, one: Connection) -> None:
        first = True
        while (head := await read_head(one, self.limits, first)) is not None:
            asked, first = parse(head), False
            most = self.largest(asked.method, asked.path) if asked.body > self.small else self.small
            if asked.body > most:
                raise Refusal(413, f"This takes at most {most} bytes.")
            if self._answering.pool.waiting >= self.limits.waiting:
                raise Refusal(503, "Too many ask at once; try again in a moment.")
            one.active_at = self._loop.time()
            if asked.expects and asked.body:
                one.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await self._body(one, asked.body)
            if not await self._answering.answer(one, asked, body, self.limits, (self._host, self.port)):
                return
            one.active_at = self._loop.time()

    async def _body(self, one: Connection, length: int) -> IO[bytes]:
        """Whole, in memory or in a file without a name."""
        large = length > self.small
        if large and self._uploads >= self.limits.uploads:
            raise Refusal(503, "Others are sending large files; try again in a moment.")
        self._uploads += large
        body: IO[bytes] = tempfile.TemporaryFile() if length > IN_MEMORY else BytesIO()  # noqa: SIM115  (closed with the answer)
        try:
            await copy_body(one, length, self.limits, body)
            body.seek(0)
            return body
        except BaseException:
            body.close()
            raise
        finally:
            self._uploads -= large

    async def _say(self, one: Connection, answer: bytes) -> None:
        """A last word. What was still being sent is taken for a moment, or the other side would never read it."""
        with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(1.0):
                one.writer.write(answer)
                await one.writer.drain()
                if one.writer.can_write_eof():
                    one.writer.write_eof()
                for _ in range(16):
                    if not await one.reader.read(CHUNK):
                        break

    async def _redirect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Plain HTTP is sent on to HTTPS."""
        with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.CancelledError, asyncio.LimitOverrunError):
            async with asyncio.timeout(self.limits.header_s):
                writer.write(redirection(await reader.readuntil(b"\r\n\r\n"), self.port))
                await writer.drain()
        writer.close()
