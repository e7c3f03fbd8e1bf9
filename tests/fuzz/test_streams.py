"""Streams that misbehave, watched by a process of their own: noticed within seconds, counted by kind, opened again; nothing leaks, nothing dies."""

from __future__ import annotations

import base64
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.test_cameras import SERVER, free_port
from tests.e2e.test_cameras import serving as rtsp_serving
from tests.fuzz.spoiling import BUDGET, LONGEST, SECRET
from tests.fuzz.streams import Jumper, Say, Spoiler, jpeg, mjpeg, serving
from tests.fuzz.watching import Watching

SEEDS = range(1 + BUDGET // 100)
"""A long run spoils so many more streams, each in its own way."""


@pytest.fixture
def watch() -> Iterator[Callable[..., Watching]]:
    begun: list[Watching] = []

    def begin(source: str, **keys: object) -> Watching:
        begun.append(Watching(source, **keys))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


def http(port: int) -> str:
    return f"http://user:{SECRET}@127.0.0.1:{port}/a.mjpg"


def rtsp(port: int) -> str:
    return f"rtsp://user:{SECRET}@127.0.0.1:{port}/cam"


def check_words(told: dict[str, Any]) -> None:
    """What stands on the page is a sentence without the password."""
    said = str(told["lost"])
    assert said.isprintable()
    assert len(said) <= LONGEST
    assert SECRET not in str(told)
    assert told["failure"] == ""


def test_mjpeg_over_http_is_watched_and_comes_back(watch: Callable[..., Watching]) -> None:
    """It ends after a while, the port is dead, and then it is back: gone, not opened, and fresh pictures within seconds of its return."""
    with serving(mjpeg(lambda number, place: jpeg() if place < 40 else None)) as server:
        one = watch(http(server.port))
        one.until(lambda told: told["fresh"] > 20 and told["losses"].get("gone", 0) >= 1)
    check_words(one.until(lambda told: told["losses"].get("not opened", 0) >= 1))
    began, before = time.monotonic(), one.told["reopened"]
    with serving(mjpeg(lambda number, place: jpeg()), server.port):
        one.until(lambda told: told["reopened"] > before and told["lost"] is None)
    assert time.monotonic() - began < 20


def test_spoilt_pictures_in_a_stream_are_passed_over_or_told(watch: Callable[..., Watching]) -> None:
    """Every other picture cut, spoilt or nonsense: the good ones are seen, and the process lives."""
    dice = random.Random(3)

    def picture(number: int, place: int) -> bytes:
        whole = bytearray(jpeg())
        match place % 6:
            case 1:
                return bytes(whole[: dice.randrange(len(whole))])
            case 3:
                for _ in range(20):
                    whole[dice.randrange(len(whole))] = dice.randrange(256)
            case 5:
                return dice.randbytes(dice.randrange(1, 5000))
        return bytes(whole)

    with serving(mjpeg(picture)) as server:
        one = watch(http(server.port))
        told = one.until(lambda told: told["fresh"] > 40)
        check_words(told)


def frozen(number: int, place: int, picture: bytes = jpeg()) -> bytes:
    return picture


def test_a_frozen_one_and_one_without_anything_in_it(watch: Callable[..., Watching]) -> None:
    with serving(mjpeg(frozen)) as server:
        one = watch(http(server.port), freeze_s=2.0)
        check_words(one.until(lambda told: told["losses"].get("frozen", 0) >= 2))


def test_five_seconds_between_two_pictures_are_no_loss(watch: Callable[..., Watching]) -> None:
    """0.2 frames a second, as the config was told; and a limit of the library's that is longer than that."""
    with serving(mjpeg(lambda number, place: jpeg(), every_s=5.2)) as server:
        one = watch(http(server.port), fps_limit=0.2)
        told = one.until(lambda told: told["fresh"] >= 3, within_s=60)
        assert told["losses"] == {}


def answering(answer: bytes) -> Say:
    def say(one: socket.socket, number: int) -> None:
        one.settimeout(5)
        one.recv(4096)
        one.sendall(answer)

    return say


def endless(one: socket.socket, number: int) -> None:
    """Each redirect points here again."""
    one.settimeout(5)
    asked = one.recv(4096).decode("latin-1")
    port, cseq = one.getsockname()[1], next((line for line in asked.split("\r\n") if line.startswith("CSeq")), "CSeq: 1")
    protocol, scheme = ("RTSP", "rtsp") if "RTSP/1.0" in asked else ("HTTP", "http")
    one.sendall(f"{protocol}/1.0 302 Found\r\n{cseq}\r\nLocation: {scheme}://127.0.0.1:{port}/{number}\r\n\r\n".encode())


def babbling(one: socket.socket, number: int) -> None:
    one.sendall(random.Random(number).randbytes(200_000))


def trickling(one: socket.socket, number: int) -> None:
    """One byte of a head that never ends, every now and then."""
    one.recv(4096)
    while True:
        one.sendall(b"x")
        time.sleep(0.2)


def silent(one: socket.socket, number: int) -> None:
    time.sleep(600)


REFUSALS: dict[str, Say] = {
    "401": answering(b'%s/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm="a"\r\n\r\n' % b"RTSP"),
    "404": answering(b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"),
    "503": answering(b"HTTP/1.0 503 Busy\r\nRetry-After: 100000\r\n\r\n"),
    "a head without an end": answering(b"RTSP/1.0 200 OK\r\n" + b"X-A: " + b"a" * 300_000),
    "a length that is none": answering(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: -5\r\n\r\n"),
    "a huge length": answering(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4000000000\r\n\r\nv=0"),
    "a page": answering(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>log in</html>" * 50),
    "a spoilt description": answering(b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 60\r\n\r\nv=0\r\nm=video 99999 RTP/AVP 300\r\na=rtpmap:96 H264/0\r\na=f"),
    "closed at once": lambda one, number: None,
    "redirects without an end": endless,
    "nonsense": babbling,
    "a trickle": trickling,
    "silence": silent,
}


@pytest.mark.parametrize("which", REFUSALS)
@pytest.mark.parametrize("scheme", ["rtsp", "http"] if BUDGET else ["rtsp"])
def test_servers_that_give_no_stream(watch: Callable[..., Watching], which: str, scheme: str) -> None:
    """A loss within seconds, another try later, ever more patiently; and nothing that grows."""
    with serving(REFUSALS[which]) as server:
        one = watch((rtsp if scheme == "rtsp" else http)(server.port))
        slow = which in ("a trickle", "silence")
        began = time.monotonic()
        told = one.until(lambda told: sum(told["losses"].values()) >= (1 if slow else 2), within_s=60)
        assert told["fresh"] == 0
        assert time.monotonic() - began < (40 if slow else 30)
        check_words(told)
        # No storm of connections; FFmpeg follows every redirect of RTSP, and only the limit of the opening ends that.
        assert server.accepted < 100 or which == "redirects without an end"


def test_a_wrong_password_is_said_and_the_right_one_lets_in(watch: Callable[..., Watching]) -> None:
    """HTTP Basic, as cameras have it."""
    right = base64.b64encode(f"user:{SECRET}".encode())
    stream = mjpeg(lambda number, place: jpeg())

    def say(one: socket.socket, number: int) -> None:
        one.settimeout(5)
        asked = one.recv(4096, socket.MSG_PEEK)
        if b"Authorization: Basic " + right in asked:
            stream(one, number)
        one.recv(4096)
        one.sendall(b'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="camera"\r\nContent-Length: 0\r\n\r\n')

    with serving(say) as server:
        check_words(watch(http(server.port).replace(SECRET, "wrong")).until(lambda told: told["losses"].get("not opened", 0) >= 1))
        watch(http(server.port)).until(lambda told: told["fresh"] > 5)


def test_fifty_reopenings_leave_nothing_behind(watch: Callable[..., Watching]) -> None:
    """Two pictures a connection: threads and file handles stay, memory hardly grows. `PLATEWATCH_FUZZ` makes it some hundreds."""
    most = max(30, min(BUDGET, 300))
    with serving(mjpeg(lambda number, place: jpeg(320, 240) if place < 6 else None, every_s=0.005)) as server:
        one = watch(http(server.port))
        early = dict(one.until(lambda told: told["reopened"] >= 8, within_s=60))
        late = one.until(lambda told: told["reopened"] >= most, within_s=60 + 2 * most)
    assert late["threads"] <= early["threads"] + 1
    assert late["files"] <= early["files"] + 1
    assert late["memory_mb"] <= early["memory_mb"] + 12
    check_words(late)


@SERVER
@pytest.mark.parametrize("seed", SEEDS)
def test_a_spoilt_h264_stream(watch: Callable[..., Watching], seed: int) -> None:
    """Bytes turned, pieces lost, doubled and out of order between a real RTSP server and the camera: the process lives, and is well when the line is."""
    port = free_port()
    with rtsp_serving(port, width=320, height=240):
        spoiler = Spoiler(port, 0.05 if seed % 2 else 0.3, seed)
        try:
            one = watch(rtsp(spoiler.port))
            one.until(lambda told: told["fresh"] > 5)
            one.until(lambda told: spoiler.spoilt >= 15 + 5 * seed or sum(told["losses"].values()) >= 2, within_s=60)
            spoiler.odds = 0.0
            seen = one.told["fresh"]
            told = one.until(lambda told: told["fresh"] > seen + 20 and told["lost"] is None, within_s=45)
            check_words(told)
        finally:
            spoiler.server.end()


@SERVER
def test_a_clock_of_the_stream_that_jumps(watch: Callable[..., Watching]) -> None:
    """Ten hours back, and an hour ahead, in the stamps of its packets: pictures go on, or come again within seconds."""
    port = free_port()
    with rtsp_serving(port, width=320, height=240):
        jumper = Jumper(port)
        try:
            one = watch(rtsp(jumper.port))
            for jump_s in (0, -36_000, 3600):
                jumper.jump_s = jump_s
                seen = one.told["fresh"]
                one.until(lambda told, seen=seen: told["fresh"] > seen + 30 and told["lost"] is None)  # type: ignore[misc]
            assert sum(one.told["losses"].values()) <= 2
        finally:
            jumper.server.end()


@SERVER
@pytest.mark.skipif(not BUDGET, reason="minutes: PLATEWATCH_FUZZ=20 opens it twenty times")
def test_a_real_server_opened_again_and_again(watch: Callable[..., Watching]) -> None:
    """The connection is cut after each 60 kB: threads, file handles and memory stay where they are."""
    port, most = free_port(), 5 if not BUDGET else min(100, BUDGET)
    with rtsp_serving(port, width=320, height=240, fps=20):
        spoiler = Cutter(port)
        try:
            one = watch(rtsp(spoiler.port))
            early = dict(one.until(lambda told: told["reopened"] >= 2, within_s=60))
            late = one.until(lambda told: told["reopened"] >= 2 + most, within_s=60 + 20 * most)
        finally:
            spoiler.server.end()
    print({key: (early[key], late[key]) for key in ("threads", "files", "memory_mb", "reopened")})
    assert late["threads"] <= early["threads"] + 1
    assert late["files"] <= early["files"] + 1
    assert late["memory_mb"] <= early["memory_mb"] + 12


class Cutter(Spoiler):
    """Ends the connection after some kilobytes."""

    def __init__(self, towards: int) -> None:
        super().__init__(towards, 1.0, honest=60_000)

    def _injure(self, piece: bytes, held: bytes) -> tuple[bytes, bytes]:
        raise ConnectionResetError
