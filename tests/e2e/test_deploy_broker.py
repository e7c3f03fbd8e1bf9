"""Two devices at a real mosquitto, by what `broker init` made: neither can speak for the other. And the tables in a real PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from edge.publish.told import Told
from tests.builders import an_event
from tests.e2e.test_targets import a_config, add, needs_broker, telling
from tests.receivers import MOSQUITTO, free_port, wait_for

FILES = Path(__file__).parents[2] / "deploy/broker/files"
PG = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


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
    assert main(["broker", "init", str(made), "--host", "127.0.0.1", *devices, "--at", str(made / "broker")]) == 0
    return made


@contextlib.contextmanager
def running(folder: Path, port: int) -> Iterator[None]:
    """mosquitto by the very file that was made, but for the port and the place of its data."""
    assert MOSQUITTO is not None
    made = (folder / "broker/mosquitto.conf").read_text()
    text = made.replace("listener 8883", f"listener {port} 127.0.0.1").replace("/mosquitto/data/", f"{folder}/data/")
    assert text.count(str(port)) == 1
    (folder / "data").mkdir(exist_ok=True)
    conf = folder / "test.conf"
    conf.write_text(f"user root\n{text}")
    with subprocess.Popen([MOSQUITTO, "-c", str(conf)], stderr=subprocess.DEVNULL) as process:

        def answers() -> bool:
            assert process.poll() is None, "mosquitto ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                return True
            return False

        try:
            wait_for(answers, 30)
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def at(folder: Path, port: int, name: str, password: str = "", topics: tuple[str, ...] = ()) -> Iterator[Client]:
    """Connected as `name`, with its own password unless told another; MQTT 5, which says what it refuses."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    client = Client([], paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False))
    ready: list[str] = []
    kept = next(folder.glob(f"*/{name}/mqtt"), None)
    if name:
        client.paho.username_pw_set(name, password or (kept.read_text().strip() if kept else "x"))
    client.paho.tls_set_context(ssl.create_default_context(cafile=str(folder / "ca/ca.crt")))
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


@pytest.fixture
def sql() -> Iterator[Any]:
    """psql on a PostgreSQL of one's own, at a socket in a folder; as user postgres where the tests are root's."""
    if PG is None:
        pytest.skip("PostgreSQL is not on this machine")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root")
    folder = Path(tempfile.mkdtemp(prefix="pw-pg-"))
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if become:
        shutil.chown(folder, "postgres")

    def run(*words: str, text: str = "") -> str:
        done = subprocess.run([*become, *words], input=text, capture_output=True, text=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        run(str(PG), "-D", f"{folder}/db", "-A", "trust", "-U", "owner", "--no-sync", "-E", "UTF8", "--locale=C")
        server = str(PG.with_name("pg_ctl"))
        run(server, "-D", f"{folder}/db", "-w", "-t", "120", "-l", f"{folder}/log", "-o", f"-c listen_addresses='' -k {folder} -F", "start")
        try:
            yield lambda text, user="owner": run("psql", "-h", str(folder), "-U", user, "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1", text=text).strip()
        finally:
            run(server, "-D", f"{folder}/db", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def written(device: str, event: dict[str, Any]) -> dict[str, str]:
    """The row that telegraf-postgresql.conf makes of an event: column -> text as COPY wants it."""
    [parsing] = tomllib.loads((FILES / "telegraf-postgresql.conf").read_text())["inputs"]["mqtt_consumer"][0]["json_v2"]
    row = {"time": event[parsing["timestamp_path"]], "device": device}
    for wanted in [*parsing["tag"], *parsing["field"]]:
        value: Any = event
        for key in wanted["path"].split("."):
            value = (value or {}).get(key)
        if value is not None:
            row[wanted.get("rename", wanted["path"])] = str(value)
    return row


def test_events_are_stored_once_and_forgotten_in_time(sql: Any) -> None:
    """The schema twice; a COPY that brings an event twice, and again; another device's event of the same id; and what telegraf may not."""
    schema = (FILES / "schema.sql").read_text()
    sql(schema)
    sql(schema)
    one, two = (Told(an_event(id, **changes).as_json()).row | {"stage": "final"} for id, changes in (("1", {}), ("2", {"text": "XY99ZZZ"})))
    rows = [written("gate", one), written("gate", one), written("gate", two), written("yard", one)]
    columns = sorted(set().union(*rows))
    lines = "\n".join("\t".join(row.get(column, "\\N") for column in columns) for row in rows)
    named = ", ".join(f'"{column}"' for column in columns)
    for _ in range(2):
        sql(f"COPY plate_events ({named}) FROM STDIN;\n{lines}\n\\.\n", user="telegraf")
    assert sql("SELECT device, id, text, looks FROM plate_events ORDER BY device, id") == "gate|1|AB12CDE|4\ngate|2|XY99ZZZ|4\nyard|1|AB12CDE|4"
    assert sql("""SELECT "time" = '2026-11-22T21:00:01Z' FROM plate_events LIMIT 1""") == "t"
    sql("INSERT INTO plate_devices VALUES (now() - interval '1 h', 'gate', 'online'), (now(), 'gate', 'offline'), (now(), 'yard', 'online')", user="telegraf")
    assert sql("SELECT device, state FROM plate_devices_now") == "gate|offline\nyard|online"
    for forbidden in ("DELETE FROM plate_events", "UPDATE plate_events SET text = 'X'", "DROP TABLE plate_events", "SELECT plate_events_forget('0 s')"):
        with pytest.raises(AssertionError, match=r"permission denied|must be owner"):
            sql(forbidden, user="telegraf")
    sql("""UPDATE plate_events SET "time" = now() WHERE device = 'yard'""")
    sql("""UPDATE plate_events SET "time" = now() - interval '31 days' WHERE device = 'gate'""")
    assert sql("SELECT plate_events_forget('30 days')") == "2"
    assert sql("SELECT device FROM plate_events") == "yard"
