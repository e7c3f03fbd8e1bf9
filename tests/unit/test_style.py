"""The house's own rules, held by the tools that know them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words):
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("ruff", path=str(Path(sys.executable).parent)) is None, reason="ruff is not installed")
def test_ruff_has_nothing_to_say():
    assert run("ruff", "check", "--quiet", ".") == (0, "")


def test_edge_and_convert_are_typed_throughout():
    pytest.importorskip("mypy", reason="mypy is not installed")
    code, said = run("mypy", "--no-error-summary")
    assert (code, said) == (0, "")


def test_no_python_file_is_longer_than_250_lines():
    files = [path for house in ("edge", "train", "convert", "deploy") for path in (ROOT / house).rglob("*.py")]
    assert len(files) > 50
    assert [str(path) for path in files if len(path.read_text().splitlines()) > 250] == []
