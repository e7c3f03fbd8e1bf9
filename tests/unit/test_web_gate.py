"""The room and the API of the gate: its state in words, why it opened or not, and a test that nobody makes by accident."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.errands import Answer, Errand, Errands
from edge.gate.conditions import CONDITIONS, conditions
from edge.gate.decide import REASONS, Situation, decide
from edge.gate.decisions import Decisions
from edge.gate.duty import Duty
from edge.gate.settings import GateConfig
from edge.records import Match
from edge.store import Store
from edge.web.gate.chapter import chapter
from edge.web.gate.told import state_of
from tests.builders import an_event
from tests.gates import a_gate_config, a_pass
from tests.known import a_household, a_row, an_audit, of_the_gate
from tests.pages import at_home, logged_in, say, the_access, token

OTHER = "another good one"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Flask]:
    config = a_household(tmp_path)
    an_audit(config)
    with Store(tmp_path / "events.sqlite") as store:
        store.add(an_event("three", "MXY8801", crop_jpeg=b"jpeg"))
        store.add(an_event("zero", "FRA99", crop_jpeg=b""))
    yield from at_home(config, tmp_path)


@pytest.fixture
def client(page: Flask) -> FlaskClient:
    return logged_in(page)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[list[Errand]]:
    """One that answers the errand; what it was asked."""
    say(tmp_path, gate=of_the_gate())
    asked: list[Errand] = []

    def clerk(errand: Errand) -> Answer:
        asked.append(errand)
        return Answer(True, "the relay was switched on for 0.8 s")

    errands, stop = Errands(tmp_path / "run", {"gate test": clerk}), threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            errands.tend()

    thread = threading.Thread(target=work)
    thread.start()
    yield asked
    stop.set()
    thread.join()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize(
    ("told", "alive", "enabled", "state"),
    [
        ({"gate": of_the_gate()}, True, False, "off"),
        (None, False, True, "gone"),
        ({"gate": of_the_gate()}, False, True, "gone"),
        ({}, True, True, "starting"),
        ({"gate": of_the_gate(dry_run=True)}, True, True, "dry_run"),
        ({"gate": of_the_gate()}, True, True, "armed"),
        ({"gate": of_the_gate(trouble="the hand died")}, True, True, "fault"),
        ({"gate": of_the_gate(), "lists": {"trouble": "line 3"}}, True, True, "fault"),
    ],
)
def test_the_state_is_one_of_six(told: dict[str, Any] | None, alive: bool, enabled: bool, state: str) -> None:
    assert state_of(GateConfig(enabled=enabled), told, alive)[0] == state


def test_every_reason_but_the_good_one_belongs_to_one_condition() -> None:
    assert sorted(reason for reasons in CONDITIONS.values() for reason in reasons) == sorted(set(REASONS) - {"welcome"})


def test_the_conditions_stand_in_the_order_in_which_the_gate_asks() -> None:
    """A pass at which all is wrong is mended one by one: each time the first no is the next condition."""
    config = a_gate_config(second_factor="file")
    wrong: dict[str, Any] = {"match": None, "agreeing": 1, "confidence": 0.1, "in_view_s": 0.0, "direction": "left"}
    at: dict[str, Any] = {"lists_trouble": "x", "opened_at": {"AB12CDE": 99.0}, "factor": (False, ""), "relay_trouble": "x", "relay_rested": False}
    mends = [
        lambda: at.update(lists_trouble=""), lambda: wrong.update(match=Match("family", "allow", "AB12CDE", due=False)),
        lambda: wrong.update(match=Match("family", "allow", "AB12CDE")), lambda: wrong.update(agreeing=5), lambda: wrong.update(confidence=0.9),
        lambda: wrong.update(in_view_s=2.0), lambda: wrong.update(direction="approaching"), lambda: at.update(opened_at={}),
        lambda: at.update(factor=(True, "")), lambda: at.update(relay_trouble=""),
    ]  # fmt: skip
    failed = []
    for mend in [*mends, lambda: None]:
        decision = decide(a_pass(**wrong), Situation(100.0, **at), config)
        failed.append(next(one.name for one in conditions(a_row(reason=decision.reason), config) if one.met == "no"))
        mend()
    assert list(dict.fromkeys(failed)) == [name for name in CONDITIONS if name != "not_refused"]


def test_what_was_met_what_not_and_what_was_not_asked() -> None:
    told = {one.name: one for one in conditions(a_row(reason="does not approach", agreeing=3, direction="left"), GateConfig(enabled=True))}
    assert (told["reads"].met, told["reads"].found, told["reads"].wanted) == ("yes", "3", "3")
    assert (told["approach"].met, told["approach"].found, told["pause"].met, told["relay"].met) == ("no", "left", "unasked", "unasked")
    assert "factor" not in told
    assert {one.met for one in conditions(a_row(), GateConfig())} == {"yes"}
    before = conditions(a_row(reason="does not approach"), GateConfig(approach=False))
    assert [one.name for one in before if one.met == "no"] == ["approach"]


def test_the_audit_is_read_in_parts(tmp_path: Path) -> None:
    config = a_household(tmp_path)
    assert Decisions(tmp_path / "gate.sqlite").some() == []
    an_audit(config)
    rows = Decisions(tmp_path / "gate.sqlite")
    assert [one.row.event for one in rows.some(limit=2)] == ["three", "two"]
    assert [one.row.event for one in rows.some(limit=9, before=rows.some(limit=2)[-1].seq)] == ["", "one", "zero"]
    assert [[one.row.event for one in rows.some(which)] for which in ("opened", "refused", "test")] == [["one"], ["three", "two", "zero"], [""]]
    last = rows.last_pass()
    assert last is not None
    assert last.row.reason == "does not approach"


def test_the_relays_minute_is_told() -> None:
    duty = Duty(0.2)
    duty.take(2.0, 10.0)
    assert [duty.on_s(now) for now in (10.0, 11.0, 30.0, 71.0, 99.0)] == [0.0, 1.0, 2.0, 1.0, 0.0]


def test_the_room_says_why_it_stayed_closed(client: FlaskClient, tmp_path: Path) -> None:
    say(tmp_path, gate=of_the_gate(dry_run=True))
    shown = text_of(client.get("/gate").text)
    assert "Gate: dry run" in shown
    assert "Does not come nearer" in shown
    assert "Enough reads agree 3 agree, 3 needed" in shown
    assert "Comes nearer passing to the left" in shown
    assert "on 0.8 s of 12.0 s" in shown
    assert "test by jo" in shown
    html = client.get("/gate").text
    assert 'src="/crops/three.jpg"' in html
    assert "/crops/zero.jpg" not in html  # it has no picture
    assert 'href="/events/two"' not in html  # the event is gone
    german = text_of(client.get("/gate?which=opened", headers={"Accept-Language": "de"}).text)
    assert "Probelauf" in german
    assert "DSP4711" not in german


def test_pages_of_decisions(client: FlaskClient) -> None:
    first = client.get("/api/gate/decisions?limit=3").json
    assert [len(first["decisions"]), len(client.get(f"/api/gate/decisions?limit=3&before={first['next']}").json["decisions"])] == [3, 2]
    assert client.get("/api/gate/decisions?which=refused").json["next"] is None
    csv = client.get("/api/gate/decisions.csv").text.splitlines()
    assert (csv[0].split(",")[:3], len(csv)) == (["at", "camera", "event"], 6)


def test_a_test_needs_the_word_and_is_made_in_the_users_name(client: FlaskClient, daemon: list[Errand]) -> None:
    kept = {"csrf": token(client, "/gate")}
    shown = client.post("/gate/test", data=kept | {"word": "opne"})
    assert (shown.status_code, "Nothing was done" in shown.text, daemon) == (400, True, [])
    shown = client.post("/gate/test", data=kept | {"word": " Open "})
    assert (shown.status_code, "The relay was switched on for 0.8 s." in shown.text) == (200, True)
    shown = client.post("/gate/test", data=kept | {"word": "öffnen"}, headers={"Accept-Language": "de"})
    assert shown.status_code == 200
    assert [one.who for one in daemon] == ["admin", "admin"]
    head = {"X-CSRF-Token": client.get("/api/me").json["csrf"]}
    assert client.post("/api/gate/test", headers=head).json == {"ok": True, "sentence": "the relay was switched on for 0.8 s"}


def test_without_a_daemon_or_with_the_gate_off_there_is_no_test(client: FlaskClient, tmp_path: Path) -> None:
    shown = client.get("/gate").text
    assert "does not run" in shown
    assert 'name="word"' not in shown
    assert client.post("/gate/test", data={"csrf": token(client, "/gate"), "word": "open"}).status_code == 409
    path = tmp_path / "platewatch.toml"
    path.write_text(path.read_text().replace("enabled = true", "enabled = false"))
    assert "the gate is off" in client.get("/gate").text


def test_a_viewer_sees_the_gate_but_neither_tests_it_nor_takes_its_rows_away(page: Flask, daemon: list[Errand], tmp_path: Path) -> None:
    the_access(tmp_path).add_user("jo", "viewer", OTHER)
    client = logged_in(page, "jo", OTHER)
    shown = client.get("/gate").text
    assert "Does not come nearer" in shown
    assert 'name="word"' not in shown
    assert "decisions.csv" not in shown
    assert client.post("/gate/test", data={"csrf": token(client, "/login" if 'name="csrf"' not in shown else "/gate"), "word": "open"}).status_code == 403
    assert client.post("/api/gate/test", headers={"X-CSRF-Token": client.get("/api/me").json["csrf"]}).status_code == 403
    assert client.get("/api/gate/decisions.csv").status_code == 403
    assert daemon == []


def test_the_risks_are_those_of_the_documents(client: FlaskClient) -> None:
    blocks = chapter("gate.md", "What is protected, and what is not")
    assert blocks
    assert len(blocks[0].rows) > 8
    shown = text_of(client.get("/gate/protection").text)
    assert "a sheet of paper or a telephone held up" in shown
    assert "**" not in shown
    assert "sheet of paper" in client.get("/gate").text


def test_the_words_of_a_command_stay_on_the_device(client: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "platewatch.toml"
    path.write_text(path.read_text().replace("enabled = true", 'enabled = true\ncommand = ["/usr/bin/relay", "--key", "s3cret"]'))
    assert client.get("/api/gate").json["way"] == {"kind": "command", "name": "relay"}
    assert "s3cret" not in client.get("/gate").text


def test_an_audit_that_cannot_be_read_is_said(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "gate.sqlite").write_bytes(b"no database" * 100)
    assert "cannot be read" in client.get("/gate").text
    assert client.get("/api/gate/decisions").status_code == 503
