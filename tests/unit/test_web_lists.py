"""The room and the API of the lists: everything by plain forms, nothing unreadable written, and who may only look changes nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.lists.files import read_list
from edge.lists.schedule import Schedule, Span
from edge.web.language import LANGUAGES
from edge.web.lists import words
from tests.known import a_household, stamps
from tests.pages import at_home, logged_in, say, the_access

OTHER = "another good one"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Flask]:
    config = a_household(tmp_path)
    yield from at_home(config, tmp_path)


@pytest.fixture
def client(page: Flask) -> FlaskClient:
    return logged_in(page)


def hidden(client: FlaskClient, path: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', client.get(path).text)
    return found[1] if found else ""


def post(client: FlaskClient, path: str, look: str = "/lists/family.toml", **fields: Any) -> tuple[int, str]:
    kept = {"csrf": hidden(client, look, "csrf"), "etag": hidden(client, look, "etag")}
    answer = client.post(path, data=kept | fields, content_type="multipart/form-data")
    return answer.status_code, answer.text


def plates(folder: Path) -> list[str]:
    from edge.lists.settings import ListsConfig

    return [entry.plate for entry in read_list(folder / "lists/family.toml", "allow", ListsConfig()).entries]


def test_entries_are_added_changed_and_removed_by_forms(client: FlaskClient, tmp_path: Path) -> None:
    assert post(client, "/lists/family.toml/entries", plate="k-aa 7", name="Eva", times="Mon-Fri 07:00-18:00")[0] == 303
    assert plates(tmp_path)[-1] == "KAA7"
    edited = client.get("/lists/family.toml?edit=KAA7").text
    assert 'value="Mon-Fri 07:00-18:00"' in edited
    assert post(client, "/lists/family.toml/entries/KAA7", plate="K AA 8", name="Eva")[0] == 303
    assert plates(tmp_path)[-1] == "KAA8"
    assert post(client, "/lists/family.toml/entries/KAA8/remove")[0] == 303
    assert "KAA8" not in plates(tmp_path)


def test_a_plate_that_was_removed_is_nowhere_any_more(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "lists/family.toml.previous").write_text("of an older Platewatch: B AB 1234")
    assert post(client, "/lists/family.toml/entries/BAB1234/remove")[0] == 303
    held = [file.name for file in (tmp_path / "lists").iterdir() if "AB 1234" in file.read_text()]
    assert held == []


@pytest.mark.parametrize(
    ("field", "fields", "said"),
    [
        ("plate", {"plate": "Я"}, "does not know"),
        ("plate", {"plate": "B AB 1234"}, "already"),
        ("times", {"plate": "X 1", "times": "Montag"}, "is no time of the week"),
        ("from", {"plate": "X 1", "from": "1.2.2026"}, "write a date like"),
        ("until", {"plate": "X 1", "from": "2026-02-02", "until": "2026-01-01"}, "is before from"),
        ("name", {"plate": "X 1", "name": "a\tb"}, "cannot be written"),
    ],
)
def test_the_parsers_sentence_stands_at_its_field_and_what_was_typed_stays(
    client: FlaskClient, tmp_path: Path, field: str, fields: dict[str, str], said: str
) -> None:
    before = (tmp_path / "lists/family.toml").read_bytes()
    code, shown = post(client, "/lists/family.toml/entries", **fields)
    assert code == 409
    line = re.search(rf'<p class="error" id="f-{field}-error"[^>]*>([^<]+)</p>', shown)
    assert line is not None
    assert said in line[1]
    assert str(tmp_path) not in line[1]
    assert re.search(rf'id="f-{field}"[^>]*aria-invalid="true"', shown)
    assert (tmp_path / "lists/family.toml").read_bytes() == before


def test_who_has_read_an_older_list_is_told_and_nothing_is_lost(client: FlaskClient, tmp_path: Path) -> None:
    etag = hidden(client, "/lists/family.toml", "etag")
    assert post(client, "/lists/family.toml/entries", plate="K AA 7")[0] == 303
    code, shown = post(client, "/lists/family.toml/entries", plate="K AA 9", etag=etag)
    assert (code, "somebody else" in shown, 'value="K AA 9"' in shown) == (409, True, True)
    assert plates(tmp_path)[-1] == "KAA7"


def test_an_import_is_shown_before_it_is_written(client: FlaskClient, tmp_path: Path) -> None:
    csv = b"plate,name\nB AB 1234,Anna B.\nK AA 7,Eva\n?,nobody\n"
    before = plates(tmp_path)
    code, shown = post(client, "/lists/family.toml/import", file=(io.BytesIO(csv), "in.csv"))
    assert code == 200
    assert all(said in shown for said in ("1 new", "1 changed", "1 refused", "Line 4", "<ins>Anna B.</ins>", "Write 2 entries"))
    assert plates(tmp_path) == before
    assert post(client, "/lists/family.toml/import", csv=csv.decode())[0] == 303
    assert plates(tmp_path) == [*before, "KAA7"]
    code, shown = post(client, "/lists/family.toml/import", file=(io.BytesIO(b"nope\n1\n"), "in.csv"))
    assert (code, "unknown key" in shown) == (409, True)
    assert post(client, "/lists/family.toml/import", file=(io.BytesIO(b"plate\n" + b"#" * 460_000), "in.csv"))[0] == 409


def test_a_list_is_begun_and_used_no_more(client: FlaskClient, tmp_path: Path) -> None:
    assert post(client, "/lists", name="guests", kind="deny")[0] == 303
    assert 'deny = ["lists/unwanted.csv", "lists/guests.toml"]' in (tmp_path / "platewatch.toml").read_text()
    assert "Nobody is on this list yet" in client.get("/lists/guests.toml").text
    code, shown = post(client, "/lists", name="../guests", kind="deny")
    assert (code, "is no name for a file" in shown) == (409, True)
    assert post(client, "/lists/guests.toml/drop")[0] == 303
    assert client.get("/lists/guests.toml").status_code == 404
    assert (tmp_path / "lists/guests.toml").exists()


def test_the_tolerance_is_kept_above_the_plates(client: FlaskClient, tmp_path: Path) -> None:
    assert post(client, "/lists/family.toml/tolerance", tolerance="0.8")[0] == 303
    assert client.get("/api/lists/family.toml").json["tolerance"] == 0.8
    (tmp_path / "lists/family.toml").write_text('# mine\n[[plates]]\nplate = "X 1"\n')
    assert post(client, "/lists/family.toml/tolerance", tolerance="0.2")[0] == 303
    assert (tmp_path / "lists/family.toml").read_text().startswith("# mine\ntolerance = 0.2\n")
    code, shown = post(client, "/lists/unwanted.csv/tolerance", "/lists/unwanted.csv", tolerance="0.2")
    assert (code, "no place for a tolerance" in shown) == (409, True)


def test_a_wider_tolerance_lets_more_in(client: FlaskClient) -> None:
    odds = [client.get(f"/api/lists/family.toml/reach?tolerance={wide}").json["odds"]["p"] for wide in (0, 0.3, 0.6, 1)]
    assert odds == sorted(odds)
    assert odds[0] < odds[-1]
    one = client.get("/api/lists/family.toml/reach?plate=b-ab-1234").json
    assert one["nearest"] == [{"text": "BABI234", "distance": 0.3}]
    assert client.get("/api/lists/family.toml/reach?plate=ZZ1").status_code == 409


def test_a_plate_that_is_tried_is_told_whose_it_is_and_who_is_near(client: FlaskClient) -> None:
    found = client.get("/api/match?text=k-00-100").json  # an O too near to two lists: the stronger one wins
    assert (found["match"]["kind"], {one["list"] for one in found["near"]}) == ("deny", {"Family", "unwanted"})
    old = next(one for one in found["near"] if one["list"] == "Family")
    assert (old["within"], old["due"]) == (False, False)
    assert client.get("/api/match?text=ZZZ999").json["match"] is None
    shown = client.get("/lists?test=B+AB+1234").text
    assert "Taken for BAB1234 of Family." in shown
    assert "does not know" in client.get("/lists?test=%D0%AF1").text


def test_lists_that_contradict_each_other_are_shown(client: FlaskClient) -> None:
    clash = client.get("/api/lists").json["clashes"]
    assert [(one["plate"], one["rival"], one["rival_kind"]) for one in clash] == [("KOO100", "KO0100", "deny")]
    assert "Not welcome” wins" in client.get("/lists").text


def test_it_is_told_whether_the_daemon_has_taken_the_lists_or_why_not(client: FlaskClient, page: Flask, tmp_path: Path) -> None:
    assert "The daemon does not run" in client.get("/lists").text
    config = page.extensions["daemon_files"].config
    say(tmp_path, lists={"plates": 6, "trouble": "", "files": stamps(config)})
    assert all(one["taken"] for one in client.get("/api/lists").json["lists"])
    assert "In force" in client.get("/lists/family.toml").text
    post(client, "/lists/family.toml/entries", plate="K AA 7")
    assert "Not yet in force" in client.get("/lists/family.toml").text
    say(tmp_path, lists={"plates": 6, "trouble": "family.toml, line 3: is broken", "files": stamps(config)})
    assert "line 3: is broken" in client.get("/lists").text


def test_a_list_that_cannot_be_read_is_said_and_the_others_stand(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "lists/family.toml").write_text("plates = 3")
    assert "plates must be tables" in client.get("/lists").text
    assert "plates must be tables" in client.get("/lists/family.toml").text
    assert client.get("/api/lists/family.toml").status_code == 409
    assert client.get("/api/lists/unwanted.csv").json["found"] == 2


def test_a_plate_from_an_event_finds_its_form(client: FlaskClient) -> None:
    assert 'href="/lists/family.toml?plate=AB12CDE#add"' in client.get("/lists?plate=AB12CDE").text
    assert re.search(r'name="plate" type="text" value="AB12CDE"', client.get("/lists/family.toml?plate=AB12CDE").text)


def test_the_api_does_what_the_forms_do(page: Flask, client: FlaskClient, tmp_path: Path) -> None:
    head = {"X-CSRF-Token": client.get("/api/me").json["csrf"]}
    etag = client.get("/api/lists/family.toml").json["etag"]
    made = client.post("/api/lists/family.toml/entries", json={"plate": "K AA 7", "from": "2026-01-01", "etag": etag}, headers=head)
    assert made.status_code == 201
    etag = made.json["etag"]
    assert client.get("/api/lists/family.toml?text=kaa").json["entries"][0]["from"] == "2026-01-01"
    etag = client.put("/api/lists/family.toml/entries/KAA7", json={"plate": "K AA 8", "etag": etag}, headers=head).json["etag"]
    told = client.post("/api/lists/family.toml/import", data=b"plate\nK AA 9\n", headers=head | {"Content-Type": "text/csv"}).json
    assert (len(told["new"]), told["written"]) == (1, False)
    told = client.post(f"/api/lists/family.toml/import?write=1&etag={etag}", data=b"plate\nK AA 9\n", headers=head | {"Content-Type": "text/csv"}).json
    assert client.delete(f"/api/lists/family.toml/entries/kaa8?etag={told['etag']}", headers=head).status_code == 200
    assert plates(tmp_path)[-1] == "KAA9"
    assert client.get("/api/lists/family.toml/export").text.splitlines()[-1] == "K AA 9,,,,,,"
    assert client.post("/api/lists", json={"name": "new.csv", "kind": "ignore"}, headers=head).status_code == 201
    assert client.patch("/api/lists/new.csv", json={"tolerance": 0.1, "etag": ""}, headers=head).status_code == 409
    assert client.delete("/api/lists/new.csv", headers=head).status_code == 204


def test_a_viewer_looks_and_changes_nothing(page: Flask, tmp_path: Path) -> None:
    the_access(tmp_path).add_user("jo", "viewer", OTHER)
    client = logged_in(page, "jo", OTHER)
    shown = client.get("/lists/family.toml").text
    assert "BAB1234" in re.sub(r"<[^>]+>", "", shown)
    assert 'method="post" action="/lists' not in shown
    assert 'action="/lists"' not in client.get("/lists").text
    before = (tmp_path / "lists/family.toml").read_bytes(), (tmp_path / "platewatch.toml").read_bytes()
    for path in ("", "/family.toml/entries", "/family.toml/entries/BAB1234", "/family.toml/entries/BAB1234/remove", "/family.toml/import", "/family.toml/drop"):
        assert post(client, f"/lists{path}", "/lists")[0] == 403
    head = {"X-CSRF-Token": client.get("/api/me").json["csrf"]}
    assert client.post("/api/lists", json={"name": "x.toml", "kind": "allow"}, headers=head).status_code == 403
    assert client.delete("/api/lists/family.toml", headers=head).status_code == 403
    assert before == ((tmp_path / "lists/family.toml").read_bytes(), (tmp_path / "platewatch.toml").read_bytes())


def test_names_of_people_are_text_and_never_markup(client: FlaskClient) -> None:
    post(client, "/lists/family.toml/entries", plate="X 1", name="<script>alert(1)</script>")
    assert "<script>alert" not in client.get("/lists/family.toml").text


@pytest.mark.parametrize(
    ("span", "en", "de"),
    [
        (Span(frozenset(range(5)), 420, 1080), "Mon–Fri 07:00–18:00", "Mo–Fr 07:00–18:00"),
        (Span(frozenset({5, 6, 0})), "Sat–Mon", "Sa–Mo"),
        (Span(frozenset({0, 2}), 0, 90), "Mon, Wed 00:00–01:30", "Mo, Mi 00:00–01:30"),
        (Span(frozenset(range(7)), 1320, 120), "daily 22:00–02:00", "täglich 22:00–02:00"),
    ],
)
def test_times_are_said_as_people_say_them(span: Span, en: str, de: str) -> None:
    assert [words.span_words(span, LANGUAGES[code]) for code in ("en", "de")] == [en, de]
    assert words.dates(Schedule(None, datetime(2026, 12, 31).date()), LANGUAGES["de"]) == "bis 31. Dez. 2026"
