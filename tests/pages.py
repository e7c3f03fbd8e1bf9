"""Pages for tests: on a folder of their own, with users who are logged in, or behind a server of their own."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.config import Config, RuntimeConfig, StoreConfig
from edge.status import utc_iso
from edge.web import app as web
from edge.web import auth
from edge.web.access.access import Access
from edge.web.settings import WebConfig

PASSWORD = "a gate that stays shut"
HASHED = auth.hash_password(PASSWORD)
YARD = """# The yard of the tests.
[camera]
name = "yard"
kind = "files"
source = "{clip}"
loop = true
[tracking]
repeat_after_s = 4.0
[store]
path = "events.sqlite"
keep_at_least_mb_free = 0
[runtime]
directory = "run"
[web]
port = {port}
access = "access.json"
"""
"""A config for a real daemon on the bundled clip of drawn plates, and a real page. What is added begins with keys of [web]."""
CLIP = Path(__file__).parents[1] / "edge/clips/demo.mp4"


def a_config(folder: Path, hashed: str = HASHED, host: str = "0.0.0.0", **fields: Any) -> Config:
    """A page that others can reach, with a password, all of whose files are in `folder`."""
    section = WebConfig().model_copy(update={"host": host, "password_hash": hashed, "access": str(folder / "access.json"), **fields})
    paths = {"store": StoreConfig(path=str(folder / "events.sqlite")), "runtime": RuntimeConfig(directory=str(folder / "run"))}
    return Config(**paths).model_copy(update={"web": section})


def a_page(folder: Path, **fields: Any) -> Flask:
    return web.create_app(a_config(folder, **fields))


def the_access(folder: Path, hashed: str = HASHED) -> Access:
    """As the command line sees it."""
    return Access(folder / "access.json", hashed)


def token(client: FlaskClient, path: str = "/login", **headers: str) -> str:
    """The hidden field of a page's form."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path, headers=headers).text)
    assert found is not None
    return found[1]


def log_in(client: FlaskClient, password: str = PASSWORD, onward: str = "/events?text=A", name: str = "admin", **headers: str) -> tuple[int, str | None]:
    data = {"csrf": token(client, **headers), "name": name, "password": password, "next": onward}
    answer = client.post("/login", data=data, headers=headers)
    return answer.status_code, answer.headers.get("Location")


def logged_in(page: Flask, name: str = "admin", password: str = PASSWORD) -> FlaskClient:
    client = page.test_client()
    assert log_in(client, password, name=name)[0] == 303
    return client


def csrf(client: FlaskClient, **headers: str) -> dict[str, str]:
    """The header of a writing script."""
    return {"X-CSRF-Token": client.get("/api/me", headers=headers).json["csrf"]}


def at_home(config: Config, folder: Path) -> Iterator[Flask]:
    """A page with a password on a config that has a file, for a fixture to hand on."""
    section = config.web.model_copy(update={"password_hash": HASHED, "access": str(folder / "access.json")})
    found = web.create_app(config.model_copy(update={"web": section}), folder / "platewatch.toml")
    yield found
    found.extensions["daemon_files"].close()


def say(folder: Path, **parts: Any) -> None:
    """As a daemon that lives."""
    (folder / "run").mkdir(exist_ok=True)
    told = {"v": 1, "pid": os.getpid(), "state": "watching", "updated_at": utc_iso(datetime.now(UTC))}
    (folder / "run/status.json").write_text(json.dumps(told | parts))


@contextmanager
def served(config: Config, file: Path | None = None) -> Iterator[str]:
    """The address of a real server on a free port of loopback."""
    server, app = web.make_server(config.model_copy(update={"web": config.web.model_copy(update={"port": 0})}), file)
    with at_work(server.run):
        try:
            yield f"http://127.0.0.1:{server.effective_port}"
        finally:
            web.close(server, app)


@contextmanager
def at_work(work: Callable[[], object]) -> Iterator[None]:
    """Beside what is done meanwhile; waits for its end."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def again_and_again(act: Callable[[], object], every_s: float = 0.02) -> Iterator[None]:
    """As a daemon's loop does."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(every_s):
            act()

    with at_work(work):
        try:
            yield
        finally:
            stop.set()


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A config file with what the test's module calls FILE."""
    path = tmp_path / "platewatch.toml"
    path.write_text(request.module.FILE)
    return path


@pytest.fixture
def page(tmp_path: Path, file: Path) -> Iterator[Flask]:
    """With that file, and a password."""
    found = web.create_app(a_config(tmp_path), file)
    yield found
    found.extensions["daemon_files"].close()


@pytest.fixture
def client(page: Flask) -> FlaskClient:
    """An admin who is logged in there."""
    return logged_in(page)
