"""Users, tokens and the first password: their file, the command line, and what each opens."""

from __future__ import annotations

import getpass
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge import cli
from edge.errors import ConfigError
from edge.web import auth
from edge.web.access.access import Access
from edge.web.access.records import AccessError
from tests.pages import HASHED, PASSWORD, a_page, csrf, log_in, logged_in, the_access, token

OTHER = "another good one"


def test_the_file_is_its_owners_alone_and_holds_no_secret(tmp_path: Path) -> None:
    access = the_access(tmp_path)
    access.add_user("jo", "viewer", OTHER)
    _, secret = access.new_token("logger", ["events:read"], 90)
    file = tmp_path / "access.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert OTHER not in file.read_text()
    assert secret not in file.read_text()
    assert sorted(name for name in os.listdir(tmp_path) if not name.endswith(".lock")) == ["access.json"]


def test_a_file_that_came_by_a_copy_is_made_its_owners_again(tmp_path: Path) -> None:
    the_access(tmp_path).add_user("jo", "viewer", OTHER)
    (tmp_path / "access.json").chmod(0o644)
    assert the_access(tmp_path).user("jo")
    assert (tmp_path / "access.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"v": 2}', '{"users": [{"name": "x"}]}', '{"v": 1, "users": [], "more": 1}', "\x00" * 20])
def test_a_damaged_file_is_refused_in_a_sentence_and_only_the_configured_admin_gets_in(tmp_path: Path, content: str) -> None:
    the_access(tmp_path).add_user("jo", "admin", OTHER)
    page = a_page(tmp_path)
    inside = logged_in(page, "jo", OTHER)
    (tmp_path / "access.json").write_text(content)
    with pytest.raises(AccessError, match=r"access\.json: is damaged.*; put a good copy back, or move it away"):
        the_access(tmp_path).add_user("al", "viewer", OTHER)
    assert (tmp_path / "access.json").read_text() == content
    assert inside.get("/api/status").status_code == 401
    assert log_in(page.test_client(), OTHER, name="jo") == (403, None)
    client = logged_in(page)
    assert "is damaged" in client.get("/api/users").json["problem"]


def test_a_damaged_file_locks_a_page_that_has_no_configured_admin(tmp_path: Path) -> None:
    """It may have held users: a page that opened itself to everyone would be the worse mistake."""
    (tmp_path / "access.json").write_text("{")
    assert a_page(tmp_path, hashed="", host="127.0.0.1").test_client().get("/api/status").status_code == 401


def test_changes_made_at_once_are_all_kept(tmp_path: Path) -> None:
    def add(number: int) -> None:
        the_access(tmp_path).new_token(f"t{number}", ["status:read"], 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    assert {one.name for one in the_access(tmp_path).tokens()} == {f"t{number}" for number in range(16)}


def test_the_first_user_is_an_admin_and_the_last_admin_stays(tmp_path: Path) -> None:
    access = the_access(tmp_path, "")
    with pytest.raises(AccessError, match="first user must be an admin"):
        access.add_user("jo", "viewer", OTHER)
    access.add_user("jo", "admin", OTHER)
    for change in (lambda: access.remove_user("jo"), lambda: access.set_role("jo", "viewer")):
        with pytest.raises(AccessError, match="last admin"):
            change()
    access.add_user("al", "admin", OTHER)
    access.remove_user("jo")
    assert [user.name for user in access.users()] == ["al"]


def test_the_configured_admin_is_not_removed_here(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="stands in the configuration file"):
        the_access(tmp_path).remove_user("admin")
    with pytest.raises(AccessError, match="always an admin"):
        the_access(tmp_path).set_role("admin", "viewer")


def test_a_password_changed_on_the_page_holds_until_the_config_has_a_new_one(tmp_path: Path) -> None:
    """Who forgot it sets another with `--set-password`, and that one wins."""
    the_access(tmp_path).set_password("admin", OTHER)
    page = a_page(tmp_path)
    assert log_in(page.test_client())[0] == 403
    logged_in(page, "admin", OTHER)
    forgotten = auth.hash_password("the third and last")
    page = a_page(tmp_path, hashed=forgotten)
    assert log_in(page.test_client(), OTHER)[0] == 403
    logged_in(page, "admin", "the third and last")


def test_a_token_opens_what_its_scopes_say_without_a_session(tmp_path: Path) -> None:
    page, access = a_page(tmp_path), the_access(tmp_path)
    _, secret = access.new_token("logger", ["status:read"], 1)
    client, head = page.test_client(), {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/status", headers=head).status_code == 200
    assert client.get("/api/events", headers=head).status_code == 403
    assert client.get("/api/me", headers=head).json["by"] == "token"
    assert "Set-Cookie" not in client.get("/api/me", headers=head).headers
    access.revoke_token("logger")
    refused = client.get("/api/status", headers=head)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("sent", ["", "pw_", "pw_" + "A" * 43, "\xe4", "A" * 10_000])
def test_a_made_up_token_opens_nothing(tmp_path: Path, sent: str) -> None:
    the_access(tmp_path).new_token("logger", ["status:read"], 1)
    assert a_page(tmp_path).test_client().get("/api/status", headers={"Authorization": f"Bearer {sent}"}).status_code == 401


def test_a_token_ends_by_itself(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 23, tzinfo=UTC)]
    access = Access(tmp_path / "access.json", HASHED, lambda: now[0])
    _, secret = access.new_token("logger", ["status:read"], 2)
    now[0] += timedelta(days=2, seconds=-1)
    assert access.token(secret)
    now[0] += timedelta(seconds=1)
    assert access.token(secret) is None
    access.new_token("logger", ["status:read"], 2)  # its name is free again


def test_no_token_makes_tokens(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="for people alone"):
        the_access(tmp_path).new_token("logger", ["access:write"], 1)


def test_the_last_use_is_noted_once_an_hour(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 23, tzinfo=UTC)]
    access = Access(tmp_path / "access.json", HASHED, lambda: now[0])
    access.new_token("logger", ["status:read"], 2)
    access.note("token", "logger")
    first = access.tokens()[0].last_used
    assert first is not None
    now[0] += timedelta(minutes=59)
    access.note("token", "logger")
    assert access.tokens()[0].last_used == first
    now[0] += timedelta(minutes=1)
    access.note("token", "logger")
    assert access.tokens()[0].last_used == "2026-11-23T01:00:00.000+00:00"


def test_one_changes_ones_own_password_and_all_ones_sessions_end_but_this(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    here, elsewhere = logged_in(page), logged_in(page)
    assert here.post("/api/me/password", json={"old": "wrong", "new": OTHER}, headers=csrf(here)).status_code == 403
    answer = here.post("/api/me/password", json={"old": PASSWORD, "new": OTHER}, headers=csrf(here))
    assert answer.status_code == 200
    assert (here.get("/api/me").status_code, elsewhere.get("/api/me").status_code) == (200, 401)
    assert here.get("/api/me").json["csrf"] == answer.json["csrf"]
    logged_in(page, "admin", OTHER)


def test_a_user_who_is_removed_is_out_at_once_and_so_is_one_with_a_new_password(tmp_path: Path) -> None:
    page, access = a_page(tmp_path), the_access(tmp_path)
    access.add_user("jo", "viewer", OTHER)
    client = logged_in(page, "jo", OTHER)
    access.set_password("jo", "and yet another")
    assert client.get("/api/me").status_code == 401
    client = logged_in(page, "jo", "and yet another")
    access.remove_user("jo")
    assert client.get("/api/me").status_code == 401
    access.add_user("jo", "admin", "and yet another")
    assert client.get("/api/me").status_code == 401  # another jo


def test_sessions_are_listed_and_ended_one_by_one(tmp_path: Path) -> None:
    page, access = a_page(tmp_path), the_access(tmp_path)
    access.add_user("jo", "viewer", OTHER)
    admin, jo = logged_in(page), logged_in(page, "jo", OTHER)
    assert {one["user"] for one in admin.get("/api/sessions").json["sessions"]} == {"admin", "jo"}
    mine = jo.get("/api/sessions").json["sessions"]
    assert [(one["user"], one["this"]) for one in mine] == [("jo", True)]
    theirs = admin.get("/api/me").json["session"]
    assert jo.delete(f"/api/sessions/{theirs}", headers=csrf(jo)).status_code == 404
    assert admin.delete(f"/api/sessions/{mine[0]['id']}", headers=csrf(admin)).status_code == 204
    assert jo.get("/api/me").status_code == 401


def test_the_page_on_this_machine_gets_its_first_password_from_the_page(tmp_path: Path) -> None:
    page = a_page(tmp_path, hashed="", host="127.0.0.1")
    client, other = page.test_client(), page.test_client()
    assert client.post("/api/me/password", json={"new": "short"}, headers=csrf(client)).status_code == 400
    assert other.get("/api/status").status_code == 200
    assert client.post("/api/me/password", json={"new": OTHER}, headers=csrf(client)).status_code == 200
    assert (client.get("/api/status").status_code, other.get("/api/status").status_code) == (200, 401)


def test_a_page_that_others_reach_shows_nothing_but_the_form_for_the_code(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "code.txt"
    with caplog.at_level(logging.WARNING):
        page = a_page(tmp_path, hashed="", setup_code_file=str(file))
    code = file.read_text().strip()
    assert code in caplog.text
    assert file.stat().st_mode & 0o777 == 0o600
    client = page.test_client()
    assert client.get("/").headers["Location"] == client.get("/login").headers["Location"] == "/setup"
    assert {client.get(path).status_code for path in ("/api/status", "/api/events", "/live.jpg", "/crops/1.jpg")} == {503}
    form = {"csrf": token(client, "/setup"), "password": OTHER, "again": OTHER}
    assert client.post("/setup", data=form | {"code": "AAAAA-AAAAA"}).status_code == 403
    assert client.post("/setup", data=form | {"code": code, "again": "differs"}).status_code == 400
    assert client.post("/setup", data=form | {"code": code.lower().replace("-", " ")}).headers["Location"] == "/"
    assert client.get("/api/me").json["name"] == "admin"
    assert not file.exists()
    thief = page.test_client()
    late = thief.post("/setup", data={"csrf": token(thief), "code": code, "password": "mine, all mine", "again": "mine, all mine"})
    assert late.status_code == 303
    assert log_in(page.test_client(), "mine, all mine")[0] == 403
    assert thief.get("/setup").headers["Location"] == "/"


def test_a_link_with_the_code_asks_for_the_password_alone(tmp_path: Path) -> None:
    (tmp_path / "code.txt").write_text("ABCDE-FGHIJ\n")
    client = a_page(tmp_path, hashed="", setup_code_file=str(tmp_path / "code.txt")).test_client()
    plain, linked, hostile = (client.get(f"/setup{query}").text for query in ("", "?code=ABCDE-FGHIJ", "?code=%22%3E%3Cscript%3Ealert(1)"))
    assert 'value="ABCDE-FGHIJ"' in linked
    assert ("journalctl" in plain, "journalctl" in linked) == (True, False)
    assert "<script>alert" not in hostile
    form = {"csrf": token(client, "/setup?code=ABCDE-FGHIJ"), "code": "ABCDE-FGHIJ", "password": OTHER, "again": OTHER}
    assert "journalctl" in client.post("/setup?code=ABCDE-FGHIJ", data=form | {"code": "wrong"}).text
    assert client.post("/setup", data=form).headers["Location"] == "/"
    assert client.get("/setup?code=ABCDE-FGHIJ").headers["Location"] == "/"


def test_a_code_that_lies_on_the_card_already_is_taken(tmp_path: Path) -> None:
    (tmp_path / "code.txt").write_text("my-own-code\n")
    page = a_page(tmp_path, hashed="", setup_code_file=str(tmp_path / "code.txt"))
    client = page.test_client()
    form = {"csrf": token(client, "/setup"), "code": "MYOWNCODE", "password": OTHER, "again": OTHER}
    assert client.post("/setup", data=form).headers["Location"] == "/"


def test_codes_are_not_guessed(tmp_path: Path) -> None:
    page = a_page(tmp_path, hashed="", setup_code_file=str(tmp_path / "code.txt"))
    client = page.test_client()
    form = {"csrf": token(client, "/setup"), "code": "wrong", "password": OTHER, "again": OTHER}
    codes = [client.post("/setup", data=form).status_code for _ in range(6)]
    assert codes == [403] * auth.FREE_FAILURES + [429] * 2


def test_when_the_last_password_vanishes_a_reachable_page_shuts(tmp_path: Path) -> None:
    the_access(tmp_path, "").add_user("jo", "admin", OTHER)
    page = a_page(tmp_path, hashed="")
    (tmp_path / "access.json").unlink()
    client = page.test_client()
    assert client.get("/api/status").status_code == 503
    assert "nobody can set one from here" in client.get("/setup").text
    with pytest.raises(ConfigError, match="will not listen on"):
        a_page(tmp_path, hashed="")


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "platewatch.toml").write_text(f'[web]\npassword_hash = "{HASHED}"\naccess = "access.json"\n')
    return str(tmp_path / "platewatch.toml")


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    given: Iterator[str] = iter(answers)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(given))


def test_users_and_tokens_from_the_command_line(tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typed(monkeypatch, OTHER, OTHER)
    assert cli.main(["web", "--config", config, "--add-user", "Jo", "--role", "operator"]) == 0
    assert cli.main(["web", "--config", config, "--new-token", "logger", "--scopes", "events:read, status:read"]) == 0
    secret = capsys.readouterr().out.splitlines()[-1]
    found = the_access(tmp_path).token(secret)
    assert found is not None
    assert found.scopes == ("status:read", "events:read")
    assert cli.main(["web", "--config", config, "--users"]) == 0
    listed = capsys.readouterr().out
    assert all(said in listed for said in ("admin", "jo", "operator", "logger", "events:read"))
    assert secret not in listed
    assert cli.main(["web", "--config", config, "--remove-user", "jo"]) == 0
    assert cli.main(["web", "--config", config, "--revoke-token", "logger"]) == 0
    assert json.loads((tmp_path / "access.json").read_text()) == {"v": 1, "users": [], "tokens": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--add-user", "J o"], "is no name; take"),
        (["--add-user", "jo", "--role", "root"], "is no role; there are viewer, operator, admin"),
        (["--add-user", "admin"], "already"),
        (["--remove-user", "jo"], "there is no user 'jo'"),
        (["--new-token", "x"], "at least one scope"),
        (["--new-token", "x", "--scopes", "event:read"], "'event:read' is no scope; there are status:read"),
        (["--new-token", "x", "--scopes", "status:read", "--days", "0"], "1 to 3650 days"),
        (["--revoke-token", "x"], "there is no token 'x'"),
        (["--fingerprint"], "HTTPS is off"),
    ],
)
def test_a_wrong_word_gets_one_sentence(config: str, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert cli.main(["web", "--config", config, *words]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    with pytest.raises(AccessError, match="cannot be written"):
        Access(tmp_path / "in the way" / "access.json", HASHED).new_token("x", ["status:read"], 1)
