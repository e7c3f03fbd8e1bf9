"""Between the process that draws and the daemon that looks: frames in shared memory, one at a time, and the time of each over a socket.

The daemon's end asks with a byte when it is done with a frame, and is answered with the place of the next one and its time. So no frame is dropped, the
daemon works as fast as it can, and the drawing costs it neither memory nor time.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Self

import numpy as np
import numpy.typing as npt

from edge.errors import CameraLost
from edge.records import Frame, Luma
from tests.soak.clocks import Clocks

WIDTH, HEIGHT, PLACES = 1280, 720, 2
_ANSWER = struct.Struct("<Bdd")
_END = 255


class Stage:
    """The end that draws. `hand_over` returns when the daemon has taken the frame of before; ConnectionError when the daemon is gone."""

    def __init__(self) -> None:
        self.memory = os.memfd_create("soak")
        os.ftruncate(self.memory, PLACES * WIDTH * HEIGHT)
        self._pixels = _pixels(self.memory)
        self._ours, self.theirs = socket.socketpair()
        self._ours.settimeout(120.0)
        self._next = 0

    def await_request(self) -> None:
        """Until the daemon wants a frame: it is done with all before."""
        if self._ours.recv(1) != b"n":
            raise ConnectionError("the daemon has ended")

    def hand_over(self, luma: Luma, monotonic_s: float, wall_s: float) -> None:
        self._pixels[self._next] = luma
        self._ours.sendall(_ANSWER.pack(self._next, monotonic_s, wall_s))
        self._next = (self._next + 1) % PLACES

    def end(self) -> None:
        """No frame will come: the daemon ends as at the end of a recording."""
        self._ours.sendall(_ANSWER.pack(_END, 0.0, 0.0))

    def close(self) -> None:
        self._ours.close()
        self.theirs.close()


class Seat:
    """The daemon's end: a live camera whose frames are its own memory, as a driver's are. `tick` is called with every frame."""

    kind = "soak"
    waits = False
    skipped = 0

    def __init__(self, name: str, memory: int, line: int, clocks: Clocks, tick: Callable[[Luma], None] = lambda luma: None) -> None:
        self.name, self._clocks, self.tick = name, clocks, tick
        self._pixels, self._line = _pixels(memory), socket.socket(fileno=line)
        self._taken = threading.Semaphore(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def again(self) -> Self:
        raise CameraLost("the soak's camera does not hang")

    def frames(self) -> Iterator[Frame]:
        index = 0
        while True:
            self._line.sendall(b"n")
            place, monotonic_s, wall_s = _ANSWER.unpack(self._line.recv(_ANSWER.size, socket.MSG_WAITALL))
            if place == _END:
                return
            self._clocks.monotonic_s, self._clocks.wall_s = monotonic_s, wall_s
            luma = self._pixels[place]
            self.tick(luma)
            yield Frame(luma, self._clocks.monotonic_s, self.name, None, index, let_go=self._taken.release)
            self._taken.acquire()
            index += 1


def _pixels(memory: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(mmap.mmap(memory, PLACES * WIDTH * HEIGHT), np.uint8).reshape(PLACES, HEIGHT, WIDTH)
