"""schemathesis goes where the links of the API lead. Always the same ways; `PLATEWATCH_FUZZ=200` goes so many of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.api import MODES, cheaply, checks, furnished, quickly, schemathesis
from tests.pages import csrf, log_in

SECRET = "long enough"
WAYS = {
    "access": (r"^/api/(users|tokens)", {"add_user", "change_user", "remove_user", "add_token", "revoke_token"}),
    "lists": (r"^/api/lists", {"add_list", "get_list", "add_entry", "change_entry", "remove_entry", "change_list", "drop_list"}),
    "settings": (r"^/api/settings", {"save_settings", "save_settings_text", "restore_settings"}),
    "camera": (r"^/api/setup(/view|/camera)?$", {"get_setup", "set_view", "keep_camera"}),
    "events": (r"^/api/(events|labels|unread|gate/dec)", {"get_event", "get_story", "delete_event", "put_label", "delete_label"}),
}
"""Where schemathesis goes, and what there is to come off on its way: more than half of it must, else nothing but refusals would be proven."""


HELD = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "use_after_free",
    "ensure_resource_availability",
)


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cheaply(patch)
        yield


class Yard:
    """A new page for each way that is gone, behind one address."""

    page: Flask

    def __init__(self, folder: Path) -> None:
        self.folder, self.number, self.caller = folder, 0, dict[str, Any]()

    def open(self) -> None:
        self.number += 1
        here = self.folder / str(self.number)
        here.mkdir()
        self.page = furnished(here)
        client = self.page.test_client()
        log_in(client, **{"User-Agent": "Fuzz"})
        headers = {"User-Agent": "Fuzz", **csrf(client, **{"User-Agent": "Fuzz"})}
        cookie = client.get_cookie("platewatch")  # which the line above has written anew
        assert cookie is not None
        self.caller = {"cookies": {"platewatch": cookie.value}, "headers": headers}

    def close(self) -> None:
        self.page.extensions["daemon_files"].close()

    def __call__(self, environ: Any, start: Any) -> Any:
        return self.page(environ, start)


def fitting(case: Any, number: int) -> None:
    """Puts in what chance hardly ever finds: a name that is free, a plate, a key of the config."""
    body = case.body if isinstance(case.body, dict) else {}
    match case.operation.definition.raw["operationId"]:
        case "add_list":
            body["name"] = f"list-{number}.toml"
        case "add_entry" | "change_entry":
            body |= {"plate": f"AB {number % 7:02} XYZ", "name": "", "group": "", "note": "", "from": "", "until": "", "times": ""}
        case "add_user":
            body |= {"name": f"user-{number}", "password": SECRET}
        case "add_token":
            body["name"] = f"token-{number}"
        case "save_settings":
            body["changes"] = [{"name": "camera.name", "action": "set", "value": f"yard {number}"}]
        case "put_label":
            body |= {"judgement": "corrected", "text": "AB12CDE"}
        case "keep_camera":
            body |= {"values": {"exposure_us": 1000 + number}}


@pytest.mark.parametrize("where", WAYS)
def test_wherever_the_links_lead_the_answers_are_what_the_document_says(tmp_path: Path, where: str) -> None:
    """By one who may everything: no fault, no answer that is not foreseen, nothing that is gone answers, and nothing that was made is missing."""
    from edge.web.api.openapi import document

    yard, came_off, (paths, wanted) = Yard(tmp_path), set[str](), WAYS[where]
    api = schemathesis.openapi.from_dict(json.loads(json.dumps(document())))
    api.app, api.location = yard, "/api/openapi.json"
    api.config.phases.stateful.inference.algorithms = []  # what is declared must be enough
    api.config.generation.modes = [MODES[0]]
    held = checks(*HELD)

    class Ways(api.include(path_regex=paths).as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            yard.open()
            self.steps = 0

        def teardown(self) -> None:
            yard.close()

        def before_call(self, case: Any) -> None:
            self.steps += 1
            case.cookies = {}
            case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() not in ("x-csrf-token", "authorization", "cookie")}
            fitting(case, self.steps)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return yard.caller

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            if response.status_code < 300:
                came_off.add(case.operation.definition.raw["operationId"])

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=held, transport_kwargs=yard.caller, recorder=self.recorder)

    Ways.run(settings=quickly(6, stateful_step_count=14))
    assert 2 * len(came_off & wanted) > len(wanted), came_off
