"""Many devices: the inventory, who goes first, how many at a time, and when no more are begun."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from deploy.fleet import inventory, report
from deploy.fleet.acts import Clock, Outcome
from deploy.fleet.crew import Crew, Plan, in_order, too_many
from deploy.fleet.inventory import Device, FleetError
from deploy.fleet.table import Board

EXAMPLE = Path(__file__).parents[2] / "deploy/fleet/example.toml"


def devices(*names, canaries=()):
    return [Device(name, name, groups=("canary",) if name in canaries else ()) for name in names]


def a_crew(bad=(), still_well=lambda device: "", clock=None):
    """(crew, the order in which devices were begun, outcomes as they were told)."""
    begun, told = [], []

    def do(device):
        begun.append(device.name)
        return Outcome(device.name, "failed" if device.name in bad else "ok", "")

    return Crew(do, still_well, told.append, clock=clock), begun, told


def states(outcomes):
    return {one.device: one.state for one in outcomes}


def test_canaries_go_first_and_the_others_only_after_them():
    crew, begun, told = a_crew()
    outcomes = crew.work(devices("a", "b", "c", "d", canaries=("c",)), Plan(1, 1))
    assert begun == ["c", "a", "b", "d"]
    assert [one.device for one in outcomes] == ["a", "b", "c", "d"]
    assert len(told) == 4
    assert in_order(devices("a", "b"), 0) == ([], devices("a", "b"))


def test_a_canary_that_fails_holds_all_others():
    crew, begun, _ = a_crew(bad=("a",))
    outcomes = crew.work(devices("a", "b", "c"), Plan(4, 1, stop_at=1.0))
    assert begun == ["a"]
    assert states(outcomes) == {"a": "failed", "b": "held", "c": "held"}


def test_a_canary_that_falls_ill_while_it_is_watched_holds_all_others():
    """Watched for a minute of the injected clock, in looks of ten seconds; at the fourth it is ill."""
    now, looks = [0.0], []

    def still_well(device):
        looks.append(now[0])
        return "no pictures" if now[0] >= 30 else ""

    crew, begun, told = a_crew(still_well=still_well, clock=Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds)))
    outcomes = crew.work(devices("a", "b"), Plan(4, 1, watch_s=60.0))
    assert looks == [0.0, 10.0, 20.0, 30.0]
    assert begun == ["a"]
    assert states(outcomes) == {"a": "failed", "b": "held"}
    assert outcomes[0].words == "did not stay well: no pictures"
    assert [one.device for one in told] == ["a", "a", "b"]


def test_a_canary_that_stays_well_lets_the_others_go():
    now = [0.0]
    crew, begun, _ = a_crew(clock=Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds)))
    assert set(states(crew.work(devices("a", "b"), Plan(4, 1, watch_s=60.0))).values()) == {"ok"}
    assert now[0] == 60.0
    assert begun == ["a", "b"]


def test_no_more_are_begun_once_too_many_failed():
    """A quarter of eight is two: the second failure ends it."""
    crew, begun, _ = a_crew(bad=("b", "d", "f"))
    outcomes = crew.work(devices(*"abcdefgh"), Plan(1))
    assert begun == ["a", "b", "c", "d"]
    assert [one.state for one in outcomes] == ["ok", "failed", "ok", "failed", "held", "held", "held", "held"]
    assert outcomes[-1].words == "2 of 8 failed"


@pytest.mark.parametrize(
    ("failed", "all_of_them", "stop_at", "end"), [(0, 1, 0.25, False), (1, 4, 0.25, True), (1, 5, 0.25, False), (4, 4, 1.0, True), (3, 4, 1.0, False)]
)
def test_the_failing_share(failed, all_of_them, stop_at, end):
    assert too_many(failed, all_of_them, stop_at) is end


def test_never_more_at_a_time_than_told():
    """Each waits until as many as allowed are at work, so the bound is reached, and never passed."""
    together, most, lock, gate = [0], [0], threading.Lock(), threading.Barrier(3, timeout=60)

    def do(device):
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        gate.wait()
        with lock:
            together[0] -= 1
        return Outcome(device.name, "ok", "")

    outcomes = Crew(do, lambda device: "").work(devices(*"abcdef"), Plan(3))
    assert set(states(outcomes).values()) == {"ok"}
    assert most[0] == 3


def test_the_example_is_valid_and_says_what_a_device_is():
    found = {device.name: device for device in inventory.load(EXAMPLE)}
    assert found["gate"].address == "admin@gate.local"
    assert found["gate"].vars == {"country": "gb", "broker": "broker.lan", "direction": "in"}
    assert found["barrier"].vars["country"] == "ie"
    assert [device.name for device in inventory.chosen(list(found.values()), ["canary"])] == ["gate"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no device"),
        ("[devices", "not valid TOML"),
        ("[device.gate]", "did you mean 'devices'"),
        ("[devices.gate]\naddres = 'x'", "did you mean 'address'"),
        ("[devices.Gate]", "small letters"),
        ("[devices.gate]\naddress = '-oProxyCommand=x'", "no address that ssh takes"),
        ("[devices.gate]\nport = 0", "1 to 65535"),
        ("[devices.gate]\nport = true", "must be a number"),
        ("[devices.gate]\nsudo_password = 'secret'", "never the password itself"),
        ("[devices.gate]\ngroups = ['yrd']\n[groups.yard]", "did you mean 'yard'"),
        ("[devices.a]\naddress = 'x'\n[devices.b]\naddress = 'x'", "another one has the address"),
        ("[devices.gate.vars]\nx = [1]", "variable 'x'"),
        ("devices = 3", "must be a table"),
        ("[devices]\ngate = 3", "must be a table"),
    ],
)
def test_an_inventory_that_is_wrong_is_one_sentence(tmp_path, text, words):
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(FleetError, match=words) as caught:
        inventory.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_report_says_what_the_table_says(tmp_path):
    outcomes = [
        Outcome("a", "ok", "running", "1.0", 3.21, ("a <line>",), {"current": "1.0"}),
        Outcome("b", "failed", "it cannot be reached"),
        Outcome("c", "held", "1 of 3 failed"),
    ]
    for name in ("r.json", "r.xml"):
        report.check(tmp_path / name)
        report.write(tmp_path / name, "update", outcomes, datetime(2026, 1, 2, tzinfo=UTC))
    told = json.loads((tmp_path / "r.json").read_text())
    assert (told["well"], told["command"], told["at"]) == (False, "update", "2026-01-02T00:00:00+00:00")
    assert [(row["device"], row["state"], row["seconds"]) for row in told["devices"]] == [("a", "ok", 3.2), ("b", "failed", 0.0), ("c", "held", 0.0)]
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert {key: suite.attrib[key] for key in ("tests", "failures", "skipped")} == {"tests": "3", "failures": "1", "skipped": "1"}
    assert [[child.tag for child in case] for case in suite] == [["system-out"], ["failure"], ["skipped"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json", "r.xml"]


def test_what_is_told_again_and_again_is_said_once():
    """As while another update is waited for, every three seconds."""
    shown = io.StringIO()
    board = Board(devices("gate"), Console(file=shown))
    board.tell("gate", "updating")
    for _ in range(3):
        board.hear("gate", "another update is under way")
        board.tell("gate", "waiting")
    board.hear("gate", "Unpacking.")
    assert shown.getvalue().splitlines() == ["gate: updating", "gate: another update is under way", "gate: waiting", "gate: Unpacking."]
    assert board.log("gate") == ("another update is under way", "Unpacking.")
