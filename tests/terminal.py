"""Somebody at a terminal: a program on a pseudo-terminal of its own, its questions answered as they come."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self


class Terminal:
    """`seen` is all that the program wrote, as it wrote it. Ends the program when it is left."""

    def __init__(self, words: Sequence[str | Path], cwd: Path, env: Mapping[str, str], columns: int = 160) -> None:
        self.seen, self._read = "", 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self._process = subprocess.Popen([*words], cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def answer(self, question: str, words: str, seconds: float = 60.0, *, secret: bool = False) -> None:
        """Waits for the question, and types; a secret only when the terminal no longer shows what is typed, since all from before is thrown away then."""
        self.wait(question, seconds)
        end = time.monotonic() + seconds
        while secret and termios.tcgetattr(self._master)[3] & termios.ECHO:
            assert time.monotonic() < end, f"{question!r} shows what is typed:\n{self.seen}"
            time.sleep(0.01)
        os.write(self._master, words.encode() + b"\n")

    def press(self, key: str) -> None:
        """A key by itself; Ctrl-C is "\\x03"."""
        os.write(self._master, key.encode())

    def wait(self, words: str, seconds: float = 60.0) -> None:
        """Until they were written, since the last ones that were waited for. AssertionError with all that was seen where they do not come."""
        end = time.monotonic() + seconds
        while (at := self.seen.find(words, self._read)) < 0:
            assert self._more(end), f"{words!r} did not come:\n{self.seen}"
        self._read = at + len(words)

    def end(self, seconds: float = 60.0) -> int:
        """Its exit code."""
        end = time.monotonic() + seconds
        while self._more(end):
            pass
        return self._process.wait(max(1.0, end - time.monotonic()))

    def _more(self, end: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        with contextlib.suppress(OSError):  # Linux says EIO where the other end is shut
            if raw := os.read(self._master, 65536):
                self.seen += raw.decode(errors="replace")
                return True
        return False
