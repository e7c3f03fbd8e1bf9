"""All live streams in one place: what there is to tell is put together once for all who listen, and no thread waits for any of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from edge.web.stream import FIRST_TICK_S, TICK_S, Listener

GATHER_S = 0.05
"""Those who come within so short a time are told together."""
Tell = Callable[[Sequence[Listener]], list[bytes | None]]
Words = asyncio.Queue[bytes | None]


class Hub:
    """`run` calls its work in a thread and awaits it; `tell` is `Desk.tell`. Lives in the loop of the server."""

    def __init__(self, tell: Tell, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._tell, self._run = tell, run
        self._listeners: dict[Listener, Words] = {}
        self._fresh: list[Listener] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def told(self, listener: Listener) -> Iterator[Words]:
        """What it is to be told, and None as the last word."""
        said: Words = asyncio.Queue()
        self._listeners[listener] = said
        self._fresh.append(listener)
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go())
        try:
            yield said
        finally:
            self._listeners.pop(listener, None)

    async def _go(self) -> None:
        """While anybody listens."""
        loop = asyncio.get_running_loop()
        due_at = loop.time() + TICK_S
        while self._listeners:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_at):
                    await self._wake.wait()
                    await asyncio.sleep(GATHER_S)
            self._wake.clear()
            fresh, self._fresh = [one for one in self._fresh if one in self._listeners], []
            await self._say(fresh or list(self._listeners))
            now = loop.time()
            due_at = min(due_at, now + FIRST_TICK_S) if fresh else now + TICK_S  # their looking makes the picture: they are soon told that there is one

    async def _say(self, to: list[Listener]) -> None:
        try:
            said = await self._run(lambda: self._tell(to))
        except Exception:
            said = [None] * len(to)  # they come again by themselves
        for one, words in zip(to, said, strict=True):
            if (queue := self._listeners.get(one)) is not None and words != b"":
                queue.put_nowait(words)
