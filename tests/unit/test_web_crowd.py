"""Many viewers at once: the work does not grow with them, slow ones hold up nobody, and what is too much is refused politely.

`python -m tests.crowd` measures what they cost.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from edge.store import Store
from edge.web import app as web
from edge.web import scopes
from edge.web.front import Limits
from edge.web.hub import Hub
from edge.web.language import LANGUAGES
from edge.web.server import Server
from edge.web.stream import HEARTBEAT_S, LIFE_S, Desk, Listener
from tests.builders import an_event
from tests.fakes import FakeClock
from tests.pages import a_config, a_page

VIEWERS = 60
PART = 4_000_000
"""Of an answer: more than the system itself takes for a connection."""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Flask]:
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("1"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run/live.jpg").write_bytes(b"picture")
    found = web.create_app(a_config(tmp_path, hashed="", host="127.0.0.1", port=0))

    @found.get("/slow")
    @scopes.needs("status:read")
    def slow() -> Response:
        def parts() -> Iterator[bytes]:
            for number in range(3):
                yield b"%d" % number * PART
            found.extensions["whole"] += 1

        return Response(parts())

    @found.get("/block")
    @scopes.needs("status:read")
    def block() -> str:
        found.extensions["blocked"] += 1
        found.extensions["go on"].wait(10)
        return "done"

    found.extensions |= {"go on": threading.Event(), "blocked": 0, "whole": 0}
    yield found
    found.extensions["go on"].set()
    found.extensions["daemon_files"].close()


@pytest.fixture
def server(page: Flask) -> Iterator[Server]:
    found = Server(page, page.extensions["daemon_files"].config.web, threads=2)
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found
    page.extensions["go on"].set()
    found.close()
    thread.join(10)
    assert not thread.is_alive()


def connect(server: Server, number: int = 1) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.effective_port), timeout=60, source_address=(f"127.2.0.{number}", 0))


def ask(line: socket.socket, path: str, *more: str, method: str = "GET") -> None:
    line.sendall("\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *more, "", "")).encode())


def answer(line: socket.socket) -> tuple[int, bytes]:
    """One whole answer with a length."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += line.recv(65536)
    head, _, body = found.partition(b"\r\n\r\n")
    length = next((int(one[16:]) for one in head.split(b"\r\n") if one.lower().startswith(b"content-length: ")), 0)
    while len(body) < length:
        body += line.recv(65536)
    return int(head[9:12]), body


def until(true: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def a_listener(after: str | None = None, **fields: Any) -> Listener:
    return Listener(after, fields.pop("wanted", lambda: True), **fields)


def test_a_hundred_listeners_ask_the_disk_no_more_than_one(page: Flask, tmp_path: Path) -> None:
    desk = Desk(page.extensions["daemon_files"])
    listeners = [a_listener(language=LANGUAGES["de" if number % 2 else "en"]) for number in range(100)]
    assert all(b"event: status" in (words or b"") for words in desk.tell(listeners))
    assert (desk.composed, desk.asked) == (2, 1)  # once for each language, the store once
    assert not any(desk.tell(listeners))
    asked = desk.asked
    assert not any(desk.tell(listeners))
    assert (desk.composed, desk.asked) == (6, asked)
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("2", "AB12CDE"))
    assert all((words or b"").count(b"AB12CDE") for words in desk.tell(listeners))
    assert (desk.composed, desk.asked) == (8, asked + 1)


def test_each_listener_is_told_what_it_missed_and_only_what_it_may_see(page: Flask, tmp_path: Path) -> None:
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("2"))
        store.add(an_event("3"))
    desk = Desk(page.extensions["daemon_files"])
    of = [a_listener("1"), a_listener("3"), a_listener(None), a_listener("1", may_see_events=lambda: False), a_listener("1", wanted=lambda: False)]
    told = desk.tell(of)
    assert [words and words.count(b"event: plate") for words in told] == [2, 0, 0, 0, None]
    assert (told[0] or b"").index(b"id: 2") < (told[0] or b"").index(b"id: 3")


def test_a_listener_hears_now_and_then_that_all_is_well_and_goes_in_the_end(page: Flask) -> None:
    clock = FakeClock()
    desk, one = Desk(page.extensions["daemon_files"], clock), a_listener(began_at=clock(), spoke_at=clock())
    assert desk.tell([one])[0]
    clock.advance(HEARTBEAT_S + 1)
    assert desk.tell([one]) == [b": still here\n\n"]
    assert desk.tell([one]) == [b""]
    clock.advance(LIFE_S)
    assert desk.tell([one]) == [None]


def test_listeners_are_told_together_and_who_goes_is_told_no_more() -> None:
    async def go() -> list[int]:
        asked = list[int]()

        def tell(to: Sequence[Listener]) -> list[bytes | None]:
            asked.append(len(to))
            return [b"words"] * len(to) if len(asked) == 1 else [None] * len(to)

        async def run(work: Any) -> Any:
            return work()

        hub = Hub(tell, run)
        with hub.told(a_listener()) as one:
            with hub.told(a_listener()) as other:
                assert (await one.get(), await other.get()) == (b"words", b"words")
            assert await one.get() is None
        return asked

    # In a thread of its own: after a test in a browser this one has Playwright's loop, and a thread has one.
    with ThreadPoolExecutor(1) as apart:
        assert apart.submit(lambda: asyncio.run(asyncio.wait_for(go(), 60))).result() == [2, 1]


def test_sixty_live_pages_hold_no_thread_and_others_are_answered(server: Server, page: Flask) -> None:
    lines = [connect(server, number + 1) for number in range(VIEWERS)]
    for line in lines:
        ask(line, "/api/stream")
    for line in lines:
        said = b""
        while b"event: status" not in said:
            said += line.recv(65536)
        assert b"transfer-encoding: chunked" in said.lower()
    assert sum(thread.name.startswith("page") for thread in threading.enumerate()) == 2
    with connect(server) as line:
        ask(line, "/healthz")
        assert answer(line)[0] == 200
    for line in lines:
        line.close()
    places = page.extensions["places"]._free
    until(lambda: places._value == web.STREAMS or places._value == 3)


def test_pictures_are_shared_out_fairly(server: Server) -> None:
    """Two who ask all the time: the second waits for its turn, and the pace is kept however slow the machine is."""
    server.room.limits = Limits(pictures_s=20.0)
    with connect(server, 1) as one, connect(server, 2) as other:
        began, counts = time.monotonic(), [0, 0]
        while sum(counts) < 20:
            for number, line in enumerate((one, other)):
                ask(line, "/live.jpg")
                assert answer(line) == (200, b"picture")
                counts[number] += 1
        assert time.monotonic() - began >= (20 - 2) / 20.0 - 0.1
    assert counts == [10, 10]


def test_one_who_takes_next_to_nothing_and_one_who_gets_stuck_hold_no_thread(server: Server, page: Flask) -> None:
    """There are two threads, and four such ones. Who is slow gets all of it in the end."""
    slow, stuck = [], []
    for number in range(2):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(60)
        line.connect(("127.0.0.1", server.effective_port))
        ask(line, "/slow", "Connection: close")
        assert line.recv(1)
        slow.append(line)
        stuck.append(connect(server, number + 1))
        ask(stuck[-1], "/api/read", "Content-Type: image/jpeg", "Content-Length: 100000", method="POST")
    for _ in range(3):
        with connect(server) as line:
            ask(line, "/healthz")
            assert answer(line)[0] == 200
    until(lambda: page.extensions["whole"] == 2)  # the application is done with them
    for line in slow:
        took, end = 0, b""
        while more := line.recv(1_000_000):
            took, end = took + len(more), (end + more)[-5:]
        assert took > 3 * PART
        assert end == b"0\r\n\r\n"
    for line in slow + stuck:
        line.close()


def test_too_many_requests_are_told_to_come_again(server: Server, page: Flask) -> None:
    server.room.limits = Limits(waiting=3)
    lines = [connect(server, number + 1) for number in range(5)]  # two are worked on, three wait
    for number, line in enumerate(lines):
        ask(line, "/block")
        until(lambda asked=number + 1: server.answering.asked == asked and page.extensions["blocked"] == min(asked, 2))
    with connect(server, 9) as late:
        ask(late, "/healthz")
        told = late.recv(65536)
    assert told.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 2" in told
    page.extensions["go on"].set()
    assert [answer(line) for line in lines] == [(200, b"done")] * 5
    for line in lines:
        line.close()


def test_live_streams_are_bounded_and_say_when_to_come_again(tmp_path: Path) -> None:
    page = a_page(tmp_path, hashed="", host="127.0.0.1")
    taken = [page.extensions["places"].take() for _ in range(web.STREAMS)]
    assert all(taken)
    told = page.test_client().get("/api/stream")
    assert (told.status_code, told.headers["Retry-After"]) == (503, "30")


def test_several_requests_in_one_packet_are_answered_in_order(server: Server) -> None:
    with connect(server) as line:
        asked = (b"GET /healthz HTTP/1.1", b"HEAD /static/page.css HTTP/1.1", b"GET /nothing HTTP/1.0")
        line.sendall(b"".join(b"%s\r\nHost: localhost\r\n\r\n" % one for one in asked))
        said = b""
        while more := line.recv(65536):
            said += more
    codes = [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]]
    assert codes == [b"200", b"200", b"404"]
    assert b"{--" not in said  # of the style sheet only the head
    assert said.lower().count(b"\r\ndate: ") == 3


def test_who_waits_for_a_word_before_sending_gets_it(server: Server) -> None:
    """curl does, with larger bodies."""
    with connect(server) as line:
        ask(line, "/api/me/password", "Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue", "Connection: close", method="POST")
        assert line.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n")
        line.sendall(b"{}")
        assert line.recv(1000).startswith(b"HTTP/1.1 400")  # the session's token is missing


def fault(_environ: Any, _start: Any) -> list[bytes]:
    raise ZeroDivisionError


def split(_environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("X-Name", "a\r\nSet-Cookie: b")])
    return [b"words"]


def half(_environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Length", "10")])
    return [b"words"]


@pytest.mark.parametrize(("app", "begins"), [(fault, b"HTTP/1.1 500"), (split, b""), (half, b"HTTP/1.1 200")])
def test_a_fault_below_the_application_tells_nothing_and_is_never_taken_for_a_whole_answer(server: Server, app: Any, begins: bytes) -> None:
    server.answering.app = app
    with connect(server) as line:
        ask(line, "/healthz")
        told = b""
        while more := line.recv(65536):
            told += more
    assert told.startswith(begins)
    assert b"ZeroDivisionError" not in told
    assert b"Set-Cookie" not in told
    assert (b"its log says more" in told) == (app is fault)
