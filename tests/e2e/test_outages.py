"""Half an hour of a busy gate while nobody listens; an event that makes its receiver fall over; a preview that is taken back. Real others throughout."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.publish.publishing import Publishing
from tests.e2e.test_targets import a_config, add, held_back, ids, mq, needs_broker, once_each, telling
from tests.receivers import Broker, Receiver, free_port, listening, status, wait_for

CROP = 20_000
BUSY = {"longest_wait_s": 0.1, "picture": "base64", "timeout_s": 5.0}


def hook(port: int, **changes: Any) -> dict[str, Any]:
    return {"name": "hook", "kind": "webhook", "url": f"http://127.0.0.1:{port}/"} | BUSY | changes


def states(told: Publishing) -> dict[str, dict[str, Any]]:
    return {state["name"]: state for state in told.as_json()}


def queued(number: int) -> dict[str, Any]:
    """A crop of its own for each, as JPEGs do not compress."""
    return {"crop_jpeg": number.to_bytes(4, "big") + os.urandom(CROP)}


def quickest(times: list[float], within_s: float = 1.0) -> int:
    """The most that came within any second."""
    return max(sum(1 for at in times[first:] if at - times[first] < within_s) for first in range(len(times)))


@needs_broker
def test_half_an_hour_without_broker_and_receiver_and_with_a_restart_in_it(tmp_path: Path) -> None:
    """All 400 events come, in order, each once; at the pace that the target asks for, over one connection, and one at a time in memory."""
    port, broker = free_port(), Broker(tmp_path / "broker")
    rate, names = 100.0, [f"{number:04}" for number in range(400)]
    config = a_config(tmp_path, hook(port, per_second=rate), mq(broker.port, per_second=rate, picture="base64"))
    for half in (names[:200], names[200:]):  # the daemon is started anew in the middle, and nobody is there the whole time
        with telling(config) as (store, told):
            for number, name in enumerate(half):
                add(store, told, name, **queued(number))
            wait_for(lambda told=told: all(state["failing"] for state in told.as_json()))
    with telling(a_config(tmp_path, mq(broker.port, per_second=rate, picture="base64"), hook(port, per_second=rate))) as (_, told):
        heeded = held_back(told)
        assert {state["pending"] for state in told.as_json()} == {400}
        with Receiver(port) as receiver, broker, listening(broker.port, "yard/event") as (heard, _say):
            heeded.set()
            tracemalloc.start()
            wait_for(lambda: all(state["pending"] == 0 for state in told.as_json()), 60)
            wait_for(lambda: len(heard) >= 400)
            wide = sum(len(body) for _, body in receiver.got) + sum(len(one.payload) for one in heard)  # what the two listeners here hold themselves
            peak = tracemalloc.get_traced_memory()[1] - wide
            tracemalloc.stop()
            counts = {name: (state["delivered"], state["dropped"], state["refused"]) for name, state in states(told).items()}
    assert ids([body for _, body in receiver.got]) == ids([one.payload for one in heard]) == names
    assert counts == {"hook": (400, 0, 0), "mq": (400, 0, 0)}
    assert receiver.at_once == 1
    assert quickest(receiver.times) <= 2 * rate
    assert receiver.times[-1] - receiver.times[0] >= (400 - rate) / rate * 0.9
    assert wide > 20_000_000
    assert peak < 5_000_000, peak


@needs_broker
def test_what_is_too_much_goes_from_its_oldest_end_and_is_counted(tmp_path: Path) -> None:
    """Room for 300 rows, two targets, 400 events: the newest come, in order, and each that went is in the count."""
    port, broker = free_port(), Broker(tmp_path / "broker")
    names = [f"{number:04}" for number in range(400)]
    config = a_config(tmp_path, mq(broker.port, per_second=0), hook(port, per_second=0), outbox={"max_events": 300})
    with telling(config) as (store, told):
        heeded = held_back(told)
        for number, name in enumerate(names):
            add(store, told, name, **queued(number))
        found = states(told)
        assert found["hook"]["pending"] + found["mq"]["pending"] == 300
        assert all(state["pending"] + state["dropped"] == 400 for state in found.values())
        with Receiver(port) as receiver, broker, listening(broker.port, "yard/event") as (heard, _say):
            heeded.set()
            wait_for(lambda: all(state["pending"] == 0 for state in told.as_json()), 30)
            wait_for(lambda: len(heard) >= found["mq"]["pending"])
    assert ids([body for _, body in receiver.got]) == names[-found["hook"]["pending"] :]
    assert ids([one.payload for one in heard]) == names[-found["mq"]["pending"] :]


def stumbling(over: Callable[[str], bool]) -> Callable[[bytes], Any]:
    return lambda body: status(500 if over(json.loads(body)["id"]) else 204)


def test_one_event_that_its_receiver_cannot_bear_blocks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """500 for it alone: tried, set aside with its reason, named by `platewatch targets`, and told at last with --retry."""
    config = a_config(tmp_path, hook(port := free_port(), tries=3))
    written = tmp_path / "watch.toml"
    written.write_text(
        f"[store]\npath = 'events.sqlite'\n[runtime]\ndirectory = 'run'\n[[targets]]\nname = 'hook'\nkind = 'webhook'\nurl = 'http://127.0.0.1:{port}/'\n"
    )
    with Receiver(port, judge=stumbling(lambda id: id == "3")) as receiver, telling(config) as (store, told):
        add(store, told, *"12345678")
        wait_for(lambda: told.as_json()[0]["refused"] == 1 and told.as_json()[0]["pending"] == 0)
        assert once_each(ids([body for _, body in receiver.got])) == list("12345678")
        passed = [id for id in ids([body for _, body in receiver.got]) if id != "3"]
        assert passed == list("1245678")
        assert ids([body for _, body in receiver.got]).count("3") == 4
        assert told.as_json()[0]["last_error"] == "an event was set aside after 3 tries: it answers 500 Internal Server Error"
    assert main(["targets", "--config", str(written)]) == 0
    said = capsys.readouterr().out
    assert "1 set aside" in said
    assert "set aside, 1 of them (3): it answers 500 Internal Server Error; platewatch targets --retry hook" in said
    assert main(["targets", "--config", str(written), "--retry", "hook"]) == 0
    with Receiver(port) as receiver, telling(config) as (_, told):
        wait_for(lambda: receiver.got)
        assert ids([body for _, body in receiver.got]) == ["3"]
        wait_for(lambda: told.as_json()[0]["delivered"] == 8)


def test_a_receiver_that_is_ill_as_a_whole_costs_no_event(tmp_path: Path) -> None:
    """500 for all, then 404, then 401, 40 tries of them; then it is well: nothing is set aside, and all come in order but for one witness at most."""
    ill = [500] * 40 + [404] * 40 + [401] * 40
    config = a_config(tmp_path, hook(port := free_port(), tries=2, longest_wait_s=0.01))
    with Receiver(port, script=[status(code) for code in ill]) as receiver, telling(config) as (store, told):
        add(store, told, *"abcdefghij")
        wait_for(lambda: told.as_json()[0]["pending"] == 0, 30)
        assert told.as_json()[0]["refused"] == 0
    taken = ids([body for _, body in receiver.got[len(ill) :]])
    assert sorted(taken) == list("abcdefghij")
    assert taken[1:] == sorted(taken[1:])


@needs_broker
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_picture_that_the_broker_cannot_bear_blocks_nobody(tmp_path: Path, protocol: str) -> None:
    """mosquitto ends the connection of whoever sends too much: that one event is set aside, the others come."""
    with Broker(tmp_path / "broker", "allow_anonymous true\nmax_packet_size 20000") as broker, listening(broker.port, "yard/event") as (heard, _say):
        with telling(a_config(tmp_path, mq(broker.port, protocol=protocol, picture="base64", tries=2))) as (store, told):
            add(store, told, "1")
            add(store, told, "huge", crop_jpeg=os.urandom(40_000))
            add(store, told, "2", "3")
            wait_for(lambda: told.as_json()[0]["pending"] == 0, 60)
            assert told.as_json()[0]["refused"] == 1
        wait_for(lambda: len(heard) >= 3)
    assert ids([one.payload for one in heard]) == ["1", "2", "3"]


@needs_broker
def test_a_preview_that_is_taken_back_is_taken_back_everywhere(tmp_path: Path) -> None:
    """Told by webhook and to Home Assistant, then withdrawn while both are away: they hear of it when they are back, in order, without the plate."""
    port, broker, out = free_port(), Broker(tmp_path / "broker"), ExitStack()
    both = ["preview", "final"]
    ha = mq(broker.port, name="ha", dialect="homeassistant", stages=both, picture="base64")
    config = a_config(tmp_path, ha, hook(port, stages=both))
    with telling(config) as (store, told):
        with Receiver(port) as receiver, broker, listening(broker.port, "yard/#") as (heard, _say):
            add(store, told, "1", preview=True, text="SECRETXY")
            wait_for(lambda: all(state["delivered"] == 1 for state in told.as_json()))
            wait_for(lambda: [one for one in heard if one.topic == "yard/last_plate"])
        wait_for(lambda: states(told)["ha"]["failing"])
        store.withdraw("1")
        add(store, told, "2", text="AB12CDE")
        heeded = held_back(told)
        with out, Receiver(port) as receiver, broker:
            heard, _say = out.enter_context(listening(broker.port, "yard/#"))
            heeded.set()
            wait_for(lambda: all(state["pending"] == 0 for state in told.as_json()), 30)
            wait_for(lambda: len([one for one in heard if one.topic == "yard/last_plate"]) == 2)
    documents = [json.loads(body) for _, body in receiver.got]
    assert [(one["id"], one["stage"]) for one in documents] == [("1", "withdrawn"), ("2", "final")]
    assert documents[0] == {"v": 1, "id": "1", "camera": "gate", "withdrawn": True, "stage": "withdrawn"}
    told_ha = [(one.topic, json.loads(one.payload)) for one in heard if one.topic in ("yard/event", "yard/last_plate")]
    assert [(topic, one["stage"], one.get("plate")) for topic, one in told_ha] == [
        ("yard/event", "withdrawn", None),
        ("yard/last_plate", "withdrawn", None),
        ("yard/event", "final", "AB12CDE"),
        ("yard/last_plate", "final", "AB12CDE"),
    ]
    everything = b"".join(body for _, body in receiver.got) + b"".join(one.payload for one in heard)
    assert b"SECRETXY" not in everything
