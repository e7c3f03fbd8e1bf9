"""Viewers of the page as cheap as can be, since they share the machine with what they look at: raw requests, answers counted and thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from dataclasses import dataclass, field

PICTURE_S = 0.2
"""As live.js: so long after a picture the next one is asked for."""
PAGE_EVERY_S = 20.0
PAGES = ("/events", "/api/events?limit=10", "/api/status", "/")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")


@dataclass(slots=True)
class Seen:
    """`waits` in seconds to the first byte, by kind."""

    codes: Counter[int] = field(default_factory=Counter)
    got: Counter[str] = field(default_factory=Counter)
    waits: dict[str, list[float]] = field(default_factory=dict)

    def wait(self, kind: str, seconds: float) -> None:
        self.waits.setdefault(kind, []).append(seconds)


class Crowd:
    """So many viewers at (host, port), each from an address of its own of 127.1.0.0/16, until `leave`."""

    def __init__(self, port: int, viewers: int, token: str = "", host: str = "127.0.0.1") -> None:
        self.port, self.host, self.seen = port, host, Seen()
        self._viewers, self._token = viewers, f"Authorization: Bearer {token}\r\n" if token else ""
        self._tasks: list[asyncio.Task[None]] = []

    def come(self) -> None:
        for number in range(self._viewers):
            address = f"127.1.{number // 250}.{number % 250 + 1}"
            for act in (self._listen, self._look, self._browse):
                self._tasks.append(asyncio.create_task(self._again(act, address, number)))

    def trouble(self) -> None:
        """One who takes a byte a second, and one who never finishes what is sent."""
        self._tasks += [asyncio.create_task(self._again(act, "127.1.9.9", 0)) for act in (self._take_slowly, self._get_stuck)]

    async def leave(self) -> Seen:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self.seen

    async def _again(self, act: object, address: str, number: int) -> None:
        """A viewer who is thrown out comes back after a while, as a browser does."""
        await asyncio.sleep(0.01 * number)
        while True:
            with contextlib.suppress(OSError, EOFError, ValueError):
                reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=(address, 0))
                try:
                    await act(reader, writer)  # type: ignore[operator]
                finally:
                    writer.transport.abort()
            self.seen.got["comings back"] += 1
            await asyncio.sleep(2.0)

    def _head(self, path: str, more: str = "", method: str = "GET") -> bytes:
        return f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{self._token}{more}\r\n".encode()

    async def _get(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, kind: str, more: str = "") -> tuple[int, bytes]:
        began = time.monotonic()
        writer.write(self._head(path, more))
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen.wait(kind, time.monotonic() - began)
        code, length = int(head[9:12]), LENGTH.search(head)
        self.seen.codes[code] += 1
        if length and code != 304:
            await reader.readexactly(int(length[1]))
        return code, head

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._head("/api/stream", "Accept: text/event-stream\r\n"))
        head = await reader.readuntil(b"\r\n\r\n")
        self.seen.codes[int(head[9:12])] += 1
        while b"200 OK" in head and (words := await reader.read(65536)):
            self.seen.got["status"] += words.count(b"event: status")
            self.seen.got["plates"] += words.count(b"event: plate")

    async def _look(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tag = ""
        while True:
            code, head = await self._get(reader, writer, "/live.jpg", "picture", f"If-None-Match: {tag}\r\n" if tag else "")
            self.seen.got["pictures"] += code == 200
            tag = next((line[6:].decode() for line in head.split(b"\r\n") if line.lower().startswith(b"etag: ")), tag)
            await asyncio.sleep(PICTURE_S if code in (200, 304) else 1.0)

    async def _browse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            for path in PAGES:
                await asyncio.sleep(PAGE_EVERY_S / len(PAGES))
                code, _ = await self._get(reader, writer, path, "page")
                self.seen.got["pages"] += code == 200

    async def _take_slowly(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._head("/static/page.css"))
        while await reader.read(1):
            await asyncio.sleep(1.0)

    async def _get_stuck(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._head("/api/read", "Content-Type: image/jpeg\r\nContent-Length: 1000000\r\n", "POST") + b"\xff\xd8\xff" + b"x" * 10_000)
        self.seen.got["stuck ones told to go"] += bool(await reader.read(1000))
