"""A request as it comes in: in its time and within its bounds, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from edge.web.framing import LARGEST_HEADER, Refusal

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """`of_one` is what one address may have at once: a browser takes six. Bodies come in at `slowest_bytes_s` at least; `uploads` large ones at once."""

    connections: int = 128
    of_one: int = 32
    handshake_s: float = 10.0
    header_s: float = 10.0
    idle_s: float = 75.0
    slowest_bytes_s: float = 16_000.0
    uploads: int = 2


@dataclass(eq=False, slots=True)
class Connection:
    """`active_at` is when it last did something of use: came, brought a whole header, or was answered. Trickling bytes are of no use."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    active_at: float
    task: asyncio.Task[Any] | None = None
    source: tuple[str, int] | None = None
    behind: asyncio.StreamWriter | None = None
    answers: asyncio.Task[None] | None = None


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


async def copy_body(one: Connection, length: int, limits: Limits) -> None:
    """To the server behind; EOFError where it ends early, Refusal where it comes too slowly."""
    assert one.behind is not None
    try:
        async with asyncio.timeout(limits.header_s + length / limits.slowest_bytes_s):
            while length:
                data = await one.reader.read(min(length, CHUNK))
                if not data:
                    raise EOFError
                length -= len(data)
                one.behind.write(data)
                await one.behind.drain()
    except TimeoutError:
        raise Refusal(408, "The request came too slowly.") from None
