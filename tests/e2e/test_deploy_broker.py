"""Two devices at a real mosquitto, by what `broker init` made: neither can speak for the other."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from tests.e2e.test_targets import a_config, add, needs_broker, telling
from tests.fleet_broker import running
from tests.receivers import MOSQUITTO, free_port, wait_for

DEBIANS = Path("/etc/mosquitto/mosquitto.conf")


@dataclass
class Client:
    """One connection to the broker, and what came of it."""

    heard: list[tuple[str, bytes, bool]]
    paho: Any
    refused: str = ""

    def say(self, topic: str, payload: bytes) -> str:
        """The broker's answer to it."""
        answers: list[str] = []
        self.paho.on_publish = lambda _client, _data, _mid, reason, _properties: answers.append(str(reason))
        self.paho.publish(topic, payload, qos=1).wait_for_publish(30)
        wait_for(lambda: answers, 30)
        return answers[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fleet"
    devices = ["--device", "gate", "--device", "yard", "--reader", "telegraf"]
    assert main(["broker", "init", str(made), "--host", "127.0.0.1", *devices]) == 0
    return made


@contextlib.contextmanager
def at(folder: Path, port: int, name: str, password: str = "", topics: tuple[str, ...] = (), will: str = "") -> Iterator[Client]:
    """Connected as `name`, with its own password unless told another; MQTT 5, which says what it refuses."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    client = Client([], paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False))
    ready: list[str] = []
    kept = next(folder.glob(f"*/{name}/mqtt"), None)
    if name:
        client.paho.username_pw_set(name, password or (kept.read_text().strip() if kept else "x"))
    client.paho.tls_set_context(ssl.create_default_context(cafile=str(folder / "ca/ca.crt")))
    if will:
        client.paho.will_set(will, b"offline", qos=1)
    client.paho.on_message = lambda _client, _data, message: client.heard.append((message.topic, message.payload, bool(message.retain)))
    client.paho.on_subscribe = lambda *_: ready.append("subscribed")

    def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        client.refused = str(reason) if reason.is_failure else ""
        if topics and not reason.is_failure:
            client.paho.subscribe([(topic, 1) for topic in topics])
        else:
            ready.append("connected")

    client.paho.on_connect = connected
    client.paho.connect("127.0.0.1", port)
    client.paho.loop_start()
    try:
        wait_for(lambda: ready, 30)
        yield client
    finally:
        client.paho.disconnect()
        client.paho.loop_stop()


@needs_broker
def test_each_device_speaks_for_itself_alone(folder: Path) -> None:
    """gate may write its own topics and no other's; yard hears nothing of gate; the reader hears all and may say nothing."""
    port = free_port()
    with running(folder, port), at(folder, port, "telegraf", topics=("platewatch/#",)) as reader, at(folder, port, "yard", topics=("#",)) as yard:
        with at(folder, port, "gate") as gate:
            assert gate.say("platewatch/gate/event", b"mine") in ("Success", "No matching subscribers")
            assert gate.say("platewatch/yard/event", b"forged") == "Not authorized"
            assert gate.say("platewatch/event", b"forged") == "Not authorized"
            assert gate.say("homeassistant/status", b"online") == "Not authorized"
        assert reader.say("platewatch/gate/detection/set", b"OFF") == "Not authorized"
        assert yard.say("platewatch/yard/event", b"last") in ("Success", "No matching subscribers")
        wait_for(lambda: len(reader.heard) == 2, 30)
        assert [(topic, payload) for topic, payload, _ in reader.heard] == [("platewatch/gate/event", b"mine"), ("platewatch/yard/event", b"last")]
        assert yard.heard == []


@needs_broker
def test_nobody_comes_in_without_the_right_name_word_and_certificate(folder: Path, tmp_path: Path) -> None:
    port, gate_word = free_port(), (folder / "devices/gate/mqtt").read_text().strip()
    assert main(["broker", "init", str(tmp_path / "other"), "--host", "127.0.0.1"]) == 0
    with running(folder, port):
        for name, password in (("", ""), ("gate", "wrong"), ("yard", gate_word), ("nobody", "x")):
            with at(folder, port, name, password) as client:
                assert client.refused == "Not authorized"
        stranger = ssl.create_default_context(cafile=str(tmp_path / "other/ca/ca.crt"))
        with socket.create_connection(("127.0.0.1", port), 30) as line, pytest.raises(ssl.SSLCertVerificationError):
            stranger.wrap_socket(line, server_hostname="127.0.0.1")
        with at(folder, port, "gate") as client:
            assert client.refused == ""


@needs_broker
def test_the_devices_own_target_delivers_and_its_last_will_outlives_the_broker(folder: Path, tmp_path: Path) -> None:
    """The target.toml as it was made (but for port and paths) in the real publisher; `available` is kept over a restart of the broker."""
    port = free_port()
    [target] = tomllib.loads((folder / "devices/gate/target.toml").read_text())["targets"]
    own = folder / "devices/gate"
    target |= {"port": port, "ca_file": str(own / "broker-ca.crt"), "password": f"file:{own / 'mqtt'}"}
    with running(folder, port):
        with at(folder, port, "telegraf", topics=("platewatch/+/event", "platewatch/+/available")) as reader:
            with telling(a_config(tmp_path, target)) as (store, told):
                add(store, told, "1", "2")
                wait_for(lambda: told.as_json()[0]["delivered"] == 2, 60)
            wait_for(lambda: len(reader.heard) == 4, 30)
        assert [json.loads(payload)["id"] for topic, payload, _ in reader.heard if topic == "platewatch/gate/event"] == ["1", "2"]
        assert [payload for topic, payload, _ in reader.heard if topic.endswith("available")] == [b"online", b"offline"]
    with running(folder, port), at(folder, port, "telegraf", topics=("platewatch/+/available",)) as reader:
        wait_for(lambda: reader.heard, 30)
        assert reader.heard == [("platewatch/gate/available", b"offline", True)]


@needs_broker
def test_the_last_word_of_a_device_that_is_gone_can_be_taken_back_in_its_name(folder: Path) -> None:
    """As the README has it, before `broker remove`: else it stands there as offline for ever."""
    port, topic = free_port(), "platewatch/gate/available"
    with running(folder, port):
        for words in (b"offline", b""):
            with at(folder, port, "gate") as gate:
                gate.paho.publish(topic, words, 1, retain=True).wait_for_publish(30)
        with at(folder, port, "telegraf", topics=("platewatch/+/available",)) as reader, at(folder, port, "yard") as yard:
            yard.paho.publish("platewatch/yard/available", b"online", 1).wait_for_publish(30)
            wait_for(lambda: reader.heard, 30)
        assert [topic for topic, _, _ in reader.heard] == ["platewatch/yard/available"]


@needs_broker
@pytest.mark.skipif(not DEBIANS.is_file(), reason="Debian's own mosquitto.conf is not on this machine")
def test_debians_own_file_takes_it_in(folder: Path, tmp_path: Path) -> None:
    """`--at` elsewhere than in the container: included by Debian's file, beside what that says of data and log, which may not be said twice."""
    assert MOSQUITTO is not None
    assert main(["broker", "init", str(folder), "--at", str(folder / "broker")]) == 0
    port, included = free_port(), folder / "broker/mosquitto.conf"
    included.write_text(included.read_text().replace("listener 8883", f"listener {port} 127.0.0.1"))
    text = DEBIANS.read_text().replace("/etc/mosquitto/conf.d", str(folder / "broker"))
    for where in ("/run/mosquitto", "/var/lib/mosquitto", "/var/log/mosquitto"):
        (tmp_path / where.strip("/")).mkdir(parents=True)
        text = text.replace(where, str(tmp_path / where.strip("/")))
    (tmp_path / "debian.conf").write_text(f"user root\n{text}")
    with subprocess.Popen([MOSQUITTO, "-c", str(tmp_path / "debian.conf")], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: process.poll() is not None or answers(port), 30)
            assert process.poll() is None
            with at(folder, port, "gate") as client:
                assert client.refused == ""
        finally:
            process.terminate()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


@needs_broker
def test_who_was_removed_is_let_in_no_more(folder: Path) -> None:
    port = free_port()
    word = (folder / "devices/gate/mqtt").read_text().strip()
    assert main(["broker", "remove", str(folder), "gate"]) == 0
    with running(folder, port), at(folder, port, "gate", word) as gate, at(folder, port, "yard") as yard:
        assert (gate.refused, yard.refused) == ("Not authorized", "")


@needs_broker
def test_a_device_that_is_cut_off_is_told_to_be_offline(folder: Path) -> None:
    """The last will, when the line breaks without a word; nobody else may write it."""
    port = free_port()
    with running(folder, port), at(folder, port, "telegraf", topics=("platewatch/+/available",)) as reader:
        with at(folder, port, "gate", will="platewatch/gate/available") as gate, at(folder, port, "yard", will="platewatch/gate/available") as yard:
            for client in (gate, yard):
                client.paho.socket().shutdown(socket.SHUT_RDWR)
        wait_for(lambda: reader.heard, 30)
        assert reader.heard == [("platewatch/gate/available", b"offline", False)]
