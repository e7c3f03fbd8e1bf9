"""Where a request begins and ends: as strict as can be, so that the front and the server behind it can never be of two minds. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from edge.web.forgery import HOST

LARGEST_HEADER = 16 * 1024
RETRY_S = 2
OURS = {"connection", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}
LINE = re.compile(rb"([A-Z]{1,16}) (/[\x21-\x7e]*|\*) HTTP/1\.([01])")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")


class Refusal(Exception):
    """An answer that the front gives by itself; the connection ends with it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """`path` without its query; `body` in bytes; `minor` of HTTP/1. `expects`: the other side waits for a word before it sends the body."""

    method: str
    path: str
    target: str
    host: str
    body: int
    minor: int = 1
    closes: bool = False
    expects: bool = False
    fields: tuple[tuple[bytes, bytes], ...] = ()


def parse(head: bytes) -> Request:
    """Of everything up to and with the empty line. Refusal where anything is unclear."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    line = LINE.fullmatch(first)
    if line is None:
        raise Refusal(400, "The request line is malformed.")
    fields = [found for one in lines if (found := FIELD.fullmatch(one))]
    if len(fields) != len(lines):
        raise Refusal(400, "A header line is malformed.")
    named: dict[bytes, list[bytes]] = {}
    for one in fields:
        named.setdefault(one[1].lower(), []).append(one[2].strip(b" \t"))
    if b"transfer-encoding" in named:
        raise Refusal(411, "Send the length of the body (Content-Length); chunks are not taken.")
    lengths, hosts = named.get(b"content-length", [b"0"]), named.get(b"host", [b""])
    if len(lengths) > 1 or not re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
        raise Refusal(400, "Content-Length is malformed.")
    if len(hosts) > 1:
        raise Refusal(400, "There is more than one Host header.")
    target, minor = line[2].decode("ascii"), int(line[3])
    return Request(
        line[1].decode("ascii"),
        target.partition("?")[0],
        target,
        hosts[0].decode("latin-1"),
        int(lengths[0]),
        minor,
        minor == 0 or b"close" in b",".join(named.get(b"connection", [])).lower(),
        minor == 1 and b"100-continue" in b",".join(named.get(b"expect", [])).lower(),
        tuple((one[1], one[2].strip(b" \t")) for one in fields),
    )


def answer_head(status: int, headers: Iterable[tuple[str, str]], *, chunked: bool, closes: bool) -> bytes:
    """Of an answer of the application's, whose own word on how it is sent is passed over."""
    kept = [f"{name}: {value}" for name, value in headers if name.lower() not in OURS]
    kept += [f"Date: {formatdate(usegmt=True)}"] + ["Transfer-Encoding: chunked"] * chunked + ["Connection: close"] * closes
    if any("\r" in one or "\n" in one or "\0" in one for one in kept):
        raise ValueError("a header of the answer holds a line break")
    return "\r\n".join((f"HTTP/1.1 {status} {_phrase(status)}", *kept, "", "")).encode("latin-1")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def refusal(error: Refusal) -> bytes:
    """The one shape of an error."""
    body = json.dumps({"error": {"status": error.code, "message": str(error)}}).encode() + b"\n"
    later = [f"Retry-After: {RETRY_S}"] if error.code == 503 else []
    return _answer(error.code, "Content-Type: application/json", f"Content-Length: {len(body)}", *later) + body


def redirection(head: bytes, port: int) -> bytes:
    """To the same address over HTTPS; a host or path that is none is not repeated."""
    try:
        asked = parse(head)
    except Refusal as error:
        return refusal(error)
    if not HOST.fullmatch(asked.host):
        return refusal(Refusal(400, "The Host header names no host."))
    name = asked.host if asked.host.endswith("]") else re.sub(r":\d+$", "", asked.host)
    where = f"https://{name}{'' if port == 443 else f':{port}'}{asked.target}"
    return _answer(308, f"Location: {where}", "Content-Length: 0")


def _answer(code: int, *fields: str) -> bytes:
    kept = (f"Date: {formatdate(usegmt=True)}", "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Connection: close")
    return "\r\n".join((f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", *fields, *kept, "", "")).encode("latin-1")
