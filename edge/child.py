"""A process of Platewatch under another one: started with its log in a file, stopped politely, and by force when it does not listen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
GRACE_S = 10.0


@contextmanager
def running(words: Sequence[str], log: Path, *, grace_s: float = GRACE_S, session: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m WORDS`. With a `session` of its own Ctrl-C does not reach it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))}
    environment.pop("NOTIFY_SOCKET", None)  # it is not the one that systemd waits for
    with log.open("wb") as file:
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment, start_new_session=session)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
