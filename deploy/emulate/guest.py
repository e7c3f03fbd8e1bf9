"""One run of an emulated device: from power on to the plug being pulled."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.card.boot import FatPartition
from deploy.emulate import machine, program, serial
from deploy.emulate.errors import EmulateError
from deploy.emulate.machine import Board, Ports
from deploy.emulate.page import Page
from deploy.emulate.stand_in import FAT_START, StandIn

Say = Callable[[str], None]
EVERY_S, BY_SSH_S = 1.0, 6.0
"""Between two looks; a log-in costs the emulated processor seconds."""
POWERED_DOWN = "reboot: Power down"
SSH_OPTIONS = {"BatchMode": "yes", "StrictHostKeyChecking": "no", "LogLevel": "ERROR", "ConnectTimeout": "30", "IdentitiesOnly": "yes"}
"""Each card is another device with another host key, at an address of this computer itself."""


def free_ports() -> Ports:
    """Two that nobody listens on now."""
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        return Ports(one.getsockname()[1], two.getsockname()[1])


def card_file(card: Path, name: str) -> bytes:
    """A file of the boot partition while nothing runs from the card; b'' where it is not there."""
    return FatPartition(card, FAT_START).read(name) or b""


@dataclass(slots=True)
class Guest:
    """Power is on from the moment that this is made."""

    board: Board
    card: Path
    parts: StandIn
    key: Path
    """The owner's, for logging in."""
    log: Path
    """Where the serial line's words go."""
    say: Say
    watchdog: bool = False
    ports: Ports = field(default_factory=free_ports)
    page: Page = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self.page = Page(f"http://127.0.0.1:{self.ports.page}")
        self._started = time.monotonic()
        self._start()

    def _start(self) -> None:
        """With the kernel's line as the card holds it now."""
        line = machine.command_line(card_file(self.card, "cmdline.txt").decode(), self.board, watchdog=self.watchdog)
        words = machine.command(self.board, self.card, self.parts, line, self.ports, self.log)
        try:
            with self.log.with_suffix(".qemu").open("ab") as out:
                known = program.environment()
                self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=known, start_new_session=True)
        except FileNotFoundError:
            raise EmulateError("the program qemu-system-aarch64 is not on this computer; install qemu-system-arm") from None

    @property
    def age_s(self) -> float:
        """Since power on."""
        return time.monotonic() - self._started

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def goes_on(self) -> bool:
        """Whether it runs. A guest that started anew ended QEMU, and goes on here: the firmware would read cmdline.txt again."""
        if self.runs:
            return True
        if self._process.returncode or POWERED_DOWN in self.words()[-2000:]:
            return False
        self._start()
        return True

    def words(self) -> str:
        """Of the serial line so far."""
        with contextlib.suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace")
        return ""

    def cut(self) -> None:
        """The plug: nothing in the guest hears of it."""
        if self.runs:
            self._process.kill()
        self._process.wait()

    def off(self, patience_s: float = 120.0) -> None:
        """As an owner should; pulls the plug where it does not come to its end."""
        with contextlib.suppress(EmulateError):
            self.ssh("sudo systemctl poweroff", check=False, timeout_s=30)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        self.cut()

    def until(self, what: str, found: Callable[[], object], limit_s: float, every_s: float = EVERY_S) -> float:
        """Waits until `found` is true, with a word of the serial line now and then; seconds since power on. Raises EmulateError."""
        begun, told = time.monotonic(), ""
        while not found():
            text = self.words()
            if not self.goes_on():
                raise EmulateError(f"QEMU ended while waiting for {what}: {self._last_words()}")
            if bad := serial.trouble(text):
                raise EmulateError(f"the guest came to a stop while waiting for {what}: {bad}")
            if time.monotonic() - begun > limit_s:
                raise EmulateError(f"{what} did not come within {limit_s:.0f} s; the last line of {self.log.name}: {serial.last(text)}")
            if (now := serial.last(text)) != told:
                told = now
                self.say(f"{self.age_s:4.0f} s, waiting for {what}: {told[:90]}")
            time.sleep(every_s)
        return self.age_s

    def ssh(self, script: str, *, check: bool = True, timeout_s: float = 600.0, feed: Path | None = None) -> str:
        """Run by the owner there; what it printed. Raises EmulateError where it fails and `check` is set."""
        words = ["ssh", "-F", "none", "-T", "-i", str(self.key), "-p", str(self.ports.ssh)]
        words += [word for key, value in SSH_OPTIONS.items() for word in ("-o", f"{key}={value}")]
        words += ["-o", f"UserKnownHostsFile={self.log.parent / 'known_hosts'}", "owner@127.0.0.1", script]
        try:
            with contextlib.ExitStack() as stack:
                stdin = stack.enter_context(feed.open("rb")) if feed else subprocess.DEVNULL
                done = subprocess.run(words, stdin=stdin, capture_output=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            raise EmulateError(f"no answer within {timeout_s:.0f} s to: {script[:80]}") from None
        said = done.stdout.decode(errors="replace")
        if done.returncode and check:
            lines = (done.stderr.decode(errors="replace") + said).strip().splitlines()
            raise EmulateError(f"{script[:80]}: {lines[-1][:300] if lines else f'exit code {done.returncode}'}")
        return said

    def _last_words(self) -> str:
        said = self.log.with_suffix(".qemu").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return said[-1][:300] if said else f"exit code {self._process.returncode}"
