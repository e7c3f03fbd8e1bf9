"""The API by its links: what one answer leads to. Each thing is made, read, changed and deleted along them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from edge.web.api.declare import ENDPOINTS, Endpoint, Link
from tests.api import cheaply, furnished
from tests.pages import csrf, logged_in
from tests.receivers import wait_for
from tests.unit.test_depot import bundle, zipped

BY_NAME = {one.name: one for one in ENDPOINTS}
LINKS = [(one, link) for one in ENDPOINTS for link in one.links]
PLACE = re.compile(r"\$(request|response)\.(path|body)(?:\.(\w+))?(?:#/(.*))?")
PLATE = {"plate": "AB12 CDE", "name": "Carla"}
SECRET = "long enough"


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cheaply(patch)
        yield


@dataclass(frozen=True, slots=True)
class Step:
    """An endpoint, what a person types into it, and the code that it answers with; by default its own."""

    name: str
    body: dict[str, Any] = field(default_factory=dict)
    code: int = 0


def step(name: str, code: int = 0, /, **body: Any) -> Step:
    return Step(name, body, code)


LIVES = {
    "user": [
        step("add_user", name="jo", role="viewer", password=SECRET),
        step("change_user", role="operator"),
        step("change_user", password="another one"),
        step("remove_user"),
        step("change_user", 404, role="viewer"),
    ],
    "token": [step("add_token", name="jo", scopes=["status:read"]), step("revoke_token"), step("revoke_token", 404)],
    "list": [
        step("add_list", name="guests.toml", kind="allow"),
        step("add_entry", **PLATE),
        step("get_list"),
        step("change_entry", **{**PLATE, "name": "Dora"}),
        step("get_reach"),
        step("export_list"),
        step("change_list", tolerance=0.5),
        step("add_entry", plate="ZZ99 ZZZ"),
        step("get_list"),
        step("remove_entry"),
        step("remove_entry", 409),
        step("import_list"),
        step("drop_list"),
        step("get_list", 404),
    ],
    "settings": [
        step("get_settings"),
        step("save_settings", changes=[{"name": "camera.name", "value": "gate"}]),
        step("save_settings", changes=[{"name": "camera.name", "value": "yard"}]),
        step("restore_settings"),
        step("restore_settings"),
    ],
    "settings as text": [step("get_settings_text"), step("check_settings_text"), step("save_settings_text"), step("save_settings", changes=[])],
    "event": [
        step("get_events"),
        step("get_event"),
        step("get_story"),
        step("put_label", judgement="corrected", text="AB12CDE"),
        step("delete_label"),
        step("delete_label", 404),
        step("delete_event"),
        step("get_event", 404),
        step("get_story", 404),
    ],
    "label": [step("get_events"), step("put_label", judgement="confirmed"), step("delete_label")],
    "model": [step("get_models"), step("use_model"), step("get_models"), step("delete_model", 409)],
    "camera": [
        step("get_setup"),
        step("set_view", include=[], exclude=[[[0, 0], [0.5, 0], [0.5, 0.5]]]),
        step("keep_camera", values={"exposure_us": 2000}),
    ],
    "session": [step("get_sessions"), step("end_session"), step("get_sessions", 401)],
}
"""What becomes of each, in order. No id and no etag stands here: those come along the links."""


@dataclass(frozen=True, slots=True)
class Done:
    """A request that was made: what it was, and what came of it."""

    one: Endpoint
    path: dict[str, str]
    body: dict[str, Any]
    answer: Any

    def find(self, place: str) -> Any:
        """What stands at an expression of OpenAPI."""
        found = PLACE.fullmatch(place)
        assert found is not None, place
        side, part, name, pointer = found.groups()
        if part == "path":
            return self.path[name]
        told: Any = self.answer if side == "response" else self.body
        for key in pointer.split("/"):
            told = told[int(key)] if isinstance(told, list) else told[key]
        return told


def ask(client: FlaskClient, headers: dict[str, str], step: Step, before: list[Done]) -> Done:
    """Along the link of the latest request that has one; what has no parts needs none."""
    one, given, body = BY_NAME[step.name], dict[str, Any](), dict(step.body)
    found = next(((done, link) for done in reversed(before) for link in done.one.links if link.to == step.name), None)
    if found is not None:
        source, link = found
        given = {name: source.find(place) for name, place in link.given.items()}
        body = {key: source.find(place) for key, place in link.body.items()} | body
    path = {name: given.pop(name) for name in one.parts}
    sent: dict[str, Any] = {"json": body} if one.body else {"data": b"plate,name\nXY 12345,Eve\n"} if one.accepts == "text/csv" else {}
    kind = {"Content-Type": one.accepts} if one.accepts == "text/csv" else {}
    address = one.path.format(**{name: quote(value, "") for name, value in path.items()})
    answer = client.open(address, method=one.method, query_string=given, headers=headers | kind, **sent)
    assert answer.status_code == (step.code or one.code), (step, answer.text)
    return Done(one, path, body, answer.get_json(silent=True))


@pytest.mark.parametrize("thing", LIVES)
def test_each_thing_lives_and_ends_along_the_links(tmp_path: Path, thing: str) -> None:
    page = furnished(tmp_path)
    client = logged_in(page)
    headers = csrf(client)
    before: list[Done] = []
    for one in LIVES[thing]:
        done = ask(client, headers, one, before)
        before += [done] * (not one.code)
    page.extensions["daemon_files"].close()


@pytest.mark.parametrize(("one", "link"), [pytest.param(one, link, id=f"{one.name}-{link.to}") for one, link in LINKS])
def test_a_link_fits_both_of_its_ends(one: Endpoint, link: Link) -> None:
    """Its target is there and takes what is given, and what is taken is there to be had."""
    target = BY_NAME[link.to]
    asked = set(target.query.model_fields) if target.query else set()
    assert set(target.parts) <= set(link.given) <= {*target.parts, *asked}
    assert set(link.body) <= (set(target.body.model_fields) if target.body else set())
    for place in (*link.given.values(), *link.body.values()):
        found = PLACE.fullmatch(place)
        assert found is not None, place
        side, part, name, pointer = found.groups()
        if part == "path":
            assert name in one.parts
            continue
        model = one.answer if side == "response" else one.body
        assert model is not None
        assert pointer.split("/")[0] in model.model_fields or model.model_config.get("extra") == "allow", place


def test_a_bundle_comes_is_chosen_taken_back_and_deleted_along_the_links(tmp_path: Path) -> None:
    page = furnished(tmp_path)
    client = logged_in(page)
    headers = csrf(client)
    content = zipped(bundle(name="night-reader"))
    sent = client.post("/api/models", query_string={"file": "night.zip"}, data=content, headers=headers | {"Content-Type": "application/octet-stream"})
    assert sent.status_code == 202, sent.text
    before = [Done(BY_NAME["add_model"], {}, {}, sent.json)]

    def arrived() -> bool:
        before.append(ask(client, headers, step("get_arrival"), before))
        return bool(before[-1].answer["state"] != "running")

    wait_for(arrived, within_s=300.0)
    assert before[-1].answer["state"] == "done", before[-1].answer
    for one in (step("use_model"), step("get_models"), step("roll_back_model", kind="reader")):
        before.append(ask(client, headers, one, before))
    del before[-2]  # else the first of all bundles would be deleted, and not the one that came
    ask(client, headers, step("delete_model"), before)
    page.extensions["daemon_files"].close()
