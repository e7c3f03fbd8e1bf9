"""The examples of docs/api.md are run as they stand, against a real page."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.store import Store
from edge.web.api import PARTS
from edge.web.api.reference import put_into
from tests.builders import an_event
from tests.pages import a_config, served, the_access

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/api.md").read_text()
SCOPES = ["status:read", "events:read", "image:read", "lists:read"]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, str]]:
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("1", "AB12CDE"))
    (tmp_path / "c.toml").write_text("")
    (tmp_path / "photo.jpg").write_bytes((ROOT / "edge/clips/bench-1.jpg").read_bytes())
    _, secret = the_access(tmp_path).new_token("logger", SCOPES, 1)
    with served(a_config(tmp_path, host="127.0.0.1"), tmp_path / "c.toml") as found:
        yield {"http://gate.local:8080": found, "pw_...": secret}


def filled(words: str, by: dict[str, str]) -> str:
    for name, value in by.items():
        words = words.replace(name, value)
    return words


def test_the_curl_examples_answer_with_json(places: dict[str, str], tmp_path: Path) -> None:
    lines = [line.partition("   #")[0] for line in re.findall(r"^curl .*$", TEXT, re.M)]
    assert len(lines) >= 2
    for line in lines:
        done = subprocess.run(["sh", "-c", f"{filled(line, places)} -sS --max-time 60"], capture_output=True, text=True, cwd=tmp_path, check=True)
        assert "error" not in json.loads(done.stdout), done.stdout


def test_the_table_of_endpoints_is_the_one_that_the_declarations_make(tmp_path: Path) -> None:
    for part in PARTS:
        importlib.import_module(f"edge.web.api.{part}")
    (tmp_path / "api.md").write_text(TEXT)
    put_into(tmp_path / "api.md")
    assert (tmp_path / "api.md").read_text() == TEXT, "run python -m edge.web.api --into docs/api.md"


def test_a_document_without_a_place_for_the_table_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "api.md").write_text("# nothing\n")
    with pytest.raises(ConfigError, match="no place for the table"):
        put_into(tmp_path / "api.md")
    assert (tmp_path / "api.md").read_text() == "# nothing\n"


def test_the_python_example_runs(places: dict[str, str], tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(import json\n.*?)```", TEXT, re.S)
    done = subprocess.run([sys.executable, "-c", filled(example, places)], capture_output=True, text=True, cwd=tmp_path, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    assert "AB12CDE" in done.stdout
    assert len(done.stdout.splitlines()) >= 2
