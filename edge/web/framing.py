"""Where a request begins and ends: as strict as can be, so that the front and the server behind it can never be of two minds. Pure functions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus

from edge.web.forgery import HOST

LARGEST_HEADER = 16 * 1024
LINE = re.compile(rb"([A-Z]{1,16}) (/[\x21-\x7e]*|\*) HTTP/1\.[01]")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")


class Refusal(Exception):
    """An answer that the front gives by itself; the connection ends with it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """`path` without its query; `body` in bytes."""

    method: str
    path: str
    target: str
    host: str
    body: int


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
    target = line[2].decode("ascii")
    return Request(line[1].decode("ascii"), target.partition("?")[0], target, hosts[0].decode("latin-1"), int(lengths[0]))


def refusal(error: Refusal) -> bytes:
    """The one shape of an error."""
    body = json.dumps({"error": {"status": error.code, "message": str(error)}}).encode() + b"\n"
    return _answer(error.code, "Content-Type: application/json", f"Content-Length: {len(body)}") + body


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
    kept = ("Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Connection: close")
    return "\r\n".join((f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", *fields, *kept, "", "")).encode("latin-1")
