"""The user's own `ssh` program. Host keys are respected, nothing asks: what would, fails with a sentence."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.fleet.errors import ConnectionLost, DeviceError, FleetError
from deploy.fleet.inventory import Device
from edge.errors import plain

CONNECT_S = 15
SAYINGS: tuple[tuple[str, str], ...] = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one of before; if its card was written anew, forget the old key with `ssh-keygen -R {host}` and run `ssh {address}` once",
    ),
    ("Host key verification failed", "its host key is not known here; run `ssh {address}` once and say yes if the fingerprint is the device's"),
    ("Could not resolve hostname", "there is no {host} on this network; is the device on, and the name right?"),
    ("Connection refused", "it is there but takes no SSH connections; enable SSH on it"),
    ("Connection timed out|No route to host|Network is unreachable|Host is down", "it cannot be reached; is it on, and in this network?"),
    ("kex_exchange_identification|banner exchange", "the connection ended before it said a word; is it on, has it started, and does what leads to it work?"),
    ("Permission denied|Too many authentication failures", "it refuses the login; put your key there with `ssh-copy-id {address}`"),
    ("no such identity|Load key|UNPROTECTED PRIVATE KEY", "the key file for it cannot be used ({last})"),
)
"""What ssh says on stderr -> what that means; the first that fits."""
LOST = re.compile("Connection (?:to .* )?(?:closed|reset)|Broken pipe|Timeout, server|client_loop|lost connection")
LOST_WORDS = "the connection was lost; run the same command again, it goes on where it stopped"


@dataclass(frozen=True, slots=True)
class Done:
    """A command's end on the device: its exit code and what it said, stderr among the lines."""

    code: int
    lines: tuple[str, ...]

    @property
    def last(self) -> str:
        return next((line.strip() for line in reversed(self.lines) if line.strip()), "")


class Ssh:
    """Runs commands on one device. `stop` ends whatever runs, from another thread."""

    def __init__(self, device: Device, config: Path | None = None) -> None:
        if shutil.which("ssh") is None:
            raise FleetError("there is no ssh program on this machine; install openssh-client")
        self.device = device
        self._words = ["ssh", "-T", *self._options(device, config), "--", device.address]
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()

    @staticmethod
    def _options(device: Device, config: Path | None) -> list[str]:
        told = {
            "BatchMode": "yes",
            "ConnectTimeout": CONNECT_S,
            "ServerAliveInterval": 15,
            "ServerAliveCountMax": 4,
            "ForwardAgent": "no",
            "ClearAllForwardings": "yes",
        }
        words = [word for key, value in told.items() for word in ("-o", f"{key}={value}")]
        words += ["-p", str(device.port)] if device.port else []
        words += ["-i", str(Path(device.identity).expanduser())] if device.identity else []
        return words + (["-F", str(config)] if config else [])

    def stop(self) -> None:
        self._stopped.set()
        if (running := self._running) is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(running.pid, signal.SIGTERM)  # with what ssh started itself, a ProxyCommand for one

    def run(self, script: str, *, feed: Callable[[IO[bytes]], None] | None = None, hear: Callable[[str], None] = lambda line: None) -> Done:
        """Run a POSIX shell script there; `feed` writes its stdin, `hear` gets each line as it comes. DeviceError when ssh itself fails."""
        if self._stopped.is_set():
            raise ConnectionLost("it was stopped")
        with tempfile.TemporaryFile() as complaints:
            words = [*self._words, f"exec sh -c {shlex.quote(script)}"]
            stdin = subprocess.PIPE if feed else subprocess.DEVNULL
            with subprocess.Popen(words, stdin=stdin, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True) as process:
                self._running = process
                if self._stopped.is_set():  # a moment ago, when there was nothing to end yet
                    self.stop()
                writer = threading.Thread(target=_fed, args=(feed, process.stdin), daemon=True) if feed and process.stdin else None
                if writer:
                    writer.start()
                lines = list(self._heard(process, hear))
                code = process.wait()
                if writer:
                    writer.join()
                self._running = None
            complaints.seek(0)
            said = [plain(line) for line in complaints.read(100_000).decode(errors="replace").splitlines()]
        if self._stopped.is_set():
            raise ConnectionLost("it was stopped")
        if code < 0:
            raise ConnectionLost(LOST_WORDS)  # somebody has ended the ssh program here; the device has not said how its own ended
        if code == 255:
            raise self._meaning(said)
        return Done(code, (*lines, *said))

    def _heard(self, process: subprocess.Popen[bytes], hear: Callable[[str], None]) -> Iterator[str]:
        assert process.stdout is not None
        for raw in process.stdout:
            line = plain(raw.decode(errors="replace").rstrip("\r\n"), 2000)
            hear(line)
            yield line

    def _meaning(self, said: Sequence[str]) -> DeviceError:
        """ssh's own 255: a sentence for what it complained of."""
        text, last = "\n".join(said), next((line for line in reversed(said) if line.strip()), "ssh ended without a word")
        host = self.device.address.rpartition("@")[2]
        for pattern, sentence in SAYINGS:
            if re.search(pattern, text):
                return DeviceError(sentence.format(host=host, address=self.device.address, last=last))
        if LOST.search(text) or not said:
            return ConnectionLost(LOST_WORDS)
        return DeviceError(f"ssh says: {last}")


def _fed(feed: Callable[[IO[bytes]], None], stdin: IO[bytes]) -> None:
    """A command that reads no further is no error of the writer."""
    with contextlib.suppress(BrokenPipeError, ValueError), stdin:
        feed(stdin)
