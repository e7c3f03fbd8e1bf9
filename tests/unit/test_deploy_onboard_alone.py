"""The updater stands alone: one file, run by a bare Python, before anything of ours is installed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.onboard.cli import main
from deploy.release import pyz
from tests.onboard import Device

ROOT = Path(__file__).parents[2]
ONBOARD = sorted((ROOT / "deploy/onboard").glob("*.py"))


def imported(path):
    """(where, what) of every import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from ((path.name, name) for name in names)


def test_it_imports_the_standard_library_and_itself():
    found = [pair for path in ONBOARD for pair in imported(path)]
    assert len(found) > 100
    assert [(file, name) for file, name in found if not name.startswith("deploy.onboard") and name.split(".")[0] not in sys.stdlib_module_names] == []


def test_it_imports_itself_at_once():
    """The file that it comes from is replaced while it runs."""
    inside = [
        (path.name, child.lineno)
        for path in ONBOARD
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for child in ast.walk(node)
        if isinstance(child, ast.ImportFrom) and (child.module or "").startswith("deploy.")
    ]
    assert inside == []


def test_as_one_file_it_runs_under_a_bare_python(tmp_path):
    made = pyz.build(tmp_path / "onboard.pyz")
    device = Device.bare(tmp_path / "device")
    for words, said in ((["--help"], "firstboot"), (["--root", str(device.root), "status"], "nothing is installed")):
        done = subprocess.run([sys.executable, "-I", "-S", made, *words], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout


def test_every_command_is_in_its_readme():
    text = (ROOT / "deploy/onboard/README.md").read_text(encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "deploy.onboard", "--help"], capture_output=True, text=True, cwd=ROOT, check=True)
    commands = re.findall(r"^    ([a-z]+)(?:$|  )", done.stdout, re.M)
    assert {"update", "restore", "firstboot"} <= set(commands)
    assert [command for command in commands if command not in text] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rollback"], "there is no release of before to go back to"),
        (["backup", "mine.tar"], "is not there, so there is nothing to back up"),
        (["restore", "mine.tar"], "no release of Platewatch runs here yet"),
        (["update", "nowhere.tar"], "there is no such file or folder"),
        (["install", "nowhere.tar"], "name the file of trusted keys with --trusted"),
        (["firstboot", "/nowhere/platewatch"], "there is no such folder; name that of the kit"),
    ],
)
def test_a_newcomers_mistakes_are_one_sentence(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(words, Device.bare(tmp_path / "device").site()) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("platewatch-deploy: ")
    assert said in lines[0]


def test_without_root_nothing_is_begun(monkeypatch, capsys):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main(["update", "usb"]) == 1
    assert capsys.readouterr().err == "platewatch-deploy: update changes the system; run it with sudo\n"
