"""The systemd units: valid to systemd itself, and hardened."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from deploy.cli import main

SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")


@pytest.fixture
def units(tmp_path):
    program = tmp_path / "root/.venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    config = "/etc/platewatch/platewatch.toml"
    assert main(["units", "--out", str(tmp_path / "units"), "--root", str(tmp_path / "root"), "--config", config, "--user", "daemon"]) == 0
    return sorted((tmp_path / "units").iterdir())


def test_there_is_one_for_the_daemon_and_one_for_the_page(units):
    assert [path.name for path in units] == ["platewatch-web.service", "platewatch.service"]
    # $MAINPID is systemd's own; every other one would be a key that nobody filled in.
    assert not any("$" in path.read_text().replace("$MAINPID", "") for path in units)
    assert "ExecReload=/bin/kill -HUP $MAINPID" in units[1].read_text()


def test_the_page_may_write_the_folder_of_the_config_and_the_daemon_may_not(units, tmp_path):
    """A folder that others share is never opened; then the settings are read there, and no more."""
    page, daemon = (path.read_text() for path in units)
    assert "\nReadWritePaths=-/etc/platewatch\n" in page
    assert "ReadWritePaths" not in daemon
    assert "\nSuccessExitStatus=75\n" in daemon
    for config in ("/etc/platewatch.toml", "/boot/firmware/platewatch.toml"):
        assert main(["units", "--out", str(tmp_path / "other"), "--config", config]) == 0
        assert "ReadWritePaths" not in (tmp_path / "other/platewatch-web.service").read_text()


def test_a_helper_that_memory_runs_out_for_does_not_take_the_daemon_along_and_its_threads_may_give_way(units):
    page, daemon = (path.read_text() for path in units)
    assert "\nOOMPolicy=continue\n" in daemon
    assert daemon.index("SystemCallFilter=~@privileged @resources\n") < daemon.index("\nSystemCallFilter=setpriority\n")
    weights = [int(re.search(r"^CPUWeight=(\d+)$", text, re.MULTILINE)[1]) for text in (daemon, page)]
    assert weights[0] >= 10 * weights[1]


@SYSTEMD
def test_systemd_has_nothing_to_say_about_them(units):
    """`verify` returns 0 on unknown keys: its silence is what counts."""
    for path in units:
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if path.name in line] == []


@SYSTEMD
def test_they_are_hardened_with_the_camera_included(units):
    for path in units:
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)], capture_output=True, text=True, check=False)
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        if exposure is None:
            pytest.skip("this systemd cannot analyse a file offline")
        assert float(exposure.group(1)) <= 2.5


@pytest.mark.parametrize("words", [["--root", "relative"], ["--config", "/etc/plate watch.toml"], ["--user", "Plate Watch"]])
def test_what_cannot_stand_in_a_unit_is_one_sentence(tmp_path, capsys, words):
    assert main(["units", "--out", str(tmp_path), *words]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
