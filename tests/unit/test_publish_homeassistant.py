"""What Home Assistant is told and when, on a fake connection; `tests/e2e/test_targets.py` has a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.publish.base import Unreachable
from edge.publish.dialects.base import Message
from edge.publish.homeassistant import HomeAssistant, Household
from edge.publish.settings import TargetConfig
from edge.publish.told import Site, Told, withdrawal
from edge.records import Match
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
    assert house.target.ignored == {"not a word of ours": 1, "retained": 1}
    house.clock.advance(1.0)
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


def test_a_flood_of_commands_is_one_switch_a_second() -> None:
    """The last one counts; the disk and the log are not written for each."""
    house = House()
    house.tend()
    switched: list[bool] = []
    house.target._household.detect = switched.append
    for number in range(1000):
        house.hear(f"{BASE}/detection/set", b"ON" if number % 2 else b"OFF")
        house.tend()
    assert switched == [False]
    assert 0 < house.wait <= 1.0
    house.clock.advance(1.0)
    house.tend()
    assert switched == [False, True]
    assert house.target.ignored["too often"] > 900


def test_a_flood_of_births_is_one_announcement() -> None:
    house = House()
    house.tend()
    for _ in range(1000):
        house.hear("homeassistant/status", b"online")
    house.clock.advance(2.5)
    assert house.tend().count("homeassistant/device/gate-1a2b3c/config") == 1
    assert house.target.ignored == {"too often": 999}


@given(st.binary(max_size=200))
def test_whatever_others_say_is_a_word_or_is_counted(payload: bytes) -> None:
    """Nothing wakes the device, and nothing raises, for what is none of its words."""
    house = House()
    house.hear(f"{BASE}/detection/set", payload)
    assert (house.woken == 1) == (payload.decode("utf-8", "replace").strip() in ("ON", "OFF"))
    assert sum(house.target.ignored.values()) == 1 - house.woken


def test_a_withdrawn_preview_is_unknown_again() -> None:
    """The event says so; the last plate and its picture go from the broker; the known plate's sensor is off. Of the plate nothing is said."""
    house = House(stages=("preview", "final"))
    anna = Match("family", "allow", "SECRETXY", "Anna")
    house.target.send(Told(an_event("1", "SECRETXY", preview=True, match=anna).as_json(), SITE, b"jpeg"))
    house.link.sent.clear()
    house.target.send(Told(withdrawal("1", "gate"), SITE))
    sent = {message.topic.removeprefix(f"{BASE}/"): message for message in house.link.sent}
    assert json.loads(sent["event"].payload) == {"event_type": "withdrawn", "camera": "gate", "stage": "withdrawn", "id": "1"}
    assert json.loads(sent["last_plate"].payload) == {"plate": None, "event_time": None, "camera": "gate", "stage": "withdrawn", "id": "1"}
    assert (sent["last_plate"].retain, sent["picture"].retain, sent["picture"].payload) == (True, True, b"")
    assert (sent["known/anna"].payload, len(sent)) == (b"OFF", 4)
    assert b"SECRETXY" not in b"".join(message.payload for message in house.link.sent)


def test_a_withdrawal_leaves_another_car_s_plate_alone() -> None:
    """It was told after the preview; a device that was started since cannot know, and clears."""
    house = House(stages=("preview", "final"))
    for event in (an_event("1", preview=True), an_event("2")):
        house.target.send(Told(event.as_json(), SITE))
    house.link.sent.clear()
    house.target.send(Told(withdrawal("1", "gate"), SITE))
    assert [message.topic for message in house.link.sent] == [f"{BASE}/event"]
    fresh = House(stages=("preview", "final"))
    fresh.tend()
    fresh.link.sent.clear()
    fresh.target.send(Told(withdrawal("1", "gate"), SITE))
    assert len(fresh.link.sent) == 3
