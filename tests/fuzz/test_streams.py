"""Streams that misbehave, watched by a process of their own: noticed within seconds, counted by kind, opened again; nothing leaks, nothing dies."""

from __future__ import annotations

import base64
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fuzz.spoiling import BUDGET, LONGEST, SECRET
from tests.fuzz.streams import Cutter, Jumper, Rotter, Say, Spoiler, jpeg, mjpeg, serving
from tests.fuzz.watching import Watching
from tests.rtsp import SERVER, free_port
from tests.rtsp import serving as rtsp_serving

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
    before = one.told["reopened"]
    with serving(mjpeg(lambda number, place: jpeg()), server.port):
        one.until(lambda told: told["reopened"] > before and told["lost"] is None)


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
        told = one.until(lambda told: told["fresh"] >= 2, within_s=90)
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
        told = one.until(lambda told: sum(told["losses"].values()) >= (1 if slow else 2), within_s=60)
        assert told["fresh"] == 0
        check_words(told)
        assert server.accepted < 100  # no storm of connections


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


def test_many_reopenings_leave_nothing_behind(watch: Callable[..., Watching]) -> None:
    """Two pictures a connection: threads and file handles stay, memory hardly grows. `PLATEWATCH_FUZZ` makes it some hundreds."""
    most = max(20, min(BUDGET, 300))
    with serving(mjpeg(lambda number, place: jpeg(320, 240) if place < 6 else None, every_s=0.005)) as server:
        one = watch(http(server.port))
        early = dict(one.until(lambda told: told["reopened"] >= 8, within_s=60))
        late = one.until(lambda told: told["reopened"] >= most, within_s=60 + 4 * most)
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


def moments(many: int, seed: int) -> Iterator[tuple[str, int]]:
    """Where connections are cut: mostly behind some pictures, now and then before the first one, and within it."""
    dice = random.Random(seed)
    for place in range(many):
        match place % 10:
            case 3:
                yield "answers", dice.randrange(5)
            case 7:
                yield "pictures", 0
            case _:
                yield "pictures", dice.randrange(25, 45)


@SERVER
def test_a_real_server_opened_again_and_again(watch: Callable[..., Watching]) -> None:
    """Its connections are cut before, within and behind the first picture: each loss is counted, pictures come again, and nothing grows.

    Threads, file handles and memory stay where they are; a hundred times where PLATEWATCH_FUZZ says so.
    """
    port, most = free_port(), min(100, BUDGET) or 6
    with rtsp_serving(port, width=320, height=240, fps=25):
        cutter = Cutter(port, moments(most + most // 4 + 10, 1))
        try:
            one = watch(rtsp(cutter.port))
            early = dict(one.until(lambda told: told["reopened"] >= min(10, most // 2), within_s=120))
            late = dict(one.until(lambda told: told["reopened"] >= most, within_s=120 + 10 * most))
        finally:
            cutter.server.end()
    check_words(late)
    print({key: (early[key], late[key]) for key in ("threads", "files", "memory_mb", "reopened")}, late["losses"])
    assert sum(late["losses"].values()) >= late["reopened"] >= most
    assert set(late["losses"]) <= {"gone", "not opened"}
    assert cutter.cuts >= most
    assert late["threads"] <= early["threads"] + 1
    assert late["files"] <= early["files"] + 1
    assert late["memory_mb"] <= early["memory_mb"] + 8


@SERVER
@pytest.mark.parametrize(
    "moment", [(("answers", 0), ("answers", 2), ("answers", 3)), (("pictures", 0), ("pictures", 1), ("pictures", 0))], ids=lambda m: m[0][0]
)
def test_connections_cut_before_anything_was_seen(watch: Callable[..., Watching], moment: tuple[tuple[str, int], ...]) -> None:
    """One after the other, none of which gave a picture or hardly one: and as soon as the line is well, there are pictures."""
    port = free_port()
    with rtsp_serving(port, width=320, height=240):
        cutter = Cutter(port, moment)
        try:
            one = watch(rtsp(cutter.port))
            told = one.until(lambda told: told["fresh"] > 12 and told["lost"] is None, within_s=90)
            assert cutter.cuts == len(moment)
            assert sum(told["losses"].values()) >= len(moment)
            check_words(told)
        finally:
            cutter.server.end()


@SERVER
@pytest.mark.parametrize("where", ["payload", "head"])
def test_rotten_packets(watch: Callable[..., Watching], where: str) -> None:
    """Garbage in the H.264 stream itself, its parameter sets and slices, or in the heads of RTP: passed over or told, the process lives, and is well after."""
    port = free_port()
    with rtsp_serving(port, width=320, height=240, fps=25):
        rotter = Rotter(port, where, 0.2)
        try:
            one = watch(rtsp(rotter.port))
            one.until(lambda told: rotter.rotten >= (60 if not BUDGET else 10 * BUDGET), within_s=90 + BUDGET)
            rotter.odds = 0.0
            seen = one.told["fresh"]
            check_words(one.until(lambda told: told["fresh"] > seen + 20 and told["lost"] is None, within_s=90))
        finally:
            rotter.server.end()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_redirects_without_an_end_are_one_loss_each_and_leave_no_thread_behind(watch: Callable[..., Watching], scheme: str) -> None:
    """FFmpeg follows those of RTSP for ever. The limit of the opening ends that, not the pump's own, far longer patience, which would leave a thread behind."""
    with serving(endless) as server:
        one = watch((rtsp if scheme == "rtsp" else http)(server.port))
        told = dict(one.until(lambda told: told["losses"].get("not opened", 0) >= 1, within_s=120))
        assert (set(told["losses"]), told["fresh"], told["reopened"]) == ({"not opened"}, 0, 0)
        assert "cannot be opened" in told["lost"]
        check_words(told)
        # Each opening is counted once, however many connections it made.
        assert server.accepted > sum(told["losses"].values())
        later = one.until(lambda told: told["losses"].get("not opened", 0) >= 2, within_s=120)
        assert later["threads"] <= told["threads"] + 1
        assert later["files"] <= told["files"] + 2
