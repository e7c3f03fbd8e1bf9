"""However a live stream ends that the page ends, its last chunk comes: a browser takes anything less for a broken connection, and says so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.web import app as web
from edge.web.front import Limits
from edge.web.server import Server
from tests.pages import a_config, logged_in, the_access, token

LAST = b"\r\n0\r\n\r\n"
PATIENCE_S = 60.0


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Flask]:
    """With a password, and a live stream for anyone who has one."""
    (tmp_path / "run").mkdir()
    found = web.create_app(a_config(tmp_path, host="127.0.0.1", port=0))
    yield found
    found.extensions["daemon_files"].close()


@pytest.fixture
def server(page: Flask) -> Iterator[Server]:
    found = Server(page, page.extensions["daemon_files"].config.web, threads=2)
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found
    found.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


class Watcher:
    """A logged-in browser's stream as raw bytes."""

    def __init__(self, server: Server, client: FlaskClient, receive_buffer: int = 0, method: str = "GET") -> None:
        self.line, self.said = socket.socket(), b""
        if receive_buffer:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.line.settimeout(PATIENCE_S)
        self.line.connect(("127.0.0.1", server.effective_port))
        cookie = client.get_cookie("platewatch")
        assert cookie is not None
        self._fields = f"Host: localhost\r\nUser-Agent: {client.environ_base['HTTP_USER_AGENT']}\r\nCookie: platewatch={cookie.value}\r\n"
        self.ask(method)

    def ask(self, method: str = "GET", path: str = "/api/stream") -> None:
        self.line.sendall(f"{method} {path} HTTP/1.1\r\n{self._fields}\r\n".encode())

    def until(self, words: bytes) -> bytes:
        """All that came up to them, and nothing after."""
        while words not in self.said:
            more = self.line.recv(65536)
            assert more, f"the connection ended before {words!r} came: {self.said[-100:]!r}"
            self.said += more
        return self.said


def wait_for(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def parts(said: bytes) -> list[bytes]:
    """The chunks of an answer. Fails where it is cut off."""
    rest, found = said.partition(b"\r\n\r\n")[2], list[bytes]()
    while not found or found[-1]:
        length, _, rest = rest.partition(b"\r\n")
        size = int(length, 16)
        assert rest[size : size + 2] == b"\r\n"
        found.append(rest[:size])
        rest = rest[size + 2 :]
    assert rest == b""
    return found[:-1]


def log_out(client: FlaskClient) -> None:
    assert client.post("/logout", data={"csrf": token(client, "/")}).status_code == 303


def test_a_stream_that_a_log_out_ends_has_its_last_chunk_and_the_connection_serves_on(server: Server, page: Flask) -> None:
    client = logged_in(page)
    other = logged_in(page)
    watcher = Watcher(server, client)
    watcher.until(b"event: status")
    log_out(client)
    told = parts(watcher.until(LAST))
    assert told[0].startswith(b"retry: ")
    assert b"".join(told).endswith(b"\n\n")
    watcher.said = b""
    watcher.ask()
    assert watcher.until(b"\r\n\r\n").startswith(b"HTTP/1.1 401")  # the same browser, again and without its session
    second = Watcher(server, other)
    second.until(b"event: status")
    second.line.close()
    watcher.line.close()


def test_the_end_of_a_session_of_a_user_or_of_a_right_ends_the_stream_as_it_should(server: Server, page: Flask, tmp_path: Path) -> None:
    def end_of_session() -> None:
        page.extensions["door"].sessions.close_all_of("admin")

    def end_of_user() -> None:
        the_access(tmp_path).remove_user("jo")

    the_access(tmp_path).add_user("jo", "viewer", "long enough")
    for name, password, act in (("admin", "a gate that stays shut", end_of_session), ("jo", "long enough", end_of_user)):
        watcher = Watcher(server, logged_in(page, name, password))
        watcher.until(b"event: status")
        act()
        assert parts(watcher.until(LAST))
        watcher.line.close()


def test_a_stop_or_restart_of_the_page_ends_the_stream_as_it_should_and_then_the_connection(server: Server, page: Flask) -> None:
    watcher = Watcher(server, logged_in(page))
    watcher.until(b"event: status")
    server.close()
    assert parts(watcher.until(LAST))
    assert watcher.line.recv(1) == b""
    watcher.line.close()


def test_a_fault_in_what_is_told_ends_the_stream_as_it_should(server: Server, page: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(server, logged_in(page))
    watcher.until(b"event: status")
    monkeypatch.setattr(server.answering.hub, "_tell", lambda to: 1 // 0)
    assert parts(watcher.until(LAST))
    watcher.line.close()


def test_one_who_makes_room_for_others_gets_its_last_chunk(server: Server, page: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(server, logged_in(page))
    watcher.until(b"event: status")
    monkeypatch.setattr(server.answering.hub, "_tell", lambda to: [b""] * len(to))  # nothing happens: it is of no use
    server.room.limits = Limits(connections=1)

    def comes_in() -> bool:
        with socket.create_connection(("127.0.0.1", server.effective_port), timeout=PATIENCE_S) as line:
            try:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return line.recv(100).startswith(b"HTTP/1.1 200")
            except ConnectionError:
                return False

    wait_for(comes_in)
    assert parts(watcher.until(LAST))
    assert watcher.line.recv(1) == b""
    watcher.line.close()


def test_one_who_takes_nothing_is_told_no_more_and_holds_up_nobody(server: Server, page: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said already and the last chunk lie ready for it, for a while."""
    server.room.limits = Limits(closing_s=PATIENCE_S)
    monkeypatch.setattr(server.answering.hub, "_tell", lambda to: [b": " + b"x" * 3_000_000 + b"\n\n"] * len(to))
    slow, places = Watcher(server, logged_in(page), receive_buffer=4096), page.extensions["places"]._free
    wait_for(lambda: places._value == web.STREAMS - 1)
    wait_for(lambda: places._value == web.STREAMS)  # its place is free again, without a byte taken
    assert parts(slow.until(LAST))
    assert slow.line.recv(1) == b""
    slow.line.close()


def test_one_who_never_takes_what_was_left_for_it_is_cut_off(server: Server, page: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    server.room.limits = Limits(closing_s=0.1)
    monkeypatch.setattr(server.answering.hub, "_tell", lambda to: [b": " + b"x" * 8_000_000 + b"\n\n"] * len(to))
    slow = Watcher(server, logged_in(page), receive_buffer=4096)
    wait_for(lambda: server.room.open)
    wait_for(lambda: not server.room.open)
    slow.line.close()


def test_one_who_leaves_gives_its_place_back(server: Server, page: Flask) -> None:
    watcher, places = Watcher(server, logged_in(page)), page.extensions["places"]._free
    watcher.until(b"event: status")
    assert places._value == web.STREAMS - 1
    watcher.line.close()
    wait_for(lambda: places._value == web.STREAMS)


def test_a_look_at_the_head_of_a_stream_takes_no_place(server: Server, page: Flask) -> None:
    client, places = logged_in(page), page.extensions["places"]._free
    watcher = Watcher(server, client)
    watcher.until(b"event: status")
    watcher.line.close()
    wait_for(lambda: places._value == web.STREAMS)
    watcher = Watcher(server, client, method="HEAD")
    for _ in range(3):
        assert watcher.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        watcher.said = b""
        watcher.ask("HEAD")
    watcher.until(b"\r\n\r\n")
    wait_for(lambda: places._value == web.STREAMS)
    watcher.line.close()
