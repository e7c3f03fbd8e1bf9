"""Servers of streams that misbehave: MJPEG over HTTP made here, and a proxy before a real RTSP server that spoils what passes through it."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator

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
            self._say(one, number)

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


class Jumper:
    """A proxy as well: the clock in the packets is `jump_s` off."""

    def __init__(self, towards: int) -> None:
        self.jump_s = 0
        self._towards = towards
        self.server = Server(self._pass)
        self.port = self.server.port

    def _pass(self, one: socket.socket, number: int) -> None:
        with socket.create_connection(("127.0.0.1", self._towards), 5) as other, other.makefile("rb") as answers:
            other.settimeout(None)
            threading.Thread(target=_copy, args=(one, other), daemon=True).start()
            while first := answers.read(1):
                if first != b"$":  # an answer: its head, and what it announces
                    head = first + b"".join(iter(answers.readline, b"\r\n")) + b"\r\n"
                    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
                    one.sendall(head + answers.read(length))
                    continue
                about = answers.read(3)
                packet = bytearray(answers.read(int.from_bytes(about[1:], "big")))
                if about[0] == 0 and len(packet) >= 8:  # RTP of the pictures: 90,000 ticks a second
                    stamp = int.from_bytes(packet[4:8], "big") + 90_000 * self.jump_s
                    packet[4:8] = (stamp % 2**32).to_bytes(4, "big")
                one.sendall(first + about + packet)


def _copy(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := one.recv(4096):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)
