"""What Home Assistant is told and when, on a fake connection; `tests/e2e/test_targets.py` has a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.publish.base import Unreachable
from edge.publish.dialects.base import Message
from edge.publish.homeassistant import HomeAssistant, Household
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told
from tests.builders import an_event
from tests.fakes import FakeClock

SITE = Site("gate", "gate-1a2b3c", "0.2.0")
CONFIG_TOPIC = "homeassistant/device/gate-1a2b3c/config"


class FakeLink:
    """Connected once it is opened; keeps what is published."""

    def __init__(self) -> None:
        self.up, self.lives, self.away = False, 0, False
        self.sent: list[Message] = []

    def open(self) -> None:
        if self.away:
            self.up = False
            raise Unreachable("down")
        self.lives += not self.up
        self.up = True

    def publish(self, messages: list[Message]) -> None:
        if not self.up:
            raise Unreachable("down")
        self.sent += messages

    def close(self, farewell: bytes) -> None:
        self.up = False


class House:
    def __init__(self, **changes: Any) -> None:
        self.names: tuple[str, ...] = ("Anna",)
        self.on, self.notes, self.woken = True, dict[str, str](), 0
        self.clock = FakeClock()
        household = Household(
            known=lambda: self.names,
            figures=lambda: {"fps": 9.5},
            detecting=lambda: self.on,
            detect=self.switch,
            note=lambda key: self.notes.get(key, ""),
            write_note=self.notes.__setitem__,
            jitter=lambda: 0.5,
        )
        config = TargetConfig(name="ha", kind="mqtt", host="x", dialect="homeassistant", **changes)
        self.target = HomeAssistant(config, SITE, household, wake=self.wake, clock=self.clock)
        self.link = FakeLink()
        self.target._link = self.link  # type: ignore[assignment]

    def switch(self, on: bool) -> None:
        self.on = on

    def wake(self) -> None:
        self.woken += 1

    def tend(self) -> list[str]:
        """Topics of what one round of chores sent."""
        self.link.sent.clear()
        self.wait = self.target.tend(self.clock.now)
        return [message.topic for message in self.link.sent]

    def hear(self, topic: str, payload: bytes, retained: bool = False) -> None:
        self.target._hear(topic, payload, retained)


BASE = "platewatch/gate-1a2b3c"
ALL = [CONFIG_TOPIC, f"{BASE}/detection", f"{BASE}/state"]


def test_it_is_announced_once_connected_and_then_told_figures() -> None:
    """The announcement and the switch are retained, figures are not; after that only figures, once a minute."""
    house = House()
    assert house.tend() == ALL
    assert [message.retain for message in house.link.sent] == [True, True, False]
    assert house.tend() == []
    house.clock.advance(59)
    assert house.tend() == []
    assert house.wait == pytest.approx(1.0)
    house.clock.advance(1.5)
    assert house.tend() == [f"{BASE}/state"]
    assert json.loads(house.link.sent[0].payload) == {"fps": 9.5}


def test_a_new_connection_is_announced_anew() -> None:
    """The broker may have forgotten everything."""
    house = House()
    house.tend()
    house.link.up = False
    assert house.tend() == ALL


def test_when_home_assistant_restarts_it_is_announced_again_after_a_moment() -> None:
    """Not at once, with all other devices; and not for what was retained, which is no news."""
    house = House()
    house.tend()
    house.hear("homeassistant/status", b"online")
    assert house.woken == 1
    assert house.tend() == []
    assert house.wait == pytest.approx(2.5)
    house.clock.advance(2.6)
    assert house.tend() == ALL
    house.clock.advance(10)
    assert house.tend() == []
    house.hear("homeassistant/status", b"offline")
    house.hear("homeassistant/status", b"online", retained=True)
    house.clock.advance(10)
    assert house.tend() == []


def test_the_switch_pauses_detection_and_says_so() -> None:
    """ON and OFF alone; a retained command of long ago does nothing."""
    house = House()
    house.tend()
    house.hear(f"{BASE}/detection/set", b"OFF")
    assert (house.tend(), house.on, house.link.sent[0].payload) == ([f"{BASE}/detection"], False, b"OFF")
    house.hear(f"{BASE}/detection/set", b"perhaps")
    house.hear(f"{BASE}/detection/set", b"ON", retained=True)
    assert (house.tend(), house.on) == ([], False)
    house.hear(f"{BASE}/detection/set", b"ON")
    assert (house.tend(), house.on) == ([f"{BASE}/detection"], True)


def test_without_commands_there_is_no_switch() -> None:
    house = House(commands=False)
    assert house.tend() == [CONFIG_TOPIC, f"{BASE}/state"]
    assert "detection" not in json.loads(house.link.sent[0].payload)["cmps"]


def test_a_list_that_changes_changes_the_sensors() -> None:
    """A new name gets one, a removed one loses it, also when it was removed while the device was off."""
    house = House()
    house.tend()
    house.names = ("Bob",)
    assert house.tend()[0] == CONFIG_TOPIC
    parts = json.loads(house.link.sent[0].payload)["cmps"]
    assert (parts["known_bob"]["name"], parts["known_anna"]) == ("Bob", {"p": "binary_sensor"})
    later = House()
    later.notes, later.names = house.notes, ()
    later.tend()
    assert json.loads(later.link.sent[0].payload)["cmps"]["known_bob"] == {"p": "binary_sensor"}


def test_the_first_event_comes_after_the_announcement() -> None:
    """Else the entity would not exist yet over there."""
    house = House(topic="yard")
    house.target.send(Told(an_event("1").as_json(), SITE))
    assert [message.topic for message in house.link.sent] == [CONFIG_TOPIC, "yard/detection", "yard/state", "yard/event", "yard/last_plate"]


def test_a_test_event_announces_nothing() -> None:
    """It comes from another process, beside the daemon."""
    house = House()
    house.target.send(Told(an_event("1").as_json(), SITE, test=True))
    assert [message.topic for message in house.link.sent] == [f"{BASE}/event"]


def test_a_broken_note_is_no_obstacle() -> None:
    house = House()
    house.notes["known:ha"] = "{"
    assert house.tend() == ALL


def test_a_broker_that_is_away_is_said() -> None:
    house = House()
    house.link.away = True
    with pytest.raises(Unreachable):
        house.target.tend(house.clock.now)
