"""The whole API, driven by its own OpenAPI document: whatever is sent, no fault, and every answer is one that the document foresees.

Always the same requests. `PLATEWATCH_FUZZ=200` makes so many for each endpoint instead of a few.
"""

from __future__ import annotations

import importlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, Unsatisfiable

from edge.store import Store
from edge.web import auth
from edge.web.access.records import UNGRANTED
from edge.web.api import PARTS
from edge.web.api.declare import ENDPOINTS
from edge.web.scopes import SCOPES
from tests.builders import an_event
from tests.pages import a_page, csrf, log_in, the_access

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra `test`)")
from schemathesis.checks import load_all_checks, CHECKS  # noqa: E402, I001

from schemathesis.generation import GenerationMode  # noqa: E402

for part in PARTS:
    importlib.import_module(f"edge.web.api.{part}")
OPERATIONS = [(one.method, one.path) for one in ENDPOINTS]
load_all_checks()
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010000000000376ef9240000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
schemathesis.openapi.media_type("image/*", st.just(PICTURE))
EXAMPLES = int(os.environ.get("PLATEWATCH_FUZZ", "4"))
CHECKED = ("status_code_conformance", "content_type_conformance", "response_schema_conformance", "negative_data_rejection")
QUICKLY = settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
Caller = dict[str, dict[str, str]]
BROWSER = {"User-Agent": "Fuzz"}
NEEDS_MORE = {
    ("GET", "/api/live"), ("POST", "/api/detect"), ("GET", "/api/setup"), ("POST", "/api/setup/aid"), ("POST", "/api/setup/still"),
    ("POST", "/api/setup/camera"), ("PUT", "/api/setup/camera"), ("PUT", "/api/setup/view"), ("POST", "/api/lists"),
    ("POST", "/api/models"),
    ("POST", "/api/models/rollback"),
    ("POST", "/api/models/comparison"),
    ("POST", "/api/health/doctor"),
    ("POST", "/api/health/restart"),
    ("POST", "/api/health/support"),
    ("POST", "/api/events/delete"),
}  # fmt: skip
"""What cannot be done on a page without a daemon or a config file, or not without knowing what is there."""
REACHED: dict[tuple[str, str], set[int]] = defaultdict(set)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("page")
    with Store(folder / "events.sqlite") as store:
        for id in ("1", "2", "a/b"):
            store.add(an_event(id))
    found = a_page(folder)
    found.extensions["stop"].set()  # a stream ends after its first words
    found.extensions["config_file"] = folder / "platewatch.toml"
    (folder / "platewatch.toml").write_text('[store]\npath = "events.sqlite"\n[runtime]\ndirectory = "run"\n')
    plate = json.loads((Path(__file__).parents[1] / "golden/read.json").read_text())
    found.extensions["reading"] = SimpleNamespace(read=lambda _picture, crop: plate)
    the_access(folder).new_token("all", [scope for scope in SCOPES if scope not in UNGRANTED], 1)
    yield found
    found.extensions["daemon_files"].close()


@pytest.fixture(scope="module")
def cheap_passwords() -> Iterator[None]:
    """What is tested here is not how slow a hash is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "hash_password", lambda _password: "scrypt$16$1$1$AAAA$AAAA")
        patch.setattr("edge.web.access.access.hash_password", auth.hash_password)
        yield


@pytest.fixture(scope="module")
def session(page: Any) -> Caller:
    client = page.test_client()
    log_in(client, **BROWSER)
    headers = {**BROWSER, **csrf(client, **BROWSER)}
    cookie = client.get_cookie("platewatch")
    assert cookie is not None
    return {"cookies": {"platewatch": cookie.value}, "headers": headers}


@pytest.fixture(scope="module")
def token(page: Any) -> Caller:
    access = page.extensions["door"].access
    _, secret = access.new_token("fuzz", [scope for scope in SCOPES if scope not in UNGRANTED], 1)
    return {"headers": {"Authorization": f"Bearer {secret}"}}


@pytest.fixture(scope="module")
def api(page: Any, token: Caller, cheap_passwords: None) -> Any:
    return schemathesis.openapi.from_wsgi("/api/openapi.json", page, headers=dict(token["headers"]))


def check(case: Any, caller: Caller) -> None:
    """Who asks is said by `caller` alone, and not by what is made up for the document's security schemes."""
    case.cookies = {}
    case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() not in ("x-csrf-token", "authorization", "cookie")}
    answer = case.call(**caller)
    assert answer.status_code != 500, answer.text  # 503 is told of where something may be missing
    # 413 is a refusal too.
    case.validate_response(answer, checks=[CHECKS.get_one(name) for name in CHECKED if (name, answer.status_code) != ("negative_data_rejection", 413)])
    REACHED[case.method, case.operation.path].add(answer.status_code)


def drive(api: Any, path: str, method: str, act: Callable[[Any], None]) -> None:
    """Sends what the document allows, and then what it forbids."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        operation = api[path][method]
        try:
            cases = operation.as_strategy(generation_mode=mode)
            QUICKLY(given(case=cases)(act))()
        except (Unsatisfiable, InvalidArgument):
            assert mode is GenerationMode.NEGATIVE  # nothing can be said to it that would be wrong
        except Exception as error:
            if type(error).__name__ != "SkipTest":
                raise


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_who_is_logged_in_gets_what_the_document_says(api: Any, session: Caller, method: str, path: str) -> None:
    drive(api, path, method, lambda case: check(case, session))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_token_gets_what_the_document_says(api: Any, token: Caller, method: str, path: str) -> None:
    drive(api, path, method, lambda case: check(case, token))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_stranger_gets_nothing(api: Any, method: str, path: str) -> None:
    def act(case: Any) -> None:
        case.cookies, case.headers = {}, {}
        answer = case.call()
        assert answer.status_code in (308, 401, 404, 405, 413), answer.text  # a size is refused before anybody asks who sends it
        assert answer.status_code == 308 or set(answer.json()) == {"error"}

    drive(api, path, method, act)


def test_the_requests_came_as_far_as_the_work_itself() -> None:
    """Else the tests above would only prove that everything is refused."""
    if len(REACHED) < len(OPERATIONS):
        pytest.skip("only a part of the tests ran")
    good = {operation for operation, codes in REACHED.items() if codes & {200, 201, 204}}
    assert set(OPERATIONS) - good <= {one for one in OPERATIONS if "{" in one[1]} | {("POST", "/api/me/password")} | NEEDS_MORE


def test_the_document_tells_of_every_endpoint_and_of_its_right(page: Any) -> None:
    from edge.web.api.openapi import document as made
    from edge.web.scopes import scope_of

    told = {(path, method): operation["x-scope"] for path, operations in made()["paths"].items() for method, operation in operations.items()}
    served = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower()): scope_of(page.view_functions[rule.endpoint])
        for rule in page.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert told == served


def test_the_store_of_the_fuzzed_page_is_whole(page: Any, tmp_path: Path) -> None:
    assert page.extensions["daemon_files"].store().count() == 3
