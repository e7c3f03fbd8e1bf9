"""What happens between a whole request and the last byte of its answer. The threads work, the connections wait."""

from __future__ import annotations

import asyncio
import logging
from typing import IO

from edge.web.framing import Refusal, Request, answer_head
from edge.web.gateway import App, Call, Pool, environ_of
from edge.web.hub import Hub, Tell
from edge.web.intake import Connection, Limits

HUB, LISTENER, GONE = "platewatch.hub", "platewatch.listener", "platewatch.gone"
"""In the environ: an application that finds the first may put a Listener under the second and need not stream itself; the third says whether who
asked has left."""
log = logging.getLogger(__name__)


class Answering:
    """`scheme` is http or https; `tell` composes what live streams say."""

    def __init__(self, app: App, threads: int, scheme: str, tell: Tell) -> None:
        self._app, self._scheme = app, scheme
        self.pool = Pool(threads)
        self._hub = Hub(tell, self.pool.run)
        self._picture_at = 0.0

    async def answer(self, one: Connection, asked: Request, body: IO[bytes], limits: Limits, server: tuple[str, int]) -> bool:
        """Whether another request may follow on the connection. Raises OSError, EOFError or TimeoutError where the other side has left or is too slow."""
        if asked.path in limits.paced and (wait_s := one.next_at - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(wait_s)
        environ = environ_of(asked, one.address, self._scheme, server, body)
        environ |= {HUB: self._hub, GONE: one.has_left}
        call = Call(self._app, environ)
        try:
            try:
                words, is_all = await self.pool.run(call.begin)
                plan = _Plan(call, asked, len(words) if is_all else None)
                head = answer_head(call.status, call.headers, chunked=plan.chunked, closes=plan.closes)
            except Exception:
                log.exception("%s %s could not be answered", asked.method, asked.path)
                raise Refusal(500, "The page made a mistake; its log says more.") from None
            if call.status == 200 and asked.path in limits.paced:
                self._pace(one, limits)
            one.writer.write(head + words if is_all and not plan.empty else head)
            await _drain(one, limits)
            if is_all or plan.empty:
                return not plan.closes
            if (listener := environ.get(LISTENER)) is not None and plan.chunked:
                await self._hub.serve(listener, lambda said: _tell(one, said))
                return False
            await self._stream(one, call, plan.chunked, limits)
            return not plan.closes
        finally:
            self.pool.post(call.close)

    async def _stream(self, one: Connection, call: Call, chunked: bool, limits: Limits) -> None:
        """Part by part, the next one only when the last one was taken."""
        while (words := await self.pool.run(call.more)) is not None:
            if words:
                one.writer.write(_chunk(words) if chunked else words)
                await _drain(one, limits)
        if chunked:
            one.writer.write(b"0\r\n\r\n")
            await _drain(one, limits)

    def _pace(self, one: Connection, limits: Limits) -> None:
        """All viewers together get so many live pictures a second, each its share."""
        self._picture_at = max(self._picture_at, asyncio.get_running_loop().time()) + 1.0 / limits.pictures_s
        one.next_at = self._picture_at


class _Plan:
    """How an answer is sent. `found` bytes of it are there; None where it is still to come."""

    def __init__(self, call: Call, asked: Request, found: int | None) -> None:
        self.empty = asked.method == "HEAD" or call.status in (204, 304)
        known = call.length is not None
        self.chunked = not known and not self.empty and asked.minor == 1
        is_wrong = found is not None and not self.empty and found != call.length
        self.closes = asked.closes or is_wrong or not (known or self.empty or self.chunked)


def _tell(one: Connection, words: bytes) -> int:
    """To a listener; how much of what it was told it has not taken."""
    if one.has_left():
        raise EOFError
    one.writer.write(_chunk(words))
    one.active_at = asyncio.get_running_loop().time()
    return one.writer.transport.get_write_buffer_size()


async def _drain(one: Connection, limits: Limits) -> None:
    async with asyncio.timeout(limits.idle_s):
        await one.writer.drain()
    one.active_at = asyncio.get_running_loop().time()


def _chunk(words: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(words), words)
