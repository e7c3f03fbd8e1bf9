"""Events of the device's own target over a real mosquitto into a real PostgreSQL, by the Telegraf file as it is; Telegraf itself is a stand-in."""

from __future__ import annotations

import json
import re
import socket
import ssl
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from edge.records import Match
from tests.builders import an_event
from tests.e2e.test_targets import a_config, add, needs_broker, telling
from tests.fleet_broker import postgres, running
from tests.receivers import free_port, wait_for
from tests.telegraf import File, Metric, Refused, copy, metric, rows

BROKER = Path(__file__).parents[2] / "deploy/broker"


@dataclass
class Consumer:
    """One mqtt_consumer at a real broker: TLS with the name of the file, a session that is kept, acknowledged only when it was written."""

    consumer: dict[str, Any]
    port: int
    authority: Path
    taken: list[tuple[str, bytes, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        own, self.refused, self.ready = self.consumer, "", False
        client = self.paho = paho.Client(
            CallbackAPIVersion.VERSION2, own["client_id"], clean_session=not own["persistent_session"], protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False, manual_ack=True,
        )  # fmt: skip
        client.username_pw_set(own["username"], own["password"])
        assert own["tls_ca"] == "/etc/telegraf/broker-ca.crt"
        client.tls_set_context(ssl.create_default_context(cafile=str(self.authority)))
        client.on_message = lambda _client, _data, one: self.taken.append((one.topic, one.payload, one.mid, one.qos))
        client.on_subscribe = lambda *_: setattr(self, "ready", True)

        def connected(_client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
            self.refused = str(reason) if reason.is_failure else ""
            if flags.session_present or reason.is_failure:  # Telegraf does not subscribe again where there is a session
                self.ready = True
            else:
                client.subscribe([(topic, own["qos"]) for topic in own["topics"]])

        client.on_connect = connected
        [(host, port)] = re.findall(r"ssl://([\w.-]+):(\d+)", own["servers"][0])
        # The name is one within docker's own network; here it leads to the broker of the test, whose certificate must have it.
        client._create_socket_connection = lambda: socket.create_connection(("127.0.0.1", self.port), 10)  # type: ignore[method-assign]
        client.connect(host, int(port))
        client.loop_start()

    def metrics(self) -> tuple[list[Metric], list[str]]:
        """Of all that came, and what was refused; not acknowledged yet."""
        made, refused = [], []
        for topic, payload, _, _ in self.taken:
            try:
                made.append(metric(self.consumer, topic, payload, datetime.now(UTC)))
            except Refused as why:
                refused.append(str(why))
        return made, refused

    def acknowledge(self) -> None:
        """It was written."""
        for _, _, mid, qos in self.taken:
            self.paho.ack(mid, qos)
        self.taken.clear()

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


def environment(folder: Path) -> dict[str, str]:
    """What compose gives to the Telegraf that writes into PostgreSQL."""
    lines = (folder / ".env").read_text().splitlines()
    kept = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: kept[name] for name in ("MQTT_PASSWORD", "TELEGRAF_PASSWORD", "TELEGRAF_SESSION")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fleet"
    assert main(["broker", "init", str(made), "--host", "127.0.0.1", "--device", "gate", "--device", "yard", "--reader", "telegraf"]) == 0
    return made


@pytest.fixture
def sql() -> Iterator[Callable[..., str]]:
    with postgres() as made:
        yield made


def tell(folder: Path, place: Path, name: str, port: int, *events: dict[str, Any]) -> None:
    """The device's own target.toml in the real publisher, until the broker has them all."""
    [target] = tomllib.loads((folder / f"devices/{name}/target.toml").read_text())["targets"]
    own = folder / "devices" / name
    target |= {"port": port, "ca_file": str(own / "broker-ca.crt"), "password": f"file:{own / 'mqtt'}"}
    place.mkdir(exist_ok=True)
    with telling(a_config(place, target)) as (store, told):
        for event in events:
            add(store, told, event.pop("id"), **event)
        wait_for(lambda: told.as_json()[0]["delivered"] == len(events), 60)


def write(file: File, consumers: list[Consumer], sql: Callable[..., str]) -> list[str]:
    """One flush: what came goes into the tables and is then acknowledged. What had no column."""
    output = file.outputs["postgresql"]
    told = dict(word.split("=", 1) for word in output["connection"].split())
    assert (told["host"], told["dbname"], told["pool_max_conns"]) == ("postgresql", "platewatch", "1")
    omitted = []
    for consumer in consumers:
        metrics, refused = consumer.metrics()
        assert refused == []
        for table, wanted in rows(metrics).items():
            omitted += copy(output, table, wanted, lambda text: sql(text, told["user"], PGPASSWORD=told["password"]))
        consumer.acknowledge()
    return omitted


@needs_broker
def test_events_of_two_devices_come_into_the_tables(folder: Path, tmp_path: Path, sql: Callable[..., str]) -> None:
    """TLS by the name in the file, the passwords of .env, tables of schema.sql; what comes while Telegraf is away or dies before it wrote is not lost."""
    port, word = free_port(), environment(folder)
    sql((BROKER / "files/schema.sql").read_text(), TELEGRAF_PASSWORD=word["TELEGRAF_PASSWORD"])
    file = File.read(folder / "telegraf-postgresql.conf", word)
    known = Match("residents", "allow", "AB12CDE", label="Anna\tO'Neill \\\\ 1", group="flat 2")

    def telegraf() -> list[Consumer]:
        made = [Consumer(consumer, port, folder / "readers/telegraf/broker-ca.crt") for consumer in file.inputs]
        wait_for(lambda: all(one.ready for one in made), 30)
        assert [one.refused for one in made] == ["", ""]
        return made

    with running(folder, port):
        consumers = telegraf()
        tell(folder, tmp_path / "gate", "gate", port, {"id": "1", "match": known, "country": "gb"}, {"id": "2", "text": "XY99ZZZ", "dwell_s": 2})
        wait_for(lambda: (len(consumers[0].taken), len(consumers[1].taken)) == (2, 2), 30)
        assert write(file, consumers, sql) == []
        [one.close() for one in consumers]
        tell(folder, tmp_path / "yard", "yard", port, {"id": "1"})  # while nobody reads
        # Whoever takes the id of a session takes what waits in it away; a device that is stolen cannot guess Telegraf's.
        own = {"username": "yard", "password": (folder / "devices/yard/mqtt").read_text().strip(), "topics": ["platewatch/yard/detection/set"]}
        thief = Consumer(file.inputs[0] | own | {"client_id": "telegraf-events"}, port, folder / "readers/telegraf/broker-ca.crt")
        wait_for(lambda: thief.ready, 30)
        thief.close()
        consumers = telegraf()
        wait_for(lambda: len(consumers[0].taken) == 1, 30)
        [one.close() for one in consumers]  # it dies before it has written
        consumers = telegraf()
        wait_for(lambda: len(consumers[0].taken) == 1, 30)
        assert write(file, consumers, sql) == []
        assert write(file, consumers, sql) == []
        [one.close() for one in consumers]
    asked = "SELECT device, id, stage, text, country, match_list, match_label, looks, dwell_s, test FROM plate_events ORDER BY device, id"
    assert sql(asked).split("\n") == [
        "gate|1|final|AB12CDE|gb|residents|Anna\tO'Neill \\\\ 1|4|0|",
        "gate|2|final|XY99ZZZ||||4|2|",
        "yard|1|final|AB12CDE||||4|0|",
    ]
    assert (
        sql("""SELECT DISTINCT "time" = '2026-11-22T21:00:01Z', first_seen, camera, confidence FROM plate_events""")
        == "t|2026-11-22T21:00:00.000+00:00|gate|0.9"
    )
    assert sql("SELECT device, state FROM plate_devices_now") == "gate|offline\nyard|offline"


def test_an_event_is_stored_once_and_forgotten_in_time(sql: Callable[..., str], tmp_path: Path) -> None:
    """The schema twice; a COPY that brings an event twice, and again; another device's event of the same id; what Telegraf may not; the README's queries."""
    schema = (BROKER / "files/schema.sql").read_text()
    sql(schema)
    sql(schema, TELEGRAF_PASSWORD="it's \\ 'one'")
    word = {"MQTT_PASSWORD": "x", "TELEGRAF_PASSWORD": "x", "TELEGRAF_SESSION": "x"}
    file = File.read(BROKER / "files/telegraf-postgresql.conf", word)

    def told(device: str, id: str, **changes: Any) -> Metric:
        row = an_event(id, **changes).as_json() | {"stage": "final"}
        return metric(file.inputs[0], f"platewatch/{device}/event", json.dumps(row, default=float).encode(), datetime.now(UTC))

    def telegraf(text: str) -> str:
        return sql(text, "telegraf", PGPASSWORD="it's \\ 'one'")

    made = rows([told("gate", "1"), told("gate", "1"), told("gate", "2", text="XY99ZZZ"), told("yard", "1")])
    for _ in range(2):
        assert copy(file.outputs["postgresql"], "plate_events", made["plate_events"], telegraf) == []
    assert sql("SELECT device, id, text, looks FROM plate_events ORDER BY device, id") == "gate|1|AB12CDE|4\ngate|2|XY99ZZZ|4\nyard|1|AB12CDE|4"
    at = [
        ("now() - interval '3 h'", "gate", "online"),
        ("now() - interval '2 h'", "gate", "offline"),
        ("now()", "gate", "offline"),
        ("now()", "yard", "online"),
    ]
    telegraf("INSERT INTO plate_devices VALUES " + ", ".join(f"({time}, '{device}', '{state}')" for time, device, state in at))
    assert sql("SELECT device, state, now() - since > interval '1 h' FROM plate_devices_now") == "gate|offline|t\nyard|online|f"
    for forbidden in ("DELETE FROM plate_events", "UPDATE plate_events SET text = 'X'", "DROP TABLE plate_events", "SELECT plate_events_forget('0 s')"):
        with pytest.raises(AssertionError, match=r"permission denied|must be owner"):
            telegraf(forbidden)
    sql("""UPDATE plate_events SET "time" = now() WHERE device = 'yard'""")
    sql("""UPDATE plate_events SET "time" = now() - interval '31 days' WHERE device = 'gate'""")
    queries = re.findall(r"^    (SELECT .*?;)", (BROKER / "README.md").read_text(), re.M)
    assert len(queries) == 3
    found = [sql(query) for query in queries]
    assert "AB12CDE" in found[0]
    assert found[1].startswith("gate|offline|")
    assert found[2] == "2"
    assert sql("SELECT device FROM plate_events") == "yard"


def test_a_wrong_name_in_the_file_is_found(sql: Callable[..., str], tmp_path: Path) -> None:
    """What this file's other tests rest on: an option that Telegraf does not know, a path that no event has, a field without a column."""
    text = (BROKER / "files/telegraf-postgresql.conf").read_text()
    word = {"MQTT_PASSWORD": "x", "TELEGRAF_PASSWORD": "x", "TELEGRAF_SESSION": "x"}
    row = json.dumps(an_event("1").as_json() | {"stage": "final"}, default=float).encode()

    def read(before: str, after: str) -> File:
        assert before in text
        (tmp_path / "telegraf.conf").write_text(text.replace(before, after))
        return File.read(tmp_path / "telegraf.conf", word)

    for before, after in (("qos = 1", "quality = 1"), ('tags = "_/device/_"', 'tags = "_/device"'), ("ssl://mosquitto:8883", "mosquitto")):
        with pytest.raises(Refused):
            read(before, after)
    for before, after in (('path = "confidence"', 'path = "trust"'), ('timestamp_path = "last_seen"', 'timestamp_path = "seen"')):
        with pytest.raises(Refused):
            metric(read(before, after).inputs[0], "platewatch/gate/event", row, datetime.now(UTC))
    sql((BROKER / "files/schema.sql").read_text())
    file = read('path = "looks"', 'path = "looks"\n      rename = "glances"')
    made = rows([metric(file.inputs[0], "platewatch/gate/event", row, datetime.now(UTC))])
    assert copy(file.outputs["postgresql"], "plate_events", made["plate_events"], sql) == ["glances"]
