"""The real daemon on the bundled clip of drawn plates, and the real page, each a process of its own, on a folder of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from edge import status
from edge.store import Store
from tests.pages import CLIP, HASHED, PASSWORD, YARD

ROOT = Path(__file__).parents[2]
OWNER = PASSWORD
MORE = """password_hash = "{hashed}"
[lists]
allow = ["family.csv"]
[gate]
enabled = true
dry_run = true
command = ["/bin/true"]
audit = "gate.sqlite"
"""


def ended(process: subprocess.Popen[bytes], within_s: float = 120.0) -> bool:
    """Whether it ended by itself; it has ended afterwards."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


class Yard:
    """`address` is the page's. The password of `admin` is OWNER.

    `supervised`: as under systemd. Whenever the daemon ends it is started again, `ends` says with which codes, `notified` what it said to the service manager.
    """

    def __init__(self, folder: Path, *, supervised: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        self.folder, self.config, self.address = folder, folder / "platewatch.toml", f"http://127.0.0.1:{port}"
        (folder / "family.csv").write_text("plate,name\nB AB 1234,Anna\n")
        self.config.write_text(YARD.format(clip=CLIP, port=port) + MORE.format(hashed=HASHED))
        self._log = (folder / "log").open("wb")
        self._port, self._supervised, self.ends = port, supervised, list[int]()
        self._closing, self._one = False, threading.Lock()
        self._keeper, self._ear = threading.Thread(target=self._keep), threading.Thread(target=self._hear)
        self.notified = list[str]()
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if supervised:
            self._notices.bind(str(folder / "notify"))
            self._ear.start()
        self.page = self.daemon = self._start("web")

    def __enter__(self) -> Self:
        try:
            self.start_daemon()
            self.until(self._is_open)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._one:
            self._closing = True
        for process in (self.daemon, self.page):
            process.terminate()
        hung = [process for process in (self.daemon, self.page) if not ended(process)]
        if self._supervised:
            if self._keeper.is_alive():
                self._keeper.join()
            self._notices.shutdown(socket.SHUT_RD)  # wakes the ear
            self._ear.join()
        self._notices.close()
        self._log.close()
        assert not hung, [process.args for process in hung]

    def _is_open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def start_daemon(self) -> None:
        self.daemon = self._start("run")
        if self._supervised:
            self._keeper.start()
        self.until(self.is_watching)

    def is_watching(self) -> bool:
        """The daemon that was started last."""
        return bool(self.told().get("state") == "watching" and self.told().get("pid") == self.daemon.pid)

    def _keep(self) -> None:
        """As Restart=always does."""
        while True:
            code = self.daemon.wait()
            with self._one:
                if self._closing:
                    return
                self.ends.append(code)
                self.daemon = self._start("run")

    def kill_daemon(self) -> None:
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait(10)

    def told(self) -> dict[str, Any]:
        return status.read(self.folder / "run") or {}

    def events(self) -> list[Any]:
        with Store(self.folder / "events.sqlite", read_only=True) as store:
            return store.events(100)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, true: Callable[[], Any], seconds: float = 240.0) -> Any:
        end = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > end:
                raise AssertionError(self.log()[-3000:])
            time.sleep(0.1)
        return found

    def _hear(self) -> None:
        while words := self._notices.recv(4096):
            self.notified.append(words.decode())

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "INVOCATION_ID")}
        if self._supervised and words == ("run",):
            environment["NOTIFY_SOCKET"] = str(self.folder / "notify")
        command = [sys.executable, "-m", "edge", *words, "--config", str(self.config)]
        return subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log, env=environment)
