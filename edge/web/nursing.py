"""What the page does for the device's health: doctor, restart, support bundle, targets. For the room and for the API alike."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from flask import abort, current_app

from edge.desk.physician import NAME, Physician
from edge.errands import Answer
from edge.errors import PlatewatchError
from edge.web.api.given import files
from edge.web.errands import Errands
from edge.web.examination import examination

DOCTOR_S, TARGET_S = 150.0, 60.0
FRESH_S = 600.0
"""So old what the doctor said may be to be put into a support bundle."""
LOOK_EVERY_S = 0.5
_bundling = threading.Lock()


class Busy(PlatewatchError):
    """Somebody is at it already."""


def directory() -> Path:
    return Path(files().config.runtime.directory)


def config_file() -> Path:
    """503 where the page was started without one."""
    path = current_app.extensions.get("config_file")
    if path is None:
        abort(503, "The page was started without a config file, so that this cannot be done here.")
    return Path(path)


def call_doctor(who: str) -> Answer:
    """At the daemon, which sees camera and firmware; where none runs, here, where he is needed most."""
    if files().is_alive(files().status()):
        return Errands(directory()).ask("doctor", who=who)
    path = config_file()
    physician = current_app.extensions.setdefault("physician", Physician(directory()))
    assert isinstance(physician, Physician)
    directory().mkdir(parents=True, exist_ok=True)
    answer = physician.call(path)
    return Answer(answer.ok, f"{answer.sentence}, at the page, which may not see camera and firmware, since the daemon does not run") if answer.ok else answer


def restart(who: str) -> Answer:
    """The daemon alone; the page stays."""
    return Errands(directory()).ask("restart", who=who)


def support(who: str) -> bytes:
    """The zip. One at a time; needs up to a minute or two, most of it the doctor's. Raises PlatewatchError."""
    from edge import support

    path = config_file()
    if not _bundling.acquire(blocking=False):
        raise Busy("a support bundle is being made already; it is with you in a minute")
    try:
        return support.bundle(path, examined=examined(who))
    finally:
        _bundling.release()


def examined(who: str) -> str | None:
    """What the doctor says, newly called where the last time is long ago; None where the bundle has to call one itself."""
    found = examination(directory())
    if not (found["state"] == "done" and _age_s() < FRESH_S):
        if found["state"] != "running" and not call_doctor(who).ok:
            return None
        end = time.monotonic() + DOCTOR_S
        while (found := examination(directory()))["state"] == "running" and time.monotonic() < end:
            time.sleep(LOOK_EVERY_S)
    try:
        return (directory() / NAME).read_text(encoding="utf-8", errors="replace") if found["state"] == "done" else None
    except OSError:
        return None


def _age_s() -> float:
    try:
        return abs(time.time() - (directory() / NAME).stat().st_mtime)
    except OSError:
        return FRESH_S


def try_target(name: str) -> Answer:
    """One event that is marked as a test, past the outbox."""
    return _targets("--test", name)


def retry_target(name: str) -> Answer:
    """What it refused waits once more."""
    return _targets("--retry", name)


def _targets(word: str, name: str) -> Answer:
    """`platewatch targets`, in a process of its own: brokers and certificates are none of the page's."""
    if not name.isprintable():
        return Answer(False, "there is no target of such a name")
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])), "NO_COLOR": "1", "COLUMNS": "1000"}
    words = [sys.executable, "-m", "edge", "targets", "--config", str(config_file()), f"{word}={name}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=TARGET_S, check=False, env=environment, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Answer(False, f"{name}: no answer within {TARGET_S:.0f} s")
    except OSError as error:
        return Answer(False, f"this could not be started ({error.strerror})")
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    said = lines[-1] if lines else f"ended with code {done.returncode} and without a word"
    return Answer(done.returncode == 0, said.removeprefix("platewatch: ").removeprefix("error: ")[:400])
