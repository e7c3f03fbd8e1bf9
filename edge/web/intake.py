"""A request as it comes in: in its time and within its bounds, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import IO, Any

from edge.web.framing import LARGEST_HEADER, Refusal

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """`of_one` is what one address may have at once: a browser takes six. Bodies come in at `slowest_bytes_s` at least; `uploads` large ones at once.
    `waiting` requests may wait for a thread. What is `paced` is given `pictures_s` times a second to all viewers together."""

    connections: int = 320
    of_one: int = 32
    handshake_s: float = 10.0
    header_s: float = 10.0
    idle_s: float = 75.0
    slowest_bytes_s: float = 16_000.0
    uploads: int = 2
    waiting: int = 64
    pictures_s: float = 30.0
    paced: frozenset[str] = frozenset({"/live.jpg"})


@dataclass(eq=False, slots=True)
class Connection:
    """`active_at` is when it last did something of use: came, brought a whole header, or was answered. Trickling bytes are of no use.
    `next_at` is when its next live picture is due."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    active_at: float
    task: asyncio.Task[Any] | None = None
    next_at: float = 0.0

    def has_left(self) -> bool:
        return self.reader.at_eof() or self.writer.transport.is_closing()


async def read_head(one: Connection, limits: Limits, first: bool) -> bytes | None:
    """A whole header, or None where the other side has left, or was silent for too long after its last answer."""
    try:
        start = b"" if first else await _first_byte(one, limits.idle_s)
        if not first and not start:
            return None
        async with asyncio.timeout(limits.header_s):
            return start + await one.reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise Refusal(431, f"The header is longer than {LARGEST_HEADER} bytes.") from None
    except TimeoutError:
        raise Refusal(408, "The request came too slowly.") from None


async def _first_byte(one: Connection, idle_s: float) -> bytes:
    """Of the next request; b'' where none comes. Silence counts from the last byte of an answer, and a live stream answers all the time."""
    while True:
        until = one.active_at + idle_s
        try:
            async with asyncio.timeout_at(until):
                return await one.reader.read(1)
        except TimeoutError:
            if one.active_at + idle_s <= until:
                return b""


async def copy_body(one: Connection, length: int, limits: Limits, to: IO[bytes]) -> None:
    """EOFError where it ends early, Refusal where it comes too slowly."""
    try:
        async with asyncio.timeout(limits.header_s + length / limits.slowest_bytes_s):
            while length:
                data = await one.reader.read(min(length, CHUNK))
                if not data:
                    raise EOFError
                length -= len(data)
                to.write(data)
    except TimeoutError:
        raise Refusal(408, "The request came too slowly.") from None
