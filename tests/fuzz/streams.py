"""Servers of streams that misbehave: MJPEG over HTTP made here, and a proxy before a real RTSP server that spoils what passes through it."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import cv2
import numpy as np

Say = Callable[[socket.socket, int], None]
"""What is said to the n-th who connects; the connection is closed behind it."""
_DICE = np.random.default_rng(7)


class Server:
    """Listens on the loopback and lets `say` talk to everybody who comes, each in a thread of its own."""

    def __init__(self, say: Say, port: int = 0) -> None:
        self._listens = socket.create_server(("127.0.0.1", port))
        self._listens.settimeout(0.1)
        self.port = int(self._listens.getsockname()[1])
        self._say, self._open, self.stopped = say, list[socket.socket](), threading.Event()
        self.accepted = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.stopped.is_set():
            with contextlib.suppress(TimeoutError):
                one, _ = self._listens.accept()
                self.accepted += 1
                self._open.append(one)
                threading.Thread(target=self._talk, args=(one, self.accepted), daemon=True).start()

    def _talk(self, one: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), one:
            try:
                self._say(one, number)
            finally:
                one.shutdown(socket.SHUT_RDWR)  # closing alone would not end it while another thread still reads from it

    def end(self) -> None:
        self.stopped.set()
        self._thread.join(5)
        for one in (self._listens, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def serving(say: Say, port: int = 0) -> Iterator[Server]:
    server = Server(say, port)
    try:
        yield server
    finally:
        server.end()


def jpeg(width: int = 64, height: int = 48) -> bytes:
    """A fresh picture of noise."""
    return bytes(cv2.imencode(".jpg", _DICE.integers(0, 255, (height, width, 3), dtype=np.uint8))[1])


def mjpeg(pictures: Callable[[int, int], bytes | None], every_s: float = 0.02) -> Say:
    """MJPEG over HTTP as cameras have it; `pictures(connection, n)` gives the n-th, and None ends it."""

    def say(one: socket.socket, number: int) -> None:
        one.settimeout(5)
        one.recv(4096)
        one.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        for place in range(1_000_000):
            picture = pictures(number, place)
            if picture is None:
                return
            one.sendall(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture + b"\r\n")
            threading.Event().wait(every_s)

    return say


class Spoiler:
    """Between a player and an RTSP server: what the server sends over TCP after its first `honest` bytes is spoilt with `odds` for each piece."""

    def __init__(self, towards: int, odds: float, seed: int = 1, honest: int = 20_000) -> None:
        self.odds, self.spoilt = odds, 0
        self._towards, self._dice, self._honest = towards, random.Random(seed), honest
        self.server = Server(self._pass)
        self.port = self.server.port

    def _pass(self, one: socket.socket, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self._towards), 5) as other:
            other.settimeout(None)
            asking = threading.Thread(target=_copy, args=(one, other), daemon=True)
            asking.start()
            passed, held = 0, b""
            while piece := other.recv(1400):
                passed += len(piece)
                if passed > self._honest and self._dice.random() < self.odds:
                    self.spoilt += 1
                    piece, held = self._injure(piece, held)
                one.sendall(piece)

    def _injure(self, piece: bytes, held: bytes) -> tuple[bytes, bytes]:
        """Bytes turned, a piece lost, said twice, held back behind the next, or nonsense put between."""
        content = bytearray(piece)
        match self._dice.randrange(6):
            case 0 | 1:
                for _ in range(self._dice.randrange(1, 40)):
                    content[self._dice.randrange(len(content))] ^= 1 << self._dice.randrange(8)
                return bytes(content), held
            case 2:
                return b"", held
            case 3:
                return piece + piece, held
            case 4:
                return held, piece
            case _:
                return self._dice.randbytes(self._dice.randrange(1, 3000)) + piece, held


class Line:
    """Between a player and an RTSP server over TCP, answer by answer and packet by packet: what `packet` and `answer` give is sent on."""

    def __init__(self, towards: int) -> None:
        self._towards = towards
        self.server = Server(self._pass)
        self.port = self.server.port

    def answer(self, number: int, content: bytes) -> bytes:
        """To the n-th who connected; `Cut` ends the connection."""
        return content

    def packet(self, number: int, channel: int, content: bytearray) -> bytearray:
        """RTP of the pictures where `channel` is 0."""
        return content

    def _pass(self, one: socket.socket, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self._towards), 5) as other, other.makefile("rb") as said:
            other.settimeout(None)
            threading.Thread(target=_copy, args=(one, other), daemon=True).start()
            try:
                while first := said.read(1):
                    one.sendall(self._piece(number, first, said))
            except Cut as cut:
                one.sendall(cut.last_words)

    def _piece(self, number: int, first: bytes, said: BinaryIO) -> bytes:
        if first != b"$":  # an answer: its head, and what it announces
            head = first + b"".join(iter(said.readline, b"\r\n")) + b"\r\n"
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            return self.answer(number, head + said.read(length))
        about = said.read(3)
        content = self.packet(number, about[0], bytearray(said.read(int.from_bytes(about[1:], "big"))))
        return framed(about[0], content)


def framed(channel: int, content: bytes | bytearray) -> bytes:
    """An RTP packet as it travels within RTSP's own connection."""
    return b"$" + bytes([channel]) + len(content).to_bytes(2, "big") + content


class Cut(Exception):
    """The connection ends here, behind these words."""

    def __init__(self, last_words: bytes) -> None:
        super().__init__("cut")
        self.last_words = last_words


class Jumper(Line):
    """The clock in the packets is `jump_s` off."""

    jump_s = 0

    def packet(self, number: int, channel: int, content: bytearray) -> bytearray:
        if channel == 0 and len(content) >= 8:  # 90,000 ticks a second
            stamp = int.from_bytes(content[4:8], "big") + 90_000 * self.jump_s
            content[4:8] = (stamp % 2**32).to_bytes(4, "big")
        return content


class Cutter(Line):
    """Ends each connection at a moment of its own, until there are no more of these: `moments` of (`answers` | `pictures`, how many passed whole).

    The next one passes in part: half of the answer, or all of the picture but half of its last packet.
    """

    def __init__(self, towards: int, moments: Iterable[tuple[str, int]]) -> None:
        self._moments = iter(moments)
        self._plans = dict[int, tuple[str, int] | None]()
        self._passed = dict[int, dict[str, int]]()
        self.cuts = 0
        super().__init__(towards)

    def answer(self, number: int, content: bytes) -> bytes:
        self._count(number, "answers", content)
        return content

    def packet(self, number: int, channel: int, content: bytearray) -> bytearray:
        if channel == 0 and content[1] & 0x80:  # the last one of a picture
            self._count(number, "pictures", framed(channel, content))
        return content

    def _count(self, number: int, what: str, content: bytes) -> None:
        if number not in self._plans:
            self._plans[number], self._passed[number] = next(self._moments, None), {"answers": 0, "pictures": 0}
        if self._plans[number] == (what, self._passed[number][what]):
            self.cuts += 1
            raise Cut(content[: len(content) // 2])
        self._passed[number][what] += 1


class Rotter(Line):
    """Bytes of the pictures turned (`where` is `payload`: the stream of H.264 behind an honest head), or of the packets' own heads (`head`), with `odds`."""

    def __init__(self, towards: int, where: str, odds: float, seed: int = 1) -> None:
        self.odds, self.rotten = odds, 0
        self._where, self._dice = where, random.Random(seed)
        super().__init__(towards)

    def packet(self, number: int, channel: int, content: bytearray) -> bytearray:
        first, end = (12, len(content)) if self._where == "payload" else (0, min(12, len(content)))
        if channel == 0 and end > first and self._dice.random() < self.odds:
            self.rotten += 1
            for _ in range(self._dice.randrange(1, 30)):
                content[self._dice.randrange(first, end)] = self._dice.randrange(256)
        return content


def _copy(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := one.recv(4096):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)
