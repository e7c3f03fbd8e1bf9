"""The API as its own document describes it, for tests that are driven by that: a page with something of everything, and what schemathesis needs to know."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import subprocess
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from edge import cli
from edge.store import Store
from edge.web import auth, nursing
from edge.web.access.records import UNGRANTED
from edge.web.api import PARTS
from edge.web.api.declare import ENDPOINTS
from edge.web.scopes import ROLES, SCOPES, caller
from tests.builders import an_event
from tests.pages import a_page, the_access

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra `test`)")
from schemathesis.checks import CHECKS, load_all_checks  # noqa: E402
from schemathesis.generation import GenerationMode  # noqa: E402

for part in PARTS:
    importlib.import_module(f"edge.web.api.{part}")
load_all_checks()
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010000000000376ef9240000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
schemathesis.openapi.media_type("image/*", st.just(PICTURE))
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
"""What the document allows, and what it forbids."""
BUDGET = int(os.environ.get("PLATEWATCH_FUZZ", "0"))
"""So many examples of each instead of a few."""
GRANTED = {role: [scope for scope in SCOPES if scope in scopes and scope not in UNGRANTED] for role, scopes in ROLES.items()}
"""What a token with all the rights of a role may do."""


def quickly(few: int, **more: Any) -> settings:
    """The same cases at every run."""
    return settings(max_examples=BUDGET or few, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck), **more)


def checks(*names: str) -> list[Any]:
    return [CHECKS.get_one(name) for name in names]


def furnished(folder: Path, *ids: str) -> Flask:
    """A page with a config file, three events (or those of `ids`), a list, and a reader that finds the same plate in every picture; no daemon."""
    with Store(folder / "events.sqlite") as store:
        for id in ids or ("1", "2", "3"):
            store.add(an_event(id))
    (folder / "family.toml").write_text('[[plates]]\nplate = "B AB 1234"\nname = "Anna"\n')
    (folder / "platewatch.toml").write_text('[store]\npath = "events.sqlite"\n[lists]\nallow = ["family.toml"]\n[runtime]\ndirectory = "run"\n')
    (folder / "run").mkdir()
    page = a_page(folder)
    page.extensions["stop"].set()  # a stream ends after its first words
    page.extensions["config_file"] = folder / "platewatch.toml"
    plate = json.loads((Path(__file__).parent / "golden/read.json").read_text())
    page.extensions["reading"] = SimpleNamespace(read=lambda _picture, crop: plate)
    return page


def note_what_runs(page: Flask) -> list[str]:
    """From now on: whoever came as far as a view of the API itself, by name."""
    ran: list[str] = []

    def noted(view: Any) -> Any:
        @wraps(view)
        def run(**given: Any) -> Any:
            ran.append(caller().name)
            return view(**given)

        return run

    for one in ENDPOINTS:
        page.view_functions[f"api.{one.name}"] = noted(page.view_functions[f"api.{one.name}"])
    return ran


def tokens(folder: Path) -> dict[str, dict[str, str]]:
    """Role -> the header of a token that may what the role may; `stranger` has none."""
    access = the_access(folder)
    made = {role: {"Authorization": f"Bearer {access.new_token(role, scopes, 1)[1]}"} for role, scopes in GRANTED.items()}
    return {"stranger": {}, **made}


def cheaply(patch: pytest.MonkeyPatch) -> None:
    """Hashes are quick, and `platewatch targets` runs in this process: what is tested is neither."""

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = cli.main(words[words.index("edge") + 1 :])
            except SystemExit as left:
                code = int(left.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    patch.setattr(nursing, "subprocess", SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired))
    patch.setattr(auth, "hash_password", lambda _password: "scrypt$16$1$1$AAAA$AAAA")
    patch.setattr("edge.web.access.access.hash_password", auth.hash_password)
