"""The door of the page: passwords, the pace of guesses, sessions, forged forms."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from edge.errors import ConfigError
from edge.web import app as web
from edge.web import auth
from edge.web.sessions import LIFE_S, Sessions, kind_of
from tests.pages import HASHED, PASSWORD, a_config, a_page, log_in, token

UPDATED = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """A page with a password, open to others."""
    return a_page(tmp_path).test_client()


def test_a_hash_is_salted_and_fits_its_password_alone() -> None:
    assert auth.hash_password(PASSWORD) != HASHED
    assert auth.is_password(PASSWORD, HASHED)
    assert not auth.is_password(PASSWORD + " ", HASHED)


@pytest.mark.parametrize("hashed", ["secret", "md5$1$1$1$AAAA$AAAA", "scrypt$3$8$1$AAAA$AAAA", "scrypt$16384$8$1$*$AAAA", "scrypt$16384$8$1$AAAA$"])
def test_what_is_no_hash_is_refused(hashed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        auth.is_password("", hashed)


def test_guesses_are_free_at_first_then_double_up_to_a_quarter_of_an_hour() -> None:
    assert [auth.wait_s(failures) for failures in (0, 3, 4, 5, 6, 12, 400)] == [0, 0, 2, 4, 8, 512, 900]


def test_the_pace_counts_by_guesser_and_forgets_after_the_right_password() -> None:
    pace = auth.LoginPace()
    assert [pace.begin("a", now=0.0) for _ in range(5)] == [0, 0, 0, 0, 2]
    assert pace.begin("b", now=0.0) == 0
    assert pace.begin("a", now=2.0) == 0
    assert pace.begin("a", now=2.0) == 4
    pace.succeed("a")
    assert pace.begin("a", now=2.0) == 0


def test_the_memory_of_guessers_is_bounded() -> None:
    pace = auth.LoginPace()
    for number in range(auth.KEPT + 5):
        pace.begin(str(number), 0.0)
    assert len(pace._failures) == auth.KEPT


def test_one_network_of_ipv6_is_one_guesser() -> None:
    assert auth.guesser("2001:db8::1") == auth.guesser("2001:db8::ffff") != auth.guesser("2001:db8:0:1::1")
    assert auth.guesser("::ffff:192.0.2.1") == auth.guesser("192.0.2.1")
    assert auth.guesser(None) == "unknown"


def test_a_session_ends_by_time_by_disuse_and_by_closing() -> None:
    sessions = Sessions(idle_s=60.0)
    used, idle, closed = (sessions.open("jo", "", 0.0)[0] for _ in range(3))
    session = sessions.use(closed, 0.0, "")
    assert session is not None
    assert sessions.close(session.id)
    for at in range(0, 120, 59):
        assert sessions.use(used, float(at), "")
    assert not any(sessions.use(token, 60.0, "") for token in (idle, closed, None, "", "made up"))
    for at in range(120, int(LIFE_S), 59):
        sessions.use(used, float(at), "")
    assert sessions.use(used, LIFE_S, "") is None


def test_a_stream_that_stays_open_is_use() -> None:
    sessions = Sessions(idle_s=60.0)
    _, session = sessions.open("jo", "", 0.0)
    assert sessions.touch(session.id, 59.0)
    assert sessions.touch(session.id, 118.0)
    assert sessions.touch(session.id, 178.0) is None


def test_another_kind_of_browser_ends_a_session_and_an_update_does_not() -> None:
    sessions = Sessions()
    token, _ = sessions.open("jo", "", 0.0, agent=UPDATED.format(145))
    assert sessions.use(token, 1.0, UPDATED.format(146))
    assert sessions.use(token, 2.0, "curl/8.5.0") is None
    assert sessions.use(token, 3.0, UPDATED.format(146)) is None
    assert kind_of("x" * 1000) == "x" * 300


def test_guesses_from_many_addresses_are_slowed_too_and_who_was_right_once_is_not_held_up() -> None:
    """A thousand addresses have four free guesses each; the user's own pace makes them twenty together."""
    paces = auth.TwoPaces()
    paces.begin("home", "jo", 0.0)
    paces.succeed("home", "jo")
    tried = sum(paces.begin(f"address {number}", "jo", float(second)) == 0 for second in range(600) for number in range(50 * second, 50 * second + 50))
    assert tried <= auth.FREE_FAILURES_OF_ALL + 5 + 600 / auth.LONGEST_WAIT_OF_ALL_S
    assert paces.begin("home", "jo", 600.0) == 0
    assert paces.begin("elsewhere", "al", 600.0) == 0


def test_nothing_that_was_seen_is_shown_without_a_log_in(client: FlaskClient) -> None:
    for path in ("/api/status", "/api/events", "/api/stream", "/crops/1.jpg", "/live.jpg"):
        assert client.get(path).status_code == 401
    answer = client.get("/events?text=AB")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/events?text%3DAB")
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_the_password_opens_and_leads_on(client: FlaskClient) -> None:
    assert log_in(client, "wrong") == (403, None)
    assert log_in(client) == (303, "/events?text=A")
    assert client.get("/api/status").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/\r\nX: y"])
def test_the_log_in_leads_nowhere_else(client: FlaskClient, onward: str) -> None:
    assert log_in(client, onward=onward) == (303, "/")


def test_a_form_from_elsewhere_is_refused(client: FlaskClient) -> None:
    assert client.post("/login", data={"password": PASSWORD}).status_code == 400
    client.get("/login")
    assert client.post("/login", data={"password": PASSWORD, "csrf": "guessed"}).status_code == 400
    log_in(client)
    assert client.post("/logout").status_code == 400
    assert client.get("/").status_code == 200


def test_a_log_out_ends_a_stolen_cookie_too(client: FlaskClient) -> None:
    log_in(client)
    thief = client.application.test_client()
    stolen = client.get_cookie("platewatch")
    assert stolen is not None
    thief.set_cookie("platewatch", stolen.value)
    assert thief.get("/api/status").status_code == 200
    assert client.post("/logout", data={"csrf": token(client, "/")}).status_code == 303
    assert thief.get("/api/status").status_code == client.get("/api/status").status_code == 401


def test_many_wrong_passwords_make_even_the_right_one_wait(client: FlaskClient) -> None:
    for _ in range(auth.FREE_FAILURES):
        assert log_in(client, "wrong")[0] == 403
    answer = client.post("/login", data={"csrf": token(client), "password": PASSWORD})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")


def test_a_form_of_a_gigabyte_is_not_read(client: FlaskClient) -> None:
    assert client.post("/login", data={"password": "x" * 20_000}).status_code == 413


@pytest.mark.parametrize(("answers", "said"), [(["short"], "at least 8"), ([PASSWORD, "another one"], "differ"), ([PASSWORD, PASSWORD], None)])
def test_a_password_is_asked_twice_and_only_its_hash_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: list[str], said: str | None
) -> None:
    given: Iterator[str] = iter(answers)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(given))
    args = argparse.Namespace(set_password=True, config="platewatch.toml")
    if said:
        with pytest.raises(ConfigError, match=said):
            web.run(args)
        return
    assert web.run(args) == 0
    printed = capsys.readouterr().out
    assert PASSWORD not in printed
    assert auth.is_password(PASSWORD, printed.split('"')[1])


def test_the_page_will_not_listen_to_others_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="will not listen on"):
        web.create_app(a_config(tmp_path, ""))
    with pytest.raises(ConfigError, match="is not a hash"):
        web.create_app(a_config(tmp_path, "secret"))
