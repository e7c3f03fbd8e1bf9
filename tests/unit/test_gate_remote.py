"""Orders to somebody else's gate, and the word of a topic, on fakes; `tests/e2e/test_gate_broker.py` has a real broker."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import Config
from edge.errors import ConfigError, GateError
from edge.gate.broker import connector
from edge.gate.gate import make_gate
from edge.gate.remote import ByHttp, Remote
from edge.gate.word import TopicFactor
from edge.lists.book import Lists
from edge.publish.base import Refused, Unreachable
from edge.publish.signature import HEADER, is_signed
from tests.fakes import FakeClock
from tests.gates import FRIEND, a_pass
from tests.receivers import Receiver, free_port, status, wait_for


class FakeSender:
    """Takes orders, or raises what `moods` says; while `held` it takes its time."""

    def __init__(self, *moods: Exception | None) -> None:
        self.moods, self.trouble, self.orders = list(moods), "", list[dict[str, Any]]()
        self.free = threading.Event()
        self.free.set()

    def send(self, order: bytes, id: str) -> None:
        assert self.free.wait(10)
        if self.moods and (mood := self.moods.pop(0)) is not None:
            raise mood
        self.orders.append(json.loads(order))

    def close(self) -> None:
        self.free.set()


def test_an_order_names_its_event_and_its_end_and_no_plate() -> None:
    sender, clock = FakeSender(), FakeClock(1_000_000.0)
    remote = Remote(sender, "gate", 5.0, clock=clock, wall_s=clock)
    remote.pulse(0.8, "abc")
    wait_for(lambda: sender.orders)
    assert sender.orders == [{"v": 1, "command": "open", "id": "abc", "camera": "gate", "pulse_s": 0.8, "issued_at": 1_000_000.0, "expires_at": 1_000_005.0}]
    remote.close()
    assert remote.undone() == []


def test_an_order_that_fails_is_told_once_and_never_sent_again() -> None:
    """Until some time has passed nothing is sent at all, and the gate knows why."""
    sender, clock = FakeSender(Unreachable("nobody answers")), FakeClock()
    remote = Remote(sender, "gate", 5.0, clock=clock)
    remote.pulse(0.8, "abc")
    wait_for(lambda: remote.trouble)
    assert (remote.undone(), remote.undone()) == ([("abc", "nobody answers")], [])
    with pytest.raises(GateError, match="the order to open was not taken: nobody answers"):
        remote.pulse(0.8, "def")
    clock.advance(11)
    remote.tend(clock.now)
    remote.pulse(0.8, "ghi")
    wait_for(lambda: sender.orders)
    remote.close()
    assert [order["id"] for order in sender.orders] == ["ghi"]


def test_an_order_whose_time_is_over_is_not_sent() -> None:
    """The one before it held the line; and a third one is refused at once."""
    sender, clock = FakeSender(), FakeClock()
    sender.free.clear()
    remote = Remote(sender, "gate", 5.0, clock=clock)
    remote.pulse(0.8, "1")
    wait_for(lambda: remote._orders.empty())
    remote.pulse(0.8, "2")
    with pytest.raises(GateError, match="still under way"):
        remote.pulse(0.8, "3")
    clock.advance(6)
    sender.free.set()
    wait_for(lambda: remote.trouble)
    assert [order["id"] for order in sender.orders] == ["1"]
    assert remote.undone() == [("2", "its time was over before it could be sent")]
    remote.close()


def test_what_is_under_way_at_the_end_comes_to_nothing() -> None:
    sender = FakeSender(Refused("stopped"))
    sender.free.clear()
    remote = Remote(sender, "gate", 5.0)
    remote.pulse(0.8, "1")
    wait_for(lambda: remote._orders.empty())
    remote.pulse(0.8, "2")
    remote.close()
    assert sorted(event for event, _ in remote.undone()) == ["1", "2"]
    assert sender.orders == []


def test_an_order_over_http_is_signed_and_only_2xx_is_a_yes() -> None:
    with Receiver(script=[status(204), status(500), status(302)]) as receiver:
        sender = ByHttp(receiver.url, "key", 1.0, unix_s=lambda: 1000.0)
        sender.send(b"{}", "abc")
        for code in ("500", "302"):
            with pytest.raises(Refused, match=code):
                sender.send(b"{}", "abc")
    headers, body = receiver.got[0]
    assert is_signed(body, headers[HEADER], "key", 1000.0)
    assert headers["Idempotency-Key"] == "abc-open"
    with pytest.raises(Unreachable):
        ByHttp(f"http://127.0.0.1:{free_port()}/", "", 1.0).send(b"{}", "abc")


def a_gate(folder: Path, **gate: Any) -> Any:
    guests = folder / "guests.csv"
    guests.write_text("plate\nAB12CDE\n")
    keys = {"enabled": True, "dry_run": False, "audit": str(folder / "gate.sqlite"), "max_duty": 1.0} | gate
    config = Config.model_validate({"lists": {"allow": [str(guests)]}, "gate": keys})
    return make_gate(config, Lists(config.lists))


def told(gate: Any) -> list[tuple[str, str, bool]]:
    return [(row.event, row.reason, row.opens) for row in reversed(gate._audit.rows())]


def test_a_gate_that_is_opened_over_http_has_a_row_for_what_became_of_it(tmp_path: Path) -> None:
    """Opened; then the other side says no: that is a row too, and the next pass finds the gate closed until it may be tried again."""
    with Receiver(script=[status(204), status(403)]) as receiver:
        gate = a_gate(tmp_path, send_to=receiver.url)
        gate.consider([a_pass("1")], 1.0)
        wait_for(lambda: len(receiver.got) == 1)
        gate._opened_at.clear()
        gate.consider([a_pass("2")], 10.0)
        wait_for(lambda: gate.problem())
        gate._opened_at.clear()
        gate.consider([a_pass("3")], 20.0)
        gate.consider([a_pass("3")], 21.0)
        rows = told(gate)
        gate.close()
    orders = [json.loads(body) for _, body in receiver.got]
    assert [(order["id"], order["pulse_s"]) for order in orders] == [("1", 0.8), ("2", 0.8)]
    assert b"AB12CDE" not in b"".join(body for _, body in receiver.got)
    assert rows == [("1", "welcome", True), ("2", "welcome", True), ("2", "the relay does not answer", False), ("3", "the relay does not answer", False)]


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    with Receiver() as receiver:
        gate = a_gate(tmp_path, send_to=receiver.url, dry_run=True)
        gate.consider([a_pass("1")], 1.0)
        assert told(gate) == [("1", "welcome", True)]
        gate.close()
    assert receiver.got == []


def test_the_duty_holds_orders_back_too(tmp_path: Path) -> None:
    """Of 60 s 1.2: one pulse of 0.8, and no second."""
    with Receiver() as receiver:
        gate = a_gate(tmp_path, send_to=receiver.url, max_duty=0.02)
        gate.consider([a_pass("1")], 1.0)
        wait_for(lambda: receiver.got)
        gate._opened_at.clear()
        gate.consider([a_pass("2")], 30.0)
        assert told(gate)[-1] == ("2", "the relay has rested too little", False)
        gate.close()
    assert len(receiver.got) == 1


@pytest.mark.parametrize("key", ["send_to", "second_factor"])
def test_a_broker_that_is_no_target_is_named(key: str) -> None:
    config = Config.model_validate({"targets": [{"name": "home", "kind": "mqtt", "host": "x"}, {"name": "hook", "kind": "webhook", "url": "http://x"}]})
    for name in ("hook", "gone"):
        with pytest.raises(ConfigError, match=rf"gate\.{key}: there is no mqtt target '{name}'; those of the config are: home"):
            connector(config)(f"mqtt:{name}/open", key)


class FakeLink:
    """Up as soon as it is opened."""

    def __init__(self) -> None:
        self.up, self.lives = False, 0

    def open(self) -> None:
        if not self.up:
            self.up, self.lives = True, self.lives + 1

    def close(self, farewell: bytes) -> None:
        self.up = False


class Topic:
    """A factor on a fake connection and fake clocks."""

    def __init__(self, **changes: Any) -> None:
        self.link, self.clock, self.wall = FakeLink(), FakeClock(), FakeClock(1_795_000_000.0)

        def connect(reference: str, key: str, *, hear: Any = None, wake: Callable[[], None] = lambda: None) -> Any:
            self._hear, self._wake = hear, wake
            return self.link, "home/gate"

        self.factor = TopicFactor(connect, "mqtt:home/gate", 30.0, clock=self.clock, wall_s=self.wall, **changes)
        wait_for(lambda: self.factor.trouble == "")

    def hear(self, payload: bytes, kept: bool = False) -> bool:
        self._hear("home/gate", payload, kept)
        return self.yes

    def lose(self) -> None:
        self.link.up = False
        self._wake()

    @property
    def yes(self) -> bool:
        return self.factor.answer()[0]


@pytest.fixture
def topic() -> Any:
    made = Topic()
    yield made
    made.factor.close()


def test_a_topic_says_yes_for_so_long_and_no_at_once(topic: Topic) -> None:
    assert topic.factor.answer() == (False, "nobody has said anything yet")
    assert topic.hear(b"on")
    topic.clock.advance(30)
    assert topic.yes
    topic.clock.advance(1)
    assert topic.factor.answer() == (False, "its word is 31 s old")
    assert topic.hear(b"home")
    assert not topic.hear(b"not_home")
    assert topic.factor.answer() == (False, "the topic says no")


def test_what_the_broker_kept_counts_only_with_its_time(topic: Topic) -> None:
    """Or where the owner says so."""
    assert not topic.hear(b"on", kept=True)
    assert topic.hear(json.dumps({"state": "on", "at": topic.wall.now - 20}).encode(), kept=True)
    topic.clock.advance(11)
    assert not topic.yes
    assert not topic.hear(json.dumps({"state": "on", "at": topic.wall.now - 31}).encode(), kept=True)
    assert not topic.hear(json.dumps({"state": "on", "at": topic.wall.now + 600}).encode())
    assert topic.factor.ignored == {"retained": 1, "out of date": 2}
    trusting = Topic(kept_counts=True)
    assert trusting.hear(b"on", kept=True)
    trusting.factor.close()


def test_a_broker_that_is_gone_says_no_and_back_it_has_said_nothing(topic: Topic) -> None:
    assert topic.hear(b"on")
    topic.link.up = False
    assert not topic.yes
    topic.lose()
    wait_for(lambda: topic.link.up)
    assert topic.factor.answer() == (False, "nobody has said anything yet")


@pytest.fixture(scope="module")
def lasting() -> Any:
    made = Topic()
    yield made
    made.factor.close()


@given(st.binary(max_size=400), st.booleans())
def test_whatever_is_said_is_no_yes_unless_it_is_one(lasting: Topic, payload: bytes, kept: bool) -> None:
    topic = lasting
    topic.factor._known = None
    before = sum(topic.factor.ignored.values())
    yes = topic.hear(payload, kept)
    word = payload.decode("utf-8", "replace").strip()
    assert yes == (not kept and word.strip('"').lower().strip() in ("1", "on", "yes", "true", "home", "open")) or word.startswith("{")
    if len(payload) > 200:
        assert sum(topic.factor.ignored.values()) == before + 1


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"{}",
        b'{"state": "on", "at": "now"}',
        b'{"state": ["on"]}',
        b'{"at": 1e999, "state": "on"}',
        b'{"at": NaN, "state": "on"}',
        b"[" * 150,
        b"\xff\xfe",
    ],
)
def test_what_looks_like_json_and_is_none_is_no_yes(topic: Topic, payload: bytes) -> None:
    assert not topic.hear(payload)


def test_a_gate_waits_for_the_word(topic: Topic, tmp_path: Path) -> None:
    """The yes comes while the car stands there; the next car needs one that is still fresh."""
    gate = a_gate(tmp_path, dry_run=True)
    gate._factor = topic.factor
    gate.consider([a_pass("1", match=FRIEND)], 1.0)
    topic.hear(b"yes")
    gate.consider([a_pass("1", match=FRIEND)], 2.0)
    topic.clock.advance(31)
    gate._opened_at.clear()
    gate.consider([a_pass("2", match=FRIEND)], 40.0)
    assert told(gate) == [("1", "no second factor", False), ("1", "welcome", True), ("2", "no second factor", False)]
    topic.hear(b"x" * 1000)
    assert gate.as_json()["factor_ignored"] == {"too long": 1}
    gate.close()
