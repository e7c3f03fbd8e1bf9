"""Events on their way to real others: processes that are killed, a broker that goes and comes, servers that misbehave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.config import Config, load
from edge.publish import publishing
from edge.publish.base import Unreachable
from edge.publish.publishing import Publishing
from edge.records import Match
from edge.store import Store
from tests.builders import an_event
from tests.receivers import MOSQUITTO, PROGRAMS, Broker, Receiver, dripping, free_port, listening, raw, status, wait_for

ROOT = Path(__file__).parent.parent.parent
KILLS = int(os.environ.get("PLATEWATCH_KILLS", "30"))
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


def a_config(folder: Path, *targets: dict[str, Any], **sections: Any) -> Config:
    return Config.model_validate({"store": {"path": str(folder / "events.sqlite")}, "runtime": {"directory": str(folder)}, "targets": targets} | sections)


@contextmanager
def telling(config: Config) -> Iterator[tuple[Store, Publishing]]:
    """A store whose new events are told, as the daemon does it."""
    store = Store(config.store.path)
    told = publishing.build(config, store)
    assert told is not None
    told.start()
    try:
        yield store, told
    finally:
        told.stop()
        store.close()


def add(store: Store, told: Publishing, *ids: str, **changes: Any) -> None:
    for id in ids:
        store.add(an_event(id, **changes))
        told.wake()


def ids(documents: list[bytes]) -> list[str]:
    return [json.loads(document)["id"] for document in documents]


def once_each(found: list[str]) -> list[str]:
    """Without what came again, in the order of the first time."""
    return list(dict.fromkeys(found))


def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    """Every stored event reaches every target that wants it, in order; the file has it exactly once. PLATEWATCH_KILLS=200 is the long run."""
    with Receiver() as receiver:
        words = [sys.executable, "-m", "tests.e2e.outbox_worker", str(tmp_path), str(KILLS), str(receiver.port)]
        subprocess.run(words, cwd=ROOT, check=True, timeout=600)
    db = sqlite3.connect(tmp_path / "events.sqlite")
    stored = [row[0] for row in db.execute("SELECT id FROM events ORDER BY seq")]
    dead = [row[0] for row in db.execute("SELECT event FROM outbox WHERE target = 'dead' ORDER BY seq")]
    others = db.execute("SELECT count(*) FROM outbox WHERE target <> 'dead'").fetchone()[0]
    bodies = db.execute("SELECT count(*) FROM outbox_bodies").fetchone()[0]
    counts = dict(db.execute("SELECT name, dropped FROM outbox_targets"))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    lines = [json.loads(line)["id"] for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert len(stored) >= KILLS // 2
    assert sorted(lines) == sorted(stored)
    assert len(lines) == len(set(lines))
    finals = [document["id"] for _, body in receiver.got if not (document := json.loads(body))["preview"]]
    assert once_each(finals) == lines
    assert (dead, others, bodies) == (lines, 0, len(stored))
    assert counts == {"lines": 0, "hook": 0, "dead": 0}


def test_a_server_that_does_everything_wrong_gets_everything_in_the_end(tmp_path: Path) -> None:
    """500, hangs, drips, garbage, 429, gone and back; what it refuses for good is set aside; the rest comes in order."""
    answers = [
        status(500), raw(b"", then_wait_s=4.0), raw(b"garbage\r\n"), dripping(4.0), status(429, Retry_After="0"), status(204),
        status(400), status(400), status(204),
    ]  # fmt: skip
    port = free_port()
    hook = {"name": "hook", "kind": "webhook", "url": f"http://127.0.0.1:{port}/", "timeout_s": 1.5, "tries": 2, "longest_wait_s": 0.05}
    with telling(a_config(tmp_path, hook)) as (store, told):
        add(store, told, *"12345")
        wait_for(lambda: told.as_json()[0]["failing"])
        with Receiver(port, script=answers) as receiver:
            wait_for(lambda: told.as_json()[0]["delivered"] == 4, 30)
            state = told.as_json()[0]
        got = [json.loads(body)["id"] for _, body in receiver.got]
        assert "".join(got) == "1121312" + "2345"  # "2" and "3" in between are witnesses: is it "1", or the server?
        assert (state["pending"], state["refused"], state["dropped"]) == (0, 1, 0)
        add(store, told, "6")
        wait_for(lambda: told.as_json()[0]["failing"])
        assert told.as_json()[0]["last_error"] == "cannot be reached (Connection refused)"
        with Receiver(port) as receiver:
            wait_for(lambda: receiver.got)
    assert ids([body for _, body in receiver.got])[0] == "6"


def mq(port: int, **changes: Any) -> dict[str, Any]:
    return {"name": "mq", "kind": "mqtt", "host": "127.0.0.1", "port": port, "topic": "yard", "timeout_s": 3.0, "longest_wait_s": 0.1} | changes


def held_back(told: Publishing) -> threading.Event:
    """The only target connects no sooner than this is set: a broker keeps nothing for a listener that comes after it."""
    link, heeded = told._couriers[0].target._link, threading.Event()  # type: ignore[attr-defined]
    open_it = link.open

    def open_when_heeded() -> None:
        if not heeded.is_set() and not link.up:
            raise Unreachable("nobody listens yet")
        open_it()

    link.open = open_when_heeded
    return heeded


@needs_broker
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_broker_that_goes_and_comes_gets_all_in_order(tmp_path: Path, protocol: str) -> None:
    """Events flow the whole time; each arrives, the first time in its order, and only what was under way when it went may come twice."""
    broker, heard = Broker(tmp_path / "broker"), list[bytes]()
    with telling(a_config(tmp_path, mq(broker.port, protocol=protocol))) as (store, told):
        number, heeded = 0, held_back(told)
        for _ in range(3):
            with ExitStack() as life:
                life.enter_context(broker)
                got, _say = life.enter_context(listening(broker.port, "yard/event"))
                heeded.set()
                for _ in range(10):
                    add(store, told, f"{number:03}")
                    number += 1
                wait_for(lambda got=got, last=number - 1: got and json.loads(got[-1].payload)["id"] == f"{last:03}")
                heard += [one.payload for one in got]
                heeded.clear()
            for _ in range(5):
                add(store, told, f"{number:03}")
                number += 1
            wait_for(lambda: told.as_json()[0]["failing"])
            assert told.as_json()[0]["connected"] is False
        with broker, listening(broker.port, "yard/event") as (got, _say):
            heeded.set()
            wait_for(lambda: told.as_json()[0]["pending"] == 0)
            wait_for(lambda: got and json.loads(got[-1].payload)["id"] == f"{number - 1:03}")
            heard += [one.payload for one in got]
            assert told.as_json()[0]["connected"] is True
    found = ids(heard)
    assert once_each(found) == [f"{one:03}" for one in range(number)]
    assert len(found) <= number + 3


@needs_broker
def test_the_broker_says_offline_when_the_device_is_killed(tmp_path: Path) -> None:
    """The last will on SIGKILL; after a polite stop the farewell, which for Frigate is its own word. Both retained."""
    with Broker(tmp_path / "broker") as broker, listening(broker.port, "+/available") as (heard, _say):
        for dialect, topic, farewell in (("native", "yard", b"offline"), ("frigate", "frigate", b"stopped")):
            config = a_config(tmp_path, mq(broker.port, dialect=dialect, topic=topic))
            (tmp_path / "config.json").write_text(config.model_dump_json())
            script = (
                "import sys, time; from edge.config import Config; from edge.publish import publishing; from edge.store import Store;"
                "config = Config.model_validate_json(open(sys.argv[1]).read()); told = publishing.build(config, Store(config.store.path));"
                "told.start(); sys.stdin.read(); told.stop()"
            )
            for end, last in ((signal.SIGKILL, b"offline"), (None, farewell)):
                heard.clear()
                process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "config.json")], cwd=ROOT, stdin=subprocess.PIPE)
                assert process.stdin is not None
                wait_for(lambda: any(one.payload == b"online" for one in heard), 30)
                heard.clear()
                if end is not None:
                    process.send_signal(end)
                process.stdin.close()
                process.wait(10)
                wait_for(lambda: heard)
                assert [(one.topic, one.payload) for one in heard] == [(f"{topic}/available", last)]
                with listening(broker.port, f"{topic}/available") as (kept, _):
                    wait_for(lambda kept=kept: kept)
                    assert (kept[0].payload, kept[0].retained) == (last, True)


@needs_broker
def test_home_assistant_finds_the_device_and_finds_it_again(tmp_path: Path) -> None:
    """The announcement is retained; the birth message brings it anew; events, pictures and known plates come; the switch works both ways."""
    (tmp_path / "family.toml").write_text('[[plates]]\nplate = "AB12CDE"\nname = "Anna"\n')
    anna = Match("family", "allow", "AB12CDE", "Anna")
    ha = {"name": "ha", "dialect": "homeassistant", "picture": "base64"}
    topics = ("homeassistant/device/+/config", "yard/#")
    with Broker(tmp_path / "broker") as broker, ExitStack() as stack:
        config = a_config(tmp_path, mq(broker.port, **ha), lists={"allow": [str(tmp_path / "family.toml")]}, camera={"name": "Yard"})
        store, told = stack.enter_context(telling(config))
        wait_for(lambda: told.as_json()[0]["connected"])
        told._couriers[0].target._household.jitter = lambda: 0.02  # type: ignore[attr-defined]
        with listening(broker.port, *topics) as (first, _):  # who comes after it hears what was kept, and nothing live
            wait_for(lambda: {one.topic.rsplit("/", 1)[1] for one in first} >= {"config", "available", "detection"})
        heard, say = stack.enter_context(listening(broker.port, *topics))

        def of(topic: str) -> list[Any]:
            return [one for one in heard if one.topic.endswith(topic)]

        wait_for(lambda: of("/config") and of("/available") and of("yard/detection"))
        announced = json.loads(of("/config")[0].payload)
        assert of("/config")[0].retained
        assert announced["dev"]["name"] == "Platewatch Yard"
        assert announced["cmps"]["known_anna"]["state_topic"] == "yard/known/anna"
        assert (of("/available")[0].payload, of("yard/detection")[0].payload) == (b"online", b"ON")
        say("homeassistant/status", "online")
        wait_for(lambda: len(of("/config")) == 2)
        assert json.loads(of("/config")[1].payload) == announced
        add(store, told, "1", match=anna)
        wait_for(lambda: of("known/anna"))
        assert json.loads(of("yard/event")[0].payload)["event_type"] == "known"
        assert (of("yard/event")[0].retained, of("yard/picture")[0].payload) == (False, b"jpeg of 1")
        say("yard/detection/set", "OFF")
        wait_for(lambda: not told.detecting)
        wait_for(lambda: of("yard/detection")[-1].payload == b"OFF")
        say("yard/detection/set", "ON")
        wait_for(lambda: told.detecting)
        wait_for(lambda: of("yard/state"))
        assert "fps" in json.loads(of("yard/state")[0].payload)


@needs_broker
def test_a_broker_with_a_password_and_tls(tmp_path: Path) -> None:
    """Delivered with both right; in words where the password is wrong or the certificate is a stranger's."""
    if (openssl := shutil.which("openssl")) is None or (passwd := shutil.which("mosquitto_passwd", path=PROGRAMS)) is None:
        pytest.skip("openssl or mosquitto_passwd is not installed")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    for name in ("ours", "other"):
        words = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", f"{name}.key", "-out", f"{name}.pem", *names]
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([passwd, "-b", "-c", "users", "gate", "s3cret"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "users").chmod(0o600)
    (tmp_path / "right").write_text("s3cret\n")
    (tmp_path / "wrong").write_text("s3crets\n")
    settings = f"allow_anonymous false\npassword_file {tmp_path}/users\ncertfile {tmp_path}/ours.pem\nkeyfile {tmp_path}/ours.key"
    with Broker(tmp_path / "broker", settings) as broker:

        def target(name: str, password: str, ca: str, **changes: Any) -> dict[str, Any]:
            secret = {"user": "gate", "password": f"file:{tmp_path}/{password}"}
            return mq(broker.port, name=name, client_id=name, tls=True, ca_file=str(tmp_path / ca)) | secret | changes

        config = a_config(
            tmp_path,
            target("good", "right", "ours.pem"),
            target("five", "right", "ours.pem", protocol="5"),
            target("wrong", "wrong", "ours.pem"),
            target("stranger", "right", "other.pem"),
        )
        with telling(config) as (store, told):
            add(store, told, "1")

            def states() -> dict[str, Any]:
                return {state["name"]: state for state in told.as_json()}

            wait_for(lambda: states()["good"]["delivered"] == states()["five"]["delivered"] == 1)
            wait_for(lambda: states()["wrong"]["failing"] and states()["stranger"]["failing"])
            assert states()["wrong"]["last_error"] == "the broker refuses: Not authorized"
            assert "certificate is not trusted" in states()["stranger"]["last_error"]
            assert "s3cret" not in json.dumps(told.as_json())


@needs_broker
def test_two_devices_with_one_client_id_are_told_apart_in_words(tmp_path: Path) -> None:
    """They throw each other out; both say why, and neither hammers."""
    with Broker(tmp_path / "broker") as broker:
        (tmp_path / "b").mkdir()
        both = [a_config(folder, mq(broker.port, client_id="gate", longest_wait_s=600)) for folder in (tmp_path, tmp_path / "b")]
        with telling(both[0]) as (_, first), telling(both[1]) as (_, second):
            wait_for(lambda: any("another client the id 'gate'" in told.as_json()[0]["last_error"] for told in (first, second)))


@needs_broker
def test_the_test_of_a_target_leaves_the_device_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another client id: the daemon's connection stays, and it stays online; the event comes on the same topic, marked."""
    from edge.cli import main

    path = tmp_path / "watch.toml"
    with Broker(tmp_path / "broker") as broker, listening(broker.port, "platewatch/#") as (heard, _say):
        path.write_text(f"[store]\npath = 'events.sqlite'\n[[targets]]\nname = 'mq'\nkind = 'mqtt'\nhost = '127.0.0.1'\nport = {broker.port}\n")
        with telling(load(path)) as (_, told):
            wait_for(lambda: heard and heard[-1].payload == b"online")
            assert main(["targets", "--config", str(path), "--test", "mq"]) == 0
            base = heard[0].topic.removesuffix("/available")
            wait_for(lambda: [one for one in heard if one.topic == f"{base}/event"])
            assert json.loads(next(one.payload for one in heard if one.topic == f"{base}/event"))["test"] is True
            assert told.as_json()[0]["connected"] is True
            assert [one.payload for one in heard if one.topic == f"{base}/available"] == [b"online"]
    assert main(["targets", "--config", str(path), "--test", "mq"]) == 1
    assert "platewatch: target 'mq': the broker cannot be reached (Connection refused)" in capsys.readouterr().err
