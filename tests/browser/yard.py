"""The real daemon on the bundled clip of drawn plates, and the real page, each a process of its own, on a folder of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from edge import status
from edge.store import Store
from edge.web.auth import hash_password

ROOT = Path(__file__).parents[2]
OWNER = "a gate that stays shut"
CONFIG = """# The yard of the tests.
[camera]
name = "yard"
kind = "files"
source = "{clip}"
loop = true
[tracking]
repeat_after_s = 4.0
[store]
path = "events.sqlite"
keep_at_least_mb_free = 0
[lists]
allow = ["family.csv"]
[gate]
enabled = true
dry_run = true
command = ["/bin/true"]
audit = "gate.sqlite"
[web]
port = {port}
password_hash = "{hashed}"
access = "access.json"
[runtime]
directory = "run"
"""


class Yard:
    """`address` is the page's. The password of `admin` is OWNER."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        self.folder, self.config, self.address = folder, folder / "platewatch.toml", f"http://127.0.0.1:{port}"
        (folder / "family.csv").write_text("plate,name\nB AB 1234,Anna\n")
        self.config.write_text(CONFIG.format(clip=ROOT / "edge/clips/demo.mp4", port=port, hashed=hash_password(OWNER)))
        self._log = (folder / "log").open("wb")
        self._port = port
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
        for process in (self.daemon, self.page):
            process.terminate()
        for process in (self.daemon, self.page):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        self._log.close()

    def _is_open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def start_daemon(self) -> None:
        self.daemon = self._start("run")
        self.until(lambda: self.told().get("state") == "watching" and self.told().get("pid") == self.daemon.pid)

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

    def until(self, true: Callable[[], Any], seconds: float = 90.0) -> Any:
        end = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > end:
                raise AssertionError(self.log()[-3000:])
            time.sleep(0.1)
        return found

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "INVOCATION_ID")}
        command = [sys.executable, "-m", "edge", *words, "--config", str(self.config)]
        return subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log, env=environment)
