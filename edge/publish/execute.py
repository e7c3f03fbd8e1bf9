"""A local command for each event, one at a time: the event's JSON on its stdin, no shell between."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess

from edge.publish.base import Occasional, Refused, Stumbled, Unreachable, in_words
from edge.publish.dialects import DIALECTS
from edge.publish.settings import TargetConfig
from edge.publish.told import Told

TEMPORARY = 75
"""EX_TEMPFAIL of sysexits.h: the command asks to be run again with the same event."""
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""What a command sees of the daemon's environment: the rest may hold the secrets of other targets."""


class Command(Occasional):
    """Exit 0: done. Exit 75: not now. Another: it refuses this event. It has `timeout_s`; then it and its children are killed."""

    def __init__(self, config: TargetConfig) -> None:
        document = DIALECTS[config.dialect].document
        assert document is not None
        self._document, self._config = document, config
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False

    def send(self, told: Told) -> None:
        spoken = json.dumps(self._document(told), ensure_ascii=False, default=float).encode()
        environment = {key: os.environ[key] for key in KEPT if key in os.environ}
        quiet = subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                self._config.command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=environment, start_new_session=True, close_fds=True
            )
        except OSError as error:
            raise Unreachable(f"the command cannot be started ({in_words(error)})") from None
        self._running = process
        try:
            if self._closed:
                raise Unreachable("stopped")
            process.communicate(spoken, timeout=self._config.timeout_s)
        except subprocess.TimeoutExpired:
            raise Stumbled(f"the command did not end within {self._config.timeout_s:g} s and was killed") from None
        finally:
            self._running = None
            _kill(process)
        if process.returncode == TEMPORARY:
            raise Unreachable("the command asks to be tried again")
        if process.returncode < 0 and self._closed:
            raise Unreachable("stopped")
        if process.returncode < 0:
            raise Stumbled(f"the command was ended by signal {-process.returncode}")
        if process.returncode:
            raise Refused(f"the command ended with exit status {process.returncode}")

    def close(self) -> None:
        self._closed = True
        if (process := self._running) is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The command and what it started, if any of it still runs; no pipe stays open."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
