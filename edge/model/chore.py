"""Long work of the page in a process of its own, one at a time: it tells in a file how far it is, can be cancelled, and takes no memory afterwards.

The file holds {"v": 1, "state": "running" | "done" | "failed" | "cancelled", "pid", "sentence"} and what the work says besides.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.errors import ConfigError


class Chore:
    """The page's hand on `python -m MODULE ORDER`, whose file is `out`. `name` is what a sentence calls it. Safe to use from many threads."""

    def __init__(self, out: Path, module: str, name: str) -> None:
        self._out, self._module, self._name = out, module, name
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def begin(self, order: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """`told` is what the file says until the process speaks. Raises ConfigError where one is under way or none can be started."""
        with self._lock:
            if self.state().get("state") == "running":
                raise ConfigError(f"{self._name} is under way already; wait for it or cancel it")
            root = str(Path(__file__).parents[2])
            environment = {name: value for name, value in os.environ.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
            words = ["nice", "-n", "15", sys.executable, "-m", self._module, json.dumps({**order, "out": str(self._out)})]
            try:
                self._out.parent.mkdir(parents=True, exist_ok=True)
                write(self._out, {"state": "running", "pid": 0, **told})
                self._process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
                )
                # Its last word comes a moment before its end, which on a busy machine is seconds: somebody has to wait for that.
                threading.Thread(target=self._process.wait, name="chore", daemon=True).start()
            except OSError as error:
                raise ConfigError(f"{self._name} could not be started ({error.strerror}); see runtime.directory, {self._out.parent}") from None

    def state(self) -> dict[str, Any]:
        """What the file holds; {} where there never was one. One whose process has died is told as failed."""
        told, process = self._told(), self._process
        if process is not None and told.get("state") != "running":
            with contextlib.suppress(subprocess.TimeoutExpired):  # it has said its last word
                process.wait(2.0)
        alive = process is not None and process.poll() is None
        if told.get("state") == "running" and not alive and not self._is_ours(int(told.get("pid") or 0)):
            last = self._told()
            return last if last.get("state") != "running" else last | {"state": "failed", "sentence": f"{self._name} was broken off"}
        return told

    def cancel(self) -> None:
        """Whatever it had found is thrown away."""
        told, process = self.state(), self._process
        if told.get("state") != "running":
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid if process is not None and process.poll() is None else int(told["pid"]), signal.SIGTERM)
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5.0)
        write(self._out, told | {"state": "cancelled", "sentence": "cancelled"})

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self._out.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    def _is_ours(self, pid: int) -> bool:
        """Of one that another process of the page has started."""
        try:
            return pid > 0 and self._module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False


def write(out: Path, told: Mapping[str, Any]) -> None:
    """Readers see all of it or what was there before; no other user sees it."""
    fresh = out.with_name(f".{out.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"v": 1, **told}, file, ensure_ascii=False)
    os.replace(fresh, out)
