"""The playbooks, run by a real ansible-playbook on a device that is a folder: each only changes what is not as it should be."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleets import SERIAL, a_box, a_release

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "deploy/ansible"
pytestmark = pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="ansible-playbook is not on this machine")


@pytest.fixture
def play(tmp_path):
    """Plays a playbook; (exit code, changed, what it said)."""
    box = a_box(tmp_path / "gate")
    box.program("platewatch", f'cd {ROOT} && exec {sys.executable} -m edge "$@"')
    (box.folder / "etc").mkdir()
    (tmp_path / "trusted.pub").write_text("a key\n")
    inventory = {"platewatch": {"hosts": {"gate": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}}}
    (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
    told = {
        "ansible_become": False,
        "platewatch_trusted": str(tmp_path / "trusted.pub"),
        "platewatch_etc": str(box.folder / "etc"),
        "platewatch_stage": str(tmp_path / "stage"),
        "platewatch_tool": str(box.folder / "bin/platewatch-deploy"),
        "platewatch_program": str(box.folder / "bin/platewatch"),
        "platewatch_owner": getpass.getuser(),
        "platewatch_restart": False,
        "platewatch_country": "gb",
        "platewatch_secrets": {"mqtt": "open sesame"},
    }
    environment = {"HOME": str(box.folder / "home"), "PATH": os.environ["PATH"], "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1", "LC_ALL": "C.UTF-8"}

    def run(name, **more):
        words = ["ansible-playbook", "-i", str(tmp_path / "inventory.yml"), name, "-e", json.dumps(told | more)]
        done = subprocess.run(words, cwd=ANSIBLE, env=environment, capture_output=True, text=True, check=False)
        changed = re.search(r"gate +: ok=\d+ +changed=(\d+)", done.stdout)
        return done.returncode, int(changed[1]) if changed else -1, done.stdout + done.stderr

    run.box, run.stage = box, tmp_path / "stage"
    return run


def test_it_installs_configures_updates_and_goes_back_and_does_nothing_twice(play, tmp_path):
    box, first, second = play.box, a_release(tmp_path), a_release(tmp_path / "newer", serial=SERIAL + 60)
    code, changed, said = play("site.yml", platewatch_archive=str(first.archive.path))
    assert (code, changed > 0) == (0, True), said
    assert box.state["current"] == first.id
    assert "--config" not in box.calls()[0], "its secrets are not there yet"
    config = box.folder / "etc/platewatch.toml"
    assert 'name = "gate"' in config.read_text()
    assert (box.folder / "etc/secrets/mqtt").stat().st_mode & 0o777 == 0o600
    assert "sesame" not in said
    assert not play.stage.exists()
    code, changed, said = play("site.yml", platewatch_archive=str(first.archive.path))
    assert (code, changed) == (0, 0), said
    box.put("busy", "1")
    box.put("goes-back")
    code, _, said = play("site.yml", platewatch_archive=str(second.archive.path))
    assert code != 0
    assert f"went back to {first.id}: no picture came in 60 s" in said
    (box.folder / "goes-back").unlink()
    before = config.read_text()
    code, _, said = play("site.yml", platewatch_archive=str(second.archive.path), platewatch_country="atlantis")
    assert code != 0
    assert "atlantis" in said
    assert (box.state["current"], config.read_text()) == (second.id, before)
    code, _, said = play("rollback.yml")
    assert (code, box.state["current"]) == (0, first.id), said


def test_a_first_installation_is_tried_with_the_configuration_that_it_shall_have(play, tmp_path):
    code, _, said = play("site.yml", platewatch_archive=str(a_release(tmp_path).archive.path), platewatch_secrets={})
    assert code == 0, said
    assert play.box.calls()[0][-2:] == ["--config", f"{play.stage}/platewatch.toml"]


def test_what_the_playbooks_say_is_valid_to_ansible_itself():
    words = ["ansible-playbook", "--syntax-check", "-i", "inventory.example.yml", "site.yml", "rollback.yml"]
    done = subprocess.run(words, cwd=ANSIBLE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
