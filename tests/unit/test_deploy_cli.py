"""`python -m deploy` itself: stopped at any moment, read by a pipe that ends, and an address that is none."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.cli import main

ROOT = Path(__file__).parents[2]


def test_ctrl_c_is_one_sentence_even_while_the_commands_are_loaded(monkeypatch, capsys):
    def stopped(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", stopped)
    assert main(["disks"]) == 130
    assert capsys.readouterr().err == "deploy: deploy was stopped\n"


def test_a_reader_that_has_enough_is_no_traceback():
    """As in `python -m deploy device --table | head -1`, with more than a pipe holds."""
    words = "import sys, deploy.cli, deploy.commands.disks as it; it.run = lambda options: print('x' * 200_000) or 0; sys.exit(deploy.cli.main(['disks']))"
    with subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10) == b"x" * 10
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("address", ["http://", "https:///x.tar", "http://host", "https://[::1/x.tar", "https://host/a b.tar"])
def test_an_address_that_is_none_is_one_sentence_before_any_device_is_asked(capsys, address):
    assert main(["update", "a@b", "--release", address]) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith(f"deploy: --release {address}: is no address of an archive")
