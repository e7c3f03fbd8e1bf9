"""The gate's second factor and its orders over a real broker, which goes, comes back, and is full of noise."""

from __future__ import annotations

import json
import logging
import os
import random
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config
from edge.gate.gate import Gate, make_gate
from edge.lists.book import Lists
from tests.e2e.test_targets import a_config, add, mq, needs_broker, telling
from tests.gates import a_pass
from tests.receivers import Broker, listening, wait_for

FLOOD = 3000
AWAY = ("no second factor", "the relay does not answer")


def a_gate(folder: Path, port: int, **gate: Any) -> Gate:
    (folder / "guests.csv").write_text("plate\nAB12CDE\n")
    keys = {"enabled": True, "dry_run": False, "audit": str(folder / "gate.sqlite"), "max_duty": 1.0, "cooldown_s": 0.0} | gate
    target = mq(port, protocol=gate.pop("protocol", "3.1.1")) | {"timeout_s": 2.0}
    keys.pop("protocol", None)
    config = Config.model_validate({"lists": {"allow": [str(folder / "guests.csv")]}, "gate": keys, "targets": [target]})
    return make_gate(config, Lists(config.lists))


def told(gate: Gate) -> list[tuple[str, str]]:
    return [(row.event, row.reason) for row in reversed(gate._audit.rows(1000))]


@needs_broker
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_word_on_a_topic_opens_and_the_order_goes_out(tmp_path: Path, protocol: str) -> None:
    """No word: closed. A word kept from before: closed. Yes: one order, QoS 1, not kept by the broker. The broker gone: closed. Back: it must be said anew."""
    broker = Broker(tmp_path / "broker")
    with broker, listening(broker.port, "yard/gate") as (heard, say):
        say("home/ok", "on", retain=True)
        gate = a_gate(tmp_path, broker.port, protocol=protocol, send_to="mqtt:mq/yard/gate", second_factor="mqtt:mq/home/ok", second_factor_max_age_s=30)
        wait_for(lambda: gate.problem() == "")
        wait_for(lambda: gate.as_json().get("factor_ignored") == {"retained": 1})
        gate.consider([a_pass("1")], 1.0)
        assert told(gate) == [("1", "no second factor")]
        say("home/ok", "yes")
        factor = gate._factor
        assert factor is not None
        wait_for(lambda: factor.answer()[0])
        gate.consider([a_pass("1")], 2.0)
        wait_for(lambda: heard)
        order = json.loads(heard[0].payload)
        assert (order["id"], order["command"], heard[0].retained) == ("1", "open", False)
        assert 4.9 < order["expires_at"] - order["issued_at"] < 5.1
        with listening(broker.port, "yard/gate") as (kept, _):
            assert not kept
    wait_for(lambda: gate.problem())
    gate.consider([a_pass("2")], 10.0)
    assert told(gate)[-1][1] in AWAY  # one broker is both, and which is missed first is a matter of a moment
    with broker, listening(broker.port, "yard/gate") as (heard, say):
        wait_for(lambda: gate.problem() == "", 40)
        gate.consider([a_pass("3")], 20.0)
        assert told(gate)[-1] == ("3", "no second factor")
        say("home/ok", "yes")
        wait_for(lambda: factor.answer()[0])
        gate.consider([a_pass("3")], 21.0)
        wait_for(lambda: [json.loads(one.payload)["id"] for one in heard] == ["3"])
        gate.close()
    reasons = [reason for _, reason in told_again(tmp_path)]
    assert reasons[2] in AWAY
    assert reasons[:2] + reasons[3:] == ["no second factor", "welcome", "no second factor", "welcome"]


def told_again(folder: Path) -> list[tuple[str, str]]:
    from edge.gate.audit import Audit

    audit = Audit(folder / "gate.sqlite")
    try:
        return [(row.event, row.reason) for row in reversed(audit.rows())]
    finally:
        audit.close()


@needs_broker
def test_an_order_that_the_broker_does_not_take_is_in_the_audit(tmp_path: Path) -> None:
    """The broker dies with the order under way: a row says so, and nothing is sent when it is back."""
    broker = Broker(tmp_path / "broker")
    with broker:
        gate = a_gate(tmp_path, broker.port, send_to="mqtt:mq/yard/gate")
        wait_for(lambda: gate.problem() == "")
        os.kill(broker._process.pid, 19)  # SIGSTOP: it hears, and does not answer
        gate.consider([a_pass("1")], 1.0)
        wait_for(lambda: gate.problem(), 10)
        gate.consider([], 2.0)
        os.kill(broker._process.pid, 18)
    assert told(gate) == [("1", "welcome"), ("1", "the relay does not answer")]
    with broker, listening(broker.port, "yard/gate") as (heard, _):
        wait_for(lambda: gate._relay is not None and not gate._relay._sender.trouble, 40)  # type: ignore[attr-defined]
        gate.close()
        assert not heard


@needs_broker
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_noise_on_every_topic_that_is_heard_changes_nothing(tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of payloads, of any bytes and of megabytes: events go on, the switch and the gate stay as they are, what was ignored is counted."""
    caplog.set_level(logging.INFO)
    chance = random.Random(3)
    ha = mq(0, name="ha", dialect="homeassistant", protocol=protocol)
    with Broker(tmp_path / "broker", "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0") as broker:
        config = a_config(tmp_path, ha | {"port": broker.port})
        gate = a_gate(tmp_path, broker.port, protocol=protocol, dry_run=True, second_factor="mqtt:mq/home/ok", second_factor_max_age_s=30)
        with telling(config) as (store, told), listening(broker.port, "yard/event") as (heard, say):
            wait_for(lambda: told.as_json()[0]["connected"] and gate.problem() == "")
            topics = ("homeassistant/status", "yard/detection/set", "home/ok")
            for number in range(FLOOD):
                topic, kind = topics[number % 3], number % 5
                noise = chance.randbytes(chance.randrange(80)) if kind < 3 else b"\xff\xfeAB12CDE" if kind == 3 else b"{" * 150
                say(topic, noise)
                if number % 300 == 0:
                    add(store, told, f"{number:04}")
            for topic in topics:
                say(topic, b"x" * 3_000_000)
                say(topic, b"\x00" * 70_000)
            wait_for(lambda: told.as_json()[0]["pending"] == 0, 30)
            wait_for(lambda: len(heard) >= FLOOD // 300, 30)
            factor = gate._factor
            assert factor is not None
            wait_for(lambda: sum(told.as_json()[0].get("ignored", {}).values()) > FLOOD // 3, 30)
            wait_for(lambda: sum(gate.as_json().get("factor_ignored", {}).values()) > FLOOD // 10, 30)
            assert told.detecting
            assert not factor.answer()[0]
            say("yard/detection/set", "OFF")  # and it still hears
            wait_for(lambda: not told.detecting, 30)
        gate.close()
    assert [json.loads(one.payload)["id"] for one in heard] == [f"{number:04}" for number in range(0, FLOOD, 300)]
    assert "AB12CDE" not in caplog.text
    assert "Traceback" not in caplog.text


@needs_broker
def test_a_flood_of_switches_ends_with_the_last(tmp_path: Path) -> None:
    """A thousand ONs and OFFs, the last one OFF: a few switches, and detection is off."""
    broker = Broker(tmp_path / "broker", "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0")
    config = a_config(tmp_path, mq(broker.port, name="ha", dialect="homeassistant"))
    with broker, telling(config) as (_, told), listening(broker.port, "yard/detection") as (said, say):
        wait_for(lambda: told.as_json()[0]["connected"] and said)
        for number in range(1000):
            say("yard/detection/set", b"ON" if number % 2 == 0 else b"OFF")
        wait_for(lambda: not told.detecting, 20)
        wait_for(lambda: said[-1].payload == b"OFF", 20)
        assert len(said) < 50
