"""The daemon's end of the relay: it starts the hand, tells it when, and hears when something is wrong."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge.errors import GateError
from edge.gate.settings import GateConfig

READY_S = 15.0
"""A Pi Zero takes its time to load gpiozero."""
REVIVE_EVERY_S = 10.0
log = logging.getLogger(__name__)


class Relay(Protocol):
    @property
    def trouble(self) -> str:
        """Empty while it can be relied upon."""

    def pulse(self, seconds: float, event: str) -> None:
        """On now, and off after so long, for the pass of an event. Raises GateError when it cannot be told."""

    def undone(self) -> list[tuple[str, str]]:
        """(event, why) of pulses that came to nothing after all; each is told once."""

    def tend(self, now: float) -> None:
        """Called often: mend what can be mended."""

    def close(self) -> None:
        """Off for good."""


class Hand:
    """A relay worked by `edge.gate.hand`. It is off before this returns; raises GateError when it cannot be worked."""

    def __init__(self, config: GateConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = json.dumps({"gpio": config.gpio, "active_high": config.active_high, "command": config.command})
        self._clock = clock
        self._revived_at = clock()
        self.trouble = ""
        self._start()

    def undone(self) -> list[tuple[str, str]]:
        return []

    def pulse(self, seconds: float, event: str) -> None:
        if self.trouble:
            raise GateError(self.trouble)
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(f"pulse {seconds:.3f}\n".encode())
            self._process.stdin.flush()
        except OSError as error:
            self.trouble = f"the relay's process is gone ({error.strerror})"
            raise GateError(self.trouble) from None

    def tend(self, now: float) -> None:
        if self.trouble and now - self._revived_at >= REVIVE_EVERY_S:
            self._revived_at = now
            self.close()
            try:
                self._start()
            except GateError as error:
                self.trouble = str(error)
                log.error("%s", error)

    def close(self) -> None:
        process, self._closing = self._process, True
        try:
            if process.stdin is not None:
                process.stdin.close()
        except OSError:  # it is gone already
            pass
        try:
            process.wait(READY_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(READY_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            self._listener.join(1.0)
            process.stdout.close()

    def _start(self) -> None:
        root = str(Path(__file__).parents[2])
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        words = [sys.executable, "-m", "edge.gate.hand", self._spec]
        # A session of its own: Ctrl-C in a terminal must not reach it before the daemon has let go.
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True)
        self.trouble, self._closing, ready = "", False, threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(self._process, ready), name="relay", daemon=True)
        self._listener.start()
        if not ready.wait(READY_S) or self.trouble:
            trouble = self.trouble or f"the relay did not answer within {READY_S:g} s"
            self.close()
            self.trouble = trouble
            raise GateError(trouble)

    def _listen(self, process: subprocess.Popen[bytes], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            word = line.decode("utf-8", "replace").strip()
            if word.startswith("failed: "):
                self.trouble = word.removeprefix("failed: ")
            log.log(logging.ERROR if self.trouble else logging.DEBUG, "relay: %s", word)
            ready.set()
        if process is self._process and not self._closing:
            self.trouble = self.trouble or "the relay's process has ended"
        ready.set()
