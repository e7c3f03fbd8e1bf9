"""The owner's log: plain words in a file on the boot partition, which every computer can open."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

NAME = "platewatch-log.txt"
MOST_BYTES = 200_000


def writer(path: Path, now: Callable[[], float], also: Callable[[str], None]) -> Callable[[str], None]:
    """`say` for a Site. The clock of a Pi without network is wrong: what counts is the time since power-on. A log that cannot be written stops nothing."""

    def say(words: str) -> None:
        also(words)
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size > MOST_BYTES:
                path.unlink()
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            with os.fdopen(file, "ab") as stream:
                stream.write(f"{now():6.0f} s  {' '.join(words.split())}\r\n".encode(errors="replace"))
                stream.flush()
                os.fsync(stream.fileno())

    return say
