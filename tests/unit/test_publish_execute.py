"""A local command for each event."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from edge.publish.base import Refused, Stumbled, Unreachable
from edge.publish.execute import Command
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told
from tests.builders import an_event

TOLD = Told(an_event("1").as_json(), Site())


def command(*words: str, **changes: Any) -> Command:
    return Command(TargetConfig(name="a", kind="exec", command=words, **({"timeout_s": 5.0} | changes)))


def sh(script: str, **changes: Any) -> Command:
    return command("/bin/sh", "-c", script, **changes)


def test_the_event_is_on_its_stdin(tmp_path: Path) -> None:
    """Whole, as JSON."""
    sh(f"cat > {tmp_path}/got").send(TOLD)
    assert json.loads((tmp_path / "got").read_text()) == an_event("1").as_json() | {"stage": "final"}


def test_no_shell_is_between(tmp_path: Path) -> None:
    """What looks like a shell's is a word like any other."""
    command(sys.executable, "-c", "import sys; open(sys.argv[1], 'w').write(sys.argv[2])", str(tmp_path / "got"), "$(id); `id` && id").send(TOLD)
    assert (tmp_path / "got").read_text() == "$(id); `id` && id"


def test_it_does_not_see_the_daemon_s_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment only what programs need."""
    monkeypatch.setenv("MQTT_PASSWORD", "s3cret")
    sh(f"env > {tmp_path}/got").send(TOLD)
    assert "s3cret" not in (tmp_path / "got").read_text()
    assert "PATH=" in (tmp_path / "got").read_text()


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("exit 0", None, ""),
        ("exec 0<&-; exit 0", None, ""),
        ("exit 3", Refused, "the command ended with exit status 3"),
        ("exit 75", Unreachable, "asks to be tried again"),
        ("kill -9 $$", Stumbled, "ended by signal 9"),
    ],
)
def test_how_it_ends_says_whether_it_has_the_event(script: str, error: type[Exception] | None, words: str) -> None:
    """A command that does not read its stdin is as good as another."""
    if error is None:
        sh(script).send(TOLD)
    else:
        with pytest.raises(error, match=words):
            sh(script).send(TOLD)


def test_a_command_that_does_not_exist_is_said_plainly() -> None:
    with pytest.raises(Unreachable, match=r"cannot be started \(No such file or directory\)"):
        command("/nowhere/program").send(TOLD)


def test_too_long_is_killed_with_all_its_children(tmp_path: Path) -> None:
    """Also a child in the background that holds on to nothing of ours."""
    with pytest.raises(Stumbled, match=r"did not end within 0\.3 s"):
        sh(f"sleep 60 & echo $! > {tmp_path}/pid; sleep 60", timeout_s=0.3).send(TOLD)
    child = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 5
    while os.path.exists(f"/proc/{child}") and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_loud_command_does_not_fill_the_memory() -> None:
    """What it prints is thrown away, and it is not held up by it."""
    sh("head -c 50000000 /dev/zero; head -c 5000000 /dev/zero >&2").send(TOLD)


def test_closing_ends_a_wait() -> None:
    """The daemon stops while the command sleeps."""
    target, ended = sh("sleep 60", timeout_s=60.0), list[Exception]()

    def send() -> None:
        try:
            target.send(TOLD)
        except Unreachable as error:
            ended.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    while target._running is None:
        time.sleep(0.01)
    target.close()
    thread.join(3.0)
    assert not thread.is_alive()
    assert len(ended) == 1
