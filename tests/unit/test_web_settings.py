"""The settings of the page: API, forms without script, and who may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.settings_file.keys import headings, keys
from edge.web import phrases
from edge.web.app import create_app
from tests.pages import a_config, csrf, logged_in, the_access, token

FILE = """\
# My gate.
[camera]
name = "yard"   # by the road
source = "rtsp://viewer:h0rse@10.0.0.7/main"

[[targets]]
name = "hook"
kind = "webhook"
url = "https://example.org/in"
headers = { Authorization = "Bearer s3cr3t" }
"""
SECRETS = ("h0rse", "s3cr3t")


def send(client: FlaskClient, method: str, path: str, body: dict[str, Any]) -> Any:
    return client.open(path, method=method, json=body, headers=csrf(client))


def post(client: FlaskClient, path: str, **form: Any) -> Any:
    fields = {name.replace("__", "."): value for name, value in form.items()}
    return client.post(path, data={"csrf": csrf(client)["X-CSRF-Token"], **fields})


def etag(client: FlaskClient) -> str:
    return str(client.get("/api/settings").json["etag"])


def test_english_is_what_the_model_itself_says() -> None:
    """And the other languages were written for exactly that; a key that is new or changed is named here."""
    said = phrases.catalogue()
    assert {one.name: said[f"settings_keys.key.{one.name}"]["en"]["other"] for one in keys()} == {one.name: one.description for one in keys()}
    assert {name: said[f"settings_keys.about.{name}"]["en"]["other"] for name in headings()} == headings()
    known = {f"settings_keys.key.{one.name}" for one in keys()} | {f"settings_keys.{what}.{name}" for what in ("about", "title") for name in headings()}
    assert {key for key in said if key.startswith("settings_keys.")} == known


def test_names_between_backticks_are_the_same_in_every_language() -> None:
    for key, languages in phrases.catalogue().items():
        if key.startswith("settings_keys."):
            names = {code: sorted(forms["other"].split("`")[1::2]) for code, forms in languages.items()}
            assert all(found == names["en"] for found in names.values()), key


@pytest.mark.parametrize("path", ["/api/settings", "/api/settings/text", "/settings", "/settings/targets", "/settings/targets/0", "/settings/text"])
def test_no_secret_is_shown_anywhere(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert [secret for secret in SECRETS if secret in answer.text] == []


def test_every_key_stands_in_the_form(client: FlaskClient) -> None:
    shown = client.get("/settings").text
    assert [one.name for one in keys() if one.section != "targets" and f"<code>{one.name}</code>" not in shown] == []


def test_a_change_is_tried_and_then_written_with_its_comments(client: FlaskClient, file: Path) -> None:
    body = {"changes": [{"name": "camera.name", "value": "gate"}, {"name": "store.retention_days", "value": "2,5"}]}
    assert send(client, "POST", "/api/settings/check", body).json == {"problems": []}
    assert file.read_text() == FILE
    saved = send(client, "PUT", "/api/settings", body | {"etag": etag(client)})
    assert (saved.status_code, saved.json["changed"], saved.json["in_force"]) == (200, ["camera.name", "store.retention_days"], False)
    assert "the daemon does not run" in saved.json["sentence"]
    assert 'name = "gate"   # by the road' in file.read_text()
    assert "retention_days = 2.5" in file.read_text()


def test_what_is_wrong_stands_at_its_key(client: FlaskClient, file: Path) -> None:
    body = {"changes": [{"name": "web.port", "value": "x"}, {"name": "camera.fps_limit", "value": 999}, {"name": "night.switch", "value": "sun"}]}
    found = {one["name"]: one["sentence"] for one in send(client, "POST", "/api/settings/check", body).json["problems"]}
    assert set(found) == {"web.port", "camera.fps_limit", "night"}
    assert send(client, "PUT", "/api/settings", body).status_code == 409
    assert file.read_text() == FILE


def test_a_file_that_was_changed_meanwhile_is_left_alone(client: FlaskClient, file: Path) -> None:
    known = etag(client)
    file.write_text(FILE + "# mine\n")
    answer = send(client, "PUT", "/api/settings", {"changes": [{"name": "camera.name", "value": "x"}], "etag": known})
    assert (answer.status_code, "changed by somebody else" in answer.json["error"]["message"]) == (409, True)
    assert file.read_text().endswith("# mine\n")


def test_the_form_alone_saves_and_only_what_was_changed(client: FlaskClient, file: Path) -> None:
    shown = {"camera__fps_limit": "0", "camera__source": "rtsp://•••@10.0.0.7/main"}
    answer = post(client, "/settings", etag=etag(client), camera__name="gate", web__port="8081", **shown)
    assert answer.status_code == 200
    assert "camera.name, web.port" in answer.text
    assert "fps_limit" not in file.read_text()
    assert SECRETS[0] in file.read_text()
    refused = post(client, "/settings", etag=etag(client), camera__fps_limit="many", camera__name="kept as typed")
    assert refused.status_code == 409
    assert "is a number" in refused.text
    assert "kept as typed" in refused.text


def test_the_earlier_file_comes_back(client: FlaskClient, file: Path) -> None:
    send(client, "PUT", "/api/settings", {"changes": [{"name": "camera.name", "value": "gate"}]})
    assert send(client, "POST", "/api/settings/restore", {}).json["changed"] == ["camera.name"]
    assert file.read_text() == FILE


def test_a_broken_file_is_mended_as_text(client: FlaskClient, file: Path) -> None:
    file.write_text(FILE.replace('name = "yard"', 'nmae = "yard"'))
    shown = client.get("/settings")
    assert "did you mean" in shown.text
    assert "nmae" in shown.text
    text = client.get("/api/settings/text").json["text"]
    assert send(client, "POST", "/api/settings/text/check", {"text": text}).json["problems"][0]["line"] == 3
    assert send(client, "PUT", "/api/settings/text", {"text": text.replace("nmae", "name")}).status_code == 200
    assert file.read_text() == FILE


def test_a_target_has_the_keys_of_its_kind_alone(client: FlaskClient, file: Path) -> None:
    shown = client.get("/settings/targets/new?kind=mqtt").text
    assert "targets.host" in shown
    assert "targets.url" not in shown
    assert post(client, "/settings/targets/new", kind="mqtt", name="home", host="10.0.0.5", etag=etag(client)).status_code == 200
    assert [one["name"] for one in client.get("/api/settings").json["values"]["targets"]] == ["hook", "home"]
    assert post(client, "/settings/targets/1/up", etag=etag(client)).status_code == 200
    assert [one["name"] for one in client.get("/api/settings").json["values"]["targets"]] == ["home", "hook"]
    moved = post(client, "/settings/targets/1", name="hook", url="https://evil.example/", headers="Authorization: •••", etag=etag(client))
    assert (moved.status_code, "give it again" in moved.text) == (409, True)
    assert post(client, "/settings/targets/1/remove", etag=etag(client)).status_code == 200
    assert "s3cr3t" not in file.read_text()
    refused = post(client, "/settings/targets/new", kind="mqtt", name="Home!", host="x", etag=etag(client))
    assert (refused.status_code, "a target&#39;s name is of" in refused.text or "target's name" in refused.text) == (409, True)
    assert client.get("/settings/targets/7").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("path", ["/settings", "/settings/text", "/settings/targets", "/api/settings", "/api/settings/text", "/start/camera", "/privacy"])
def test_settings_are_for_admins_alone(tmp_path: Path, page: Flask, role: str, path: str) -> None:
    the_access(tmp_path).add_user("jo", role, "long enough")
    jo = logged_in(page, "jo", "long enough")
    assert jo.get(path).status_code == 403
    assert jo.post("/settings", data={"csrf": token(jo, "/access")}).status_code == 403
    assert jo.put("/api/settings", json={"changes": []}, headers=csrf(jo)).status_code == 403


def test_a_page_without_a_config_file_says_so(tmp_path: Path) -> None:
    client = logged_in(create_app(a_config(tmp_path)))
    assert "without a configuration file" in client.get("/settings").text
    assert client.get("/api/settings").status_code == 409
