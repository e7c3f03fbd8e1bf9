"""The room Access: everything works by plain forms, and each sees what is theirs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.web.access.told import browser
from tests.pages import PASSWORD, a_page, logged_in, the_access, token

OTHER = "another good one"


def post(client: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf": token(client, "/access"), **fields})
    return answer.status_code, answer.text


def test_an_admin_manages_users_and_tokens_by_forms(tmp_path: Path) -> None:
    client = logged_in(a_page(tmp_path))
    assert post(client, "/access/users", name="Jo", role="viewer", password=OTHER)[0] == 303
    assert post(client, "/access/users/jo", role="operator", password="")[0] == 303
    assert [(user.name, user.role) for user in the_access(tmp_path).users()] == [("admin", "admin"), ("jo", "operator")]
    code, page = post(client, "/access/tokens", name="logger", scopes="events:read", days="30")
    secret = re.search(r">(pw_[\w-]+)<", page)
    assert code == 200
    assert secret
    assert the_access(tmp_path).token(secret[1])
    assert secret[1] not in client.get("/access").text
    assert post(client, "/access/tokens/logger/revoke")[0] == post(client, "/access/users/jo/remove")[0] == 303
    assert (len(the_access(tmp_path).users()), the_access(tmp_path).tokens()) == (1, [])


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/access/users", {"name": "J o", "role": "viewer", "password": OTHER}, "is no name"),
        ("/access/users", {"name": "jo", "role": "root", "password": OTHER}, "is no role"),
        ("/access/users", {"name": "jo", "role": "viewer", "password": "short"}, "at least 8"),
        ("/access/users/admin/remove", {}, "stands in the configuration file"),
        ("/access/tokens", {"name": "x", "days": "30"}, "at least one scope"),
        ("/access/tokens", {"name": "x", "scopes": "status:read", "days": "9" * 5000}, "1 to 3650 days"),
        ("/access/tokens", {"name": "x", "scopes": "access:write", "days": "30"}, "for people alone"),
        ("/access/password", {"old": "wrong", "new": OTHER, "again": OTHER}, "the old password is wrong"),
        ("/access/password", {"old": PASSWORD, "new": OTHER, "again": "differs"}, "differ"),
    ],
)
def test_what_cannot_be_is_said_on_the_room_and_nothing_changes(tmp_path: Path, path: str, fields: dict[str, str], said: str) -> None:
    client = logged_in(a_page(tmp_path))
    code, page = post(client, path, **fields)
    assert code in (400, 409)
    assert said.lower() in page.lower()
    assert not (tmp_path / "access.json").exists() or "jo" not in (tmp_path / "access.json").read_text()


def test_a_viewer_sees_only_what_is_theirs_and_changes_nothing_else(tmp_path: Path) -> None:
    the_access(tmp_path).add_user("jo", "viewer", OTHER)
    page = a_page(tmp_path)
    admin, client = logged_in(page), logged_in(page, "jo", OTHER)
    shown = client.get("/access").text
    assert "/access/users" not in shown
    assert "/access/tokens" not in shown
    assert shown.count('<li>\n      <div class="line">') == 1
    for path in ("/access/users", "/access/users/admin", "/access/users/admin/remove", "/access/tokens", "/access/tokens/x/revoke"):
        assert post(client, path)[0] == 403
    theirs = admin.get("/api/me").json["session"]
    assert post(client, f"/access/sessions/{theirs}/end")[0] == 404
    assert post(client, "/access/password", old=OTHER, new="a third good one", again="a third good one")[0] == 303
    assert client.get("/access").status_code == 200


def test_an_admin_ends_anothers_session(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    here, there = logged_in(page), logged_in(page)
    assert post(here, f"/access/sessions/{there.get('/api/me').json['session']}/end")[0] == 303
    assert (here.get("/access").status_code, there.get("/access").status_code) == (200, 302)


def test_names_and_agents_are_text_and_never_markup(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    client = page.test_client()
    evil = {"User-Agent": '"><script>alert(1)</script>'}
    client.post("/login", data={"csrf": token(client, **evil), "password": PASSWORD}, headers=evil)
    assert "<script>alert" not in client.get("/access", headers=evil).text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("curl/8.5.0", "curl"),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_a_word_or_two(agent: str, name: str) -> None:
    assert browser(agent) == name
