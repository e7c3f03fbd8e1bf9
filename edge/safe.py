"""Safe mode: where the config or something it names cannot be used, the process lives on, says why, and tries again when that may have changed.

A daemon that ends is started again by systemd, fails again, and nobody learns why from the page.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from edge import toml_text
from edge.config import Config, absolute, load, sections
from edge.desk.physician import Physician
from edge.errands import KINDS, Answer, Errand, Errands
from edge.errors import ConfigError, PlatewatchError
from edge.notify import notify
from edge.status import StatusFile, utc_iso, version

if TYPE_CHECKING:
    from edge.daemon import Daemon

SALVAGED = ("camera", "store", "web", "runtime")
"""What the page needs to be found and to show anything."""
TELL_EVERY_S, RETRY_S = 1.0, 60.0
RESTART_CODE = 75
"""EX_TEMPFAIL: also `Restart=on-failure` starts it again; the unit counts it as a good end."""
log = logging.getLogger(__name__)


def salvage(path: Path) -> Config:
    """What can be used of a config that cannot be used: the sections of SALVAGED that are good in themselves, the others at their defaults.

    A page whose own section is bad listens on this machine alone, without a password: the default.
    """
    found: dict[str, Any] = {}
    for name, content in _tables(path).items():
        kind = sections().get(name)
        if name not in SALVAGED or kind is None:
            continue
        try:
            found[name] = kind.model_validate(content)
        except ValidationError:
            called = content.get("name") if isinstance(content, dict) else None
            if name == "camera" and isinstance(called, str) and 0 < len(called) <= 40 and called.isprintable():
                found[name] = kind.model_construct(name=called)
    if "runtime" not in found and (directory := os.environ.get("RUNTIME_DIRECTORY")):  # systemd's, where the page looks too
        found["runtime"] = sections()["runtime"].model_validate({"directory": directory.split(":")[0]})
    return absolute(Config().model_copy(update=found), path.resolve().parent)


def _tables(path: Path) -> dict[str, Any]:
    """The tables of a TOML file that can be read one by one."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for part in re.split(r"(?m)^(?=\s*\[)", text):
        try:
            found |= toml_text.loads(part)
        except tomllib.TOMLDecodeError:
            continue
    return found


class SafeMode:
    """Tells `trouble` in the status file until it is stopped or it is time to try again."""

    def __init__(self, path: Path, trouble: str) -> None:
        self._path, self._trouble = path, trouble
        self._wake, self._stopped = threading.Event(), False
        self._stamp = _stamp(path)
        self._began = utc_iso(datetime.now(UTC))

    def stop(self) -> None:
        """Safe to call from a signal handler, as `again`."""
        self._stopped = True
        self._wake.set()

    def again(self) -> None:
        self._wake.set()

    def wait(self) -> bool:
        """True when it is time to try again: asked, the file has changed, or a minute has passed. False when it was stopped."""
        config = salvage(self._path)
        status = StatusFile(Path(config.runtime.directory))
        errands = self._desk(Path(config.runtime.directory))
        log.error("safe mode: %s", self._trouble)
        notify("READY=1")
        for _ in range(int(RETRY_S / TELL_EVERY_S)):
            self._tell(status, config, "safe mode")
            notify("WATCHDOG=1")
            if self._woken(errands) or _stamp(self._path) != self._stamp:
                break
        if self._stopped:
            self._tell(status, config, "stopped")
        return not self._stopped

    def _woken(self, errands: Errands) -> bool:
        """After a while, or as soon as somebody wants it."""
        for _ in range(4):
            errands.tend()
            if self._wake.wait(TELL_EVERY_S / 4):
                return True
        return False

    def _desk(self, directory: Path) -> Errands:
        """In safe mode a daemon can be told to try again, and be examined."""
        physician = Physician(directory)

        def again(errand: Errand) -> Answer:
            self.again()
            return Answer(True, "the config is tried again")

        refused = dict.fromkeys(KINDS, lambda errand: Answer(False, f"the daemon is in safe mode and has no camera: {self._trouble}"))
        return Errands(directory, refused | {"reload": again, "restart": again, "doctor": lambda errand: physician.call(self._path)})

    def _tell(self, status: StatusFile, config: Config, state: str) -> None:
        told = {
            "v": 1, "version": version(), "pid": os.getpid(), "state": state, "detail": self._trouble, "started_at": self._began,
            "updated_at": utc_iso(datetime.now(UTC)), "camera": {"name": config.camera.name}, "fps": 0.0, "stages_ms": {}, "plates_in_view": [],
            "events": 0, "reasons": {}, "bundles": {},
        }  # fmt: skip
        try:
            status.offer(lambda: told, force=True)
        except OSError as error:
            log.error("the status file cannot be written: %s", error)


def watch(path: Path, build: Callable[[Config], Daemon], *, stay: bool) -> int:
    """Run the daemon of a config until it ends; with `stay` in safe mode for as long as there can be none, else its sentence is raised."""
    from edge.reload import Reload

    stopped = threading.Event()  # also while the models are being loaded for another try

    def listen(stop: Callable[[], None], again: Callable[[], None]) -> None:
        def end(*_: object) -> None:
            stopped.set()
            stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        signal.signal(signal.SIGHUP, lambda *_: again())

    while not stopped.is_set():
        early = threading.Event()  # a SIGHUP while the models are loaded, which would end the process if nobody listened
        listen(lambda: None, early.set)
        try:
            config = load(path)
            daemon = build(config)
        except PlatewatchError as error:
            if not stay:
                raise
            safe = SafeMode(path, str(error))
            listen(safe.stop, safe.again)
            safe.wait()
            continue
        assert daemon.adopting is not None
        daemon.reload = Reload(path, config, daemon.adopting)
        daemon.account.tell("reload", daemon.reload.as_json)
        daemon.desk.reload, daemon.desk.config_file, daemon.desk.stop = daemon.reload, path, daemon.stop
        listen(daemon.stop, daemon.reload.ask)
        if early.is_set():
            daemon.reload.ask()
        if not stopped.is_set():
            code = daemon.run()
            return begin_anew() if daemon.desk.again and not stopped.is_set() else code
    return 0


def begin_anew() -> int:
    """Under systemd the exit code that has it start the daemon again; elsewhere the same command in the same process."""
    if "NOTIFY_SOCKET" in os.environ:
        return RESTART_CODE
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def page_config(path: Path) -> tuple[Config, str]:
    """For the page: the config and '', or what can be saved of it and what is wrong with it."""
    try:
        return load(path), ""
    except ConfigError as error:
        return salvage(path), str(error)


def when_valid(path: Path, act: Callable[[], None], every_s: float = 2.0) -> threading.Thread:
    """Calls `act` from a thread as soon as the config can be used."""

    def look() -> None:
        stamp, pause = _stamp(path), threading.Event()
        while True:
            pause.wait(every_s)
            if (now := _stamp(path)) == stamp:
                continue
            stamp = now
            if not page_config(path)[1]:
                act()
                return

    thread = threading.Thread(target=look, name="config", daemon=True)
    thread.start()
    return thread


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns
