"""Many viewers at once: the work does not grow with them, slow ones hold up nobody, and what is too much is refused politely.

`python -m tests.crowd` measures what they cost.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from edge.store import Store
from edge.web import app as web
from edge.web import scopes
from edge.web.framing import answer_head
from edge.web.gateway import Call, Pool
from edge.web.hub import Hub
from edge.web.intake import Limits
from edge.web.language import LANGUAGES
from edge.web.server import Server
from edge.web.stream import HEARTBEAT_S, LIFE_S, Desk, Listener
from tests.builders import an_event
from tests.fakes import FakeClock
from tests.pages import a_config, a_page

VIEWERS = 60


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
                found.extensions.setdefault("threads", []).append(threading.current_thread().name)
                yield b"%d" % number * 100_000

        return Response(parts())

    @found.get("/block")
    @scopes.needs("status:read")
    def block() -> str:
        found.extensions["blocked"] += 1
        found.extensions["go on"].wait(10)
        return "done"

    found.extensions |= {"go on": threading.Event(), "blocked": 0}
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
    return socket.create_connection(("127.0.0.1", server.effective_port), timeout=10, source_address=(f"127.2.0.{number}", 0))


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


def until(true: Any, seconds: float = 10.0) -> None:
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


def test_who_does_not_take_what_it_is_told_goes_and_the_others_stay() -> None:
    async def go() -> tuple[list[bytes], bool, int]:
        turns = 0

        def tell(to: Sequence[Listener]) -> list[bytes | None]:
            nonlocal turns
            turns += 1
            return [b"words"] * len(to) if turns == 1 else [None] * len(to)

        async def run(work: Any) -> Any:
            return work()

        hub, heard = Hub(tell, run), list[bytes]()

        def take(words: bytes) -> int:
            heard.append(words)
            return 0

        slow = asyncio.create_task(hub.serve(a_listener(), lambda _: 10**9))
        good = asyncio.create_task(hub.serve(a_listener(), take))
        await asyncio.wait_for(slow, 5)
        early = good.done()
        await asyncio.wait_for(good, 5)
        return heard, early, turns

    assert asyncio.run(go()) == ([b"retry: 2000\n\n", b"words"], False, 2)


def test_sixty_live_pages_hold_no_thread_and_others_are_answered(server: Server, page: Flask) -> None:
    threads, lines = threading.active_count(), [connect(server, number + 1) for number in range(VIEWERS)]
    for line in lines:
        ask(line, "/api/stream")
    for line in lines:
        said = b""
        while b"event: status" not in said:
            said += line.recv(65536)
        assert b"Transfer-Encoding: chunked" in said
    assert threading.active_count() == threads
    with connect(server) as line:
        ask(line, "/healthz")
        assert answer(line)[0] == 200
    for line in lines:
        line.close()
    places = page.extensions["places"]._free
    until(lambda: places._value == web.STREAMS or places._value == 3)


def test_pictures_are_shared_out_fairly(server: Server) -> None:
    server.front.limits = Limits(pictures_s=20.0)
    with connect(server, 1) as one, connect(server, 2) as other:
        began, counts = time.monotonic(), [0, 0]
        while time.monotonic() - began < 1.0:
            for number, line in enumerate((one, other)):
                ask(line, "/live.jpg")
                assert answer(line) == (200, b"picture")
                counts[number] += 1
    assert sum(counts) <= 25
    assert abs(counts[0] - counts[1]) <= 1


def test_one_who_takes_a_byte_a_second_and_one_who_gets_stuck_hold_no_thread(server: Server, page: Flask) -> None:
    """There are two threads, and four such ones."""
    slow = []
    for number in range(2):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", server.effective_port))
        ask(line, "/slow")
        assert line.recv(1)
        stuck = connect(server, number + 1)
        ask(stuck, "/api/read", "Content-Type: image/jpeg", "Content-Length: 100000", method="POST")
        slow += [line, stuck]
    for _ in range(3):
        with connect(server) as line:
            ask(line, "/healthz")
            assert answer(line)[0] == 200
    for line in slow:
        line.close()
    assert len(page.extensions["threads"]) >= 2


def test_too_many_requests_are_told_to_come_again(server: Server, page: Flask) -> None:
    server.front.limits = Limits(waiting=3)
    lines = [connect(server, number + 1) for number in range(5)]  # two are worked on, three wait
    for number, line in enumerate(lines):
        ask(line, "/block")
        until(lambda busy=number: page.extensions["blocked"] == min(busy + 1, 2) and server.front._answering.pool.waiting == max(0, busy - 1))
    with connect(server, 9) as late:
        ask(late, "/healthz")
        told = late.recv(65536)
    assert told.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 2" in told
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
    assert said.count(b"Date: ") == 3


def test_who_waits_for_a_word_before_sending_gets_it(server: Server) -> None:
    """curl does, with larger bodies."""
    with connect(server) as line:
        ask(line, "/api/me/password", "Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue", "Connection: close", method="POST")
        assert line.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"{}")
        assert line.recv(1000).startswith(b"HTTP/1.1 400")  # the session's token is missing


def test_a_fault_below_the_application_is_one_sentence(server: Server, page: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.front._answering, "_app", lambda _environ, _start: 1 / 0)
    with connect(server) as line:
        ask(line, "/healthz")
        told = line.recv(65536)
    assert told.startswith(b"HTTP/1.1 500")
    assert b"its log says more" in told
    assert b"ZeroDivisionError" not in told


def test_no_header_of_an_answer_breaks_its_line() -> None:
    with pytest.raises(ValueError, match="line break"):
        answer_head(200, [("X-Name", "a\r\nSet-Cookie: b")], chunked=False, closes=False)


def test_an_answer_that_is_given_up_in_the_middle_of_a_step_is_closed_after_it() -> None:
    begun, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            begun.set()
            go_on.wait(5)
            yield b"one"

        def close(self) -> None:
            assert go_on.is_set()
            closed.set()

    def app(_environ: Any, start: Any) -> Parts:
        start("200 OK", [])
        return Parts()

    call = Call(app, {"wsgi.input": socket.socket()})
    assert call.begin() == (b"", False)
    step = threading.Thread(target=call.more)
    step.start()
    assert begun.wait(5)
    call.close()
    assert not closed.is_set()
    go_on.set()
    step.join()
    assert closed.is_set()
    call.close()


def test_work_that_nobody_awaits_any_more_harms_no_thread() -> None:
    pool, seen = Pool(1), list[str]()

    async def go() -> int:
        given_up = pool.run(lambda: time.sleep(0.05))
        given_up.cancel()
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        pool.post(lambda: seen.append("posted"))
        return await pool.run(lambda: 7)

    assert (asyncio.run(go()), seen) == (7, ["posted"])
