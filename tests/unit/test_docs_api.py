"""The examples of docs/api.md are run as they stand, against a real page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from edge.store import Store
from edge.web import app as web
from tests.builders import an_event
from tests.pages import a_config, the_access

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/api.md").read_text()
SCOPES = ["status:read", "events:read", "image:read", "lists:read"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, str]]:
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("1", "AB12CDE"))
    (tmp_path / "c.toml").write_text("")
    (tmp_path / "photo.jpg").write_bytes((ROOT / "edge/clips/bench-1.jpg").read_bytes())
    server, app = web.make_server(a_config(tmp_path, host="127.0.0.1", port=0), tmp_path / "c.toml")
    thread = Thread(target=server.run)
    thread.start()
    _, secret = the_access(tmp_path).new_token("logger", SCOPES, 1)
    yield {"http://gate.local:8080": f"http://127.0.0.1:{server.effective_port}", "pw_...": secret}
    web.close(server, app)
    thread.join(10)


def filled(words: str, by: dict[str, str]) -> str:
    for name, value in by.items():
        words = words.replace(name, value)
    return words


def test_the_curl_examples_answer_with_json(served: dict[str, str], tmp_path: Path) -> None:
    lines = [line.partition("   #")[0] for line in re.findall(r"^curl .*$", TEXT, re.M)]
    assert len(lines) >= 2
    for line in lines:
        done = subprocess.run(["sh", "-c", f"{filled(line, served)} -sS --max-time 60"], capture_output=True, text=True, cwd=tmp_path, check=True)
        assert "error" not in json.loads(done.stdout), done.stdout


def test_the_python_example_runs(served: dict[str, str], tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(import json\n.*?)```", TEXT, re.S)
    done = subprocess.run([sys.executable, "-c", filled(example, served)], capture_output=True, text=True, cwd=tmp_path, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    assert "AB12CDE" in done.stdout
    assert len(done.stdout.splitlines()) >= 2
