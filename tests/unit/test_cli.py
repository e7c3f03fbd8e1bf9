"""The command line."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from edge import cli
from edge.reference import table


def test_a_users_mistake_is_one_sentence_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, exit 1."""
    assert cli.main(["run", "--config", str(tmp_path / "none.toml")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("platewatch: ")
    assert "none.toml: cannot be read" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["fly"], ["config"], ["run", "--colour"], ["demo", "--for", "soon"]])
def test_wrong_usage_is_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage: platewatch" in capsys.readouterr().err


def test_ctrl_c_is_exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("edge.wiring.run", interrupted)
    assert cli.main(["run"]) == 130


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only PlatewatchError is the user's to mend; a bug is shown as one."""

    def buggy(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("edge.wiring.run", buggy)
    with pytest.raises(ZeroDivisionError):
        cli.main(["run"])


def test_config_is_checked_shown_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example passes the check; the table is that of edge.config; a bad file is exit 1."""
    assert cli.main(["config", "--example"]) == 0
    path = tmp_path / "watch.toml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert cli.main(["config", "--check", str(path)]) == 0
    assert cli.main(["config", "--table"]) == 0
    assert capsys.readouterr().out == f"{path}: good\n{table()}"
    path.write_text("[camra]\n", encoding="utf-8")
    assert cli.main(["config", "--check", str(path)]) == 1


def test_a_demo_that_cannot_start_says_how_it_could(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken, a port that does not exist, a clip that is not there: before anything is started."""
    clip = tmp_path / "clip.mp4"
    clip.touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["demo", "--clip", str(clip), "--port", str(port)]) == 1
    assert cli.main(["demo", "--clip", str(clip), "--port", "70000"]) == 1
    assert cli.main(["demo", "--clip", str(tmp_path / "none.mp4")]) == 1
    said = capsys.readouterr().err.splitlines()
    parts = [f"port {port} cannot be used", "no port 70000", "none.mp4: no such clip"]
    assert [part for part, line in zip(parts, said, strict=True) if part not in line] == []
    assert all("--port" in line or "--clip" in line for line in said)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`platewatch COMMAND --help` is exit 0, and its module keeps the two functions."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: platewatch {command}" in capsys.readouterr().out
    assert callable(import_module(cli.COMMANDS[command][0]).run)


def test_a_pipe_that_had_enough_is_no_traceback() -> None:
    """`platewatch config --table | head -1`."""
    shell = f"{sys.executable} -m edge config --table | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, cwd=Path(cli.__file__).parent.parent)
    assert done.stdout == "|"
    assert "Traceback" not in done.stderr
