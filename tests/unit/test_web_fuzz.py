"""The whole API, driven by its own OpenAPI document as a stranger, as each role and as who is logged in: whatever is sent, no fault, every answer is one that
the document foresees, and nobody gets as far as a view that is not theirs.

Always the same requests. `PLATEWATCH_FUZZ=200` makes so many for each endpoint instead of a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis.errors import InvalidArgument, Unsatisfiable

from edge.web.api.declare import ENDPOINTS
from edge.web.forgery import SAFE
from edge.web.scopes import ANYONE, ROLES
from tests.api import GRANTED, MODES, cheaply, checks, furnished, note_what_runs, quickly, schemathesis, tokens
from tests.pages import csrf, log_in

Caller = dict[str, dict[str, str]]
FEW = 4
SCOPE = {(one.method, one.path): one.scope for one in ENDPOINTS}
CHECKED = checks("status_code_conformance", "content_type_conformance", "response_schema_conformance", "negative_data_rejection")
SAID = checks("status_code_conformance", "content_type_conformance", "response_schema_conformance")
BROWSER = {"User-Agent": "Fuzz"}
NEVER_CAME_IN = (308, 401, 403, 404, 405, 413)
"""An address that is none, and a size, are refused before anybody asks who sends it."""
NEEDS_MORE = {
    ("GET", "/api/live"), ("POST", "/api/detect"), ("POST", "/api/setup/aid"), ("POST", "/api/setup/still"), ("POST", "/api/setup/camera"),
    ("PUT", "/api/setup/camera"), ("PUT", "/api/setup/view"), ("PUT", "/api/settings/text"), ("POST", "/api/settings/restore"), ("POST", "/api/lists"),
    ("POST", "/api/models"), ("POST", "/api/models/rollback"), ("POST", "/api/models/comparison"), ("POST", "/api/health/doctor"),
    ("POST", "/api/health/restart"), ("POST", "/api/health/support"), ("POST", "/api/events/delete"), ("POST", "/api/me/password"),
}  # fmt: skip
"""What cannot be done on a page without a daemon, or not without knowing what is there: `test_web_stateful.py` does it by the links."""
WRITES = {
    "anyone": {"change_my_password", "end_session"},
    "viewer": set[str](),
    "operator": {
        "set_detect", "put_label", "delete_label", "delete_event", "delete_events", "post_read", "add_list", "change_list", "drop_list", "add_entry",
        "change_entry", "remove_entry", "import_list", "test_gate", "ask_aid", "take_still",
    },
}  # fmt: skip
"""What a role may do beside looking, written down by hand; all else is an admin's."""


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A page, its document, who asks it (the least first), what came as far as a view, and what was answered to whom it may be answered."""

    page: Flask
    api: Any
    callers: dict[str, Caller]
    ran: list[str]
    reached: dict[tuple[str, str], set[int]]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("page")
    page = furnished(folder, "1", "2", "a/b")
    client = page.test_client()
    log_in(client, **BROWSER)
    headers = {**BROWSER, **csrf(client, **BROWSER)}
    cookie = client.get_cookie("platewatch")
    assert cookie is not None
    known = tokens(folder)
    callers = {name: {"headers": header} for name, header in known.items()} | {"session": {"cookies": {"platewatch": cookie.value}, "headers": headers}}
    with pytest.MonkeyPatch.context() as patch:
        cheaply(patch)
        api = schemathesis.openapi.from_wsgi("/api/openapi.json", page, headers=known["viewer"])
        yield Fuzzed(page, api, callers, note_what_runs(page), defaultdict(set))
    page.extensions["daemon_files"].close()


def may(who: str, scope: str) -> bool:
    """By the roles alone."""
    return who == "session" or (who != "stranger" and (scope == ANYONE or scope in GRANTED[who]))


def ask(fuzzed: Fuzzed, case: Any, who: str) -> None:
    """Who asks is said by `who` alone, and not by what is made up for the document's security schemes."""
    case.cookies = {}
    case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() not in ("x-csrf-token", "authorization", "cookie")}
    fuzzed.ran.clear()
    answer = case.call(**fuzzed.callers[who])
    assert answer.status_code != 500, (who, answer.text)  # 503 is told of where something may be missing
    if not may(who, SCOPE[case.method, case.operation.path]):
        assert not fuzzed.ran, (who, case.method, case.formatted_path)
        assert answer.status_code in NEVER_CAME_IN, (who, answer.text)
        assert answer.status_code == 308 or set(answer.json()) == {"error"}
        assert answer.status_code != (401 if who != "stranger" else 403), (who, answer.text)
        return
    # 413 is a refusal too.
    case.validate_response(answer, checks=SAID if answer.status_code == 413 else CHECKED)
    fuzzed.reached[case.method, case.operation.path].add(answer.status_code)


@pytest.mark.parametrize(("method", "path"), SCOPE)
def test_each_role_gets_what_is_theirs_as_the_document_says_and_nothing_else(fuzzed: Fuzzed, method: str, path: str) -> None:
    """Sent is what the document allows, and then what it forbids: each request by everybody, one after the other."""

    def act(case: Any) -> None:
        for who in fuzzed.callers:
            ask(fuzzed, case, who)

    for mode in MODES:
        try:
            quickly(FEW)(given(case=fuzzed.api[path][method].as_strategy(generation_mode=mode))(act))()
        except (Unsatisfiable, InvalidArgument):
            assert mode is MODES[1]  # nothing can be said to it that would be wrong
        except Exception as error:
            if type(error).__name__ != "SkipTest":
                raise


def test_the_requests_came_as_far_as_the_work_itself(fuzzed: Fuzzed) -> None:
    """Else the test above would only prove that everything is refused."""
    if len(fuzzed.reached) < len(SCOPE):
        pytest.skip("only a part of the tests ran")
    good = {operation for operation, codes in fuzzed.reached.items() if codes & {200, 201, 204}}
    assert set(SCOPE) - good <= {one for one in SCOPE if "{" in one[1]} | NEEDS_MORE


def test_what_each_role_may_do_is_what_was_meant() -> None:
    """A write that is declared with too small a scope is found here, since the table above is no part of the page."""
    doing = {one.name: one.scope for one in ENDPOINTS if one.method not in SAFE}
    assert {name for name, scope in doing.items() if scope == ANYONE} == WRITES["anyone"]
    assert {name for name, scope in doing.items() if scope in ROLES["viewer"]} == WRITES["viewer"]
    assert {name for name, scope in doing.items() if scope in ROLES["operator"]} == WRITES["operator"]
    assert {scope for scope in doing.values() if scope != ANYONE} <= ROLES["admin"]


def test_the_document_tells_of_every_endpoint_and_of_its_right(fuzzed: Fuzzed) -> None:
    from edge.web.api.openapi import document as made
    from edge.web.scopes import scope_of

    told = {(path, method): operation["x-scope"] for path, operations in made()["paths"].items() for method, operation in operations.items()}
    served = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower()): scope_of(fuzzed.page.view_functions[rule.endpoint])
        for rule in fuzzed.page.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert told == served


def test_the_store_of_the_fuzzed_page_is_whole(fuzzed: Fuzzed, tmp_path: Path) -> None:
    assert fuzzed.page.extensions["daemon_files"].store().count() == 3
