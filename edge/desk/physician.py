"""`platewatch doctor` at the daemon's side: the page's own sandbox sees neither camera nor firmware, and would tell of troubles that are its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from edge.errands import Answer

NAME = "doctor.jsonl"
"""In the runtime folder: the lines of `doctor --json` as they come, and {"done": true, "code"} at the end."""
PATIENCE_S = 300.0


class Physician:
    """One examination at a time, in a process of its own that gives way to the daemon."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def call(self, config_file: Path | None) -> Answer:
        """Begin one, unless one is under way."""
        more = {"file": NAME}
        if self._thread is not None and self._thread.is_alive():
            return Answer(True, "the doctor is at work already", more)
        words = [sys.executable, "-m", "edge", "doctor", "--json", *(["--config", str(config_file)] if config_file else [])]
        root = str(Path(__file__).parents[2])
        environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        except OSError as error:
            return Answer(False, f"{self._path}: cannot be written ({error.strerror})")
        try:
            # Its own words only: what a library murmurs on stderr is no finding.
            self._process = subprocess.Popen(
                ["nice", "-n", "10", *words], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
            )
        except OSError as error:
            os.close(file)
            return Answer(False, f"the doctor could not be started ({error.strerror})")
        self._thread = threading.Thread(target=self._wait, args=(self._process, file), name="doctor", daemon=True)
        self._thread.start()
        return Answer(True, "the doctor is at work", more)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join(2.0)

    def _wait(self, process: subprocess.Popen[bytes], file: int) -> None:
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(OSError):
            os.write(file, b'{"done": true, "code": %d}\n' % process.returncode)
        os.close(file)
