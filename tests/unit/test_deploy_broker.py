"""A broker's folder: who may what, what is kept when more devices come, and that Telegraf's fields are those of the event and of the tables."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.broker.folder import fits, hashed
from deploy.cli import main
from edge.config import Config

FILES = Path(__file__).parents[2] / "deploy/broker/files"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/event.schema.json").read_text())
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")
SQL_TYPES = {"string": "text", "float": "double precision", "int": "bigint", "bool": "boolean"}
JSON_TYPES = {"string": "string", "float": "number", "int": "integer", "bool": "boolean"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "fleet"
    assert (
        main(["broker", "init", str(made), "--host", "broker.lan", "--host", "127.0.0.1", "--device", "gate", "--device", "yard", "--reader", "telegraf"]) == 0
    )
    return made


@OPENSSL
def test_what_is_secret_is_readable_by_the_owner_alone(folder):
    files = {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    secret = {name for name, mode in files.items() if mode == 0o600}
    devices = {f"devices/{name}/mqtt" for name in ("gate", "yard")}
    assert secret == {"ca/ca.key", "broker/server.key", "broker/passwd", "broker/aclfile", "readers/telegraf/mqtt"} | devices
    assert (folder / "ca").stat().st_mode & 0o777 == 0o700
    assert not list(folder.rglob(".*"))


@OPENSSL
def test_a_device_may_write_its_own_topics_and_a_reader_may_write_none(folder):
    rights = (folder / "broker/aclfile").read_text()
    assert rights.count("topic write") == 2
    assert "user gate\ntopic write platewatch/gate/#\ntopic read platewatch/gate/detection/set\n" in rights
    assert "user telegraf\ntopic read platewatch/#\n" in rights
    assert "allow_anonymous false" in (folder / "broker/mosquitto.conf").read_text()


@OPENSSL
def test_what_the_device_is_given_is_a_valid_target(folder):
    document = tomllib.loads((folder / "devices/gate/target.toml").read_text())
    [target] = Config.model_validate(document).targets
    assert (target.host, target.user, target.topic, target.tls) == ("broker.lan", "gate", "platewatch/gate", True)


@OPENSSL
def test_more_devices_change_nothing_for_those_that_are_there(folder, capsys):
    """The authority, the passwords and their lines stay; the broker's certificate is made anew."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    lines = (folder / "broker/passwd").read_text().splitlines()
    assert main(["broker", "init", str(folder), "--host", "broker.lan", "--device", "shed", "--device", "gate"]) == 0
    changed = {path.relative_to(folder).as_posix() for path, content in before.items() if path.read_bytes() != content}
    assert changed == {"broker/server.key", "broker/server.crt", "broker/passwd", "broker/aclfile"}
    assert set(lines) < set((folder / "broker/passwd").read_text().splitlines())
    assert main(["broker", "remove", str(folder), "gate"]) == 0
    assert "gate" not in (folder / "broker/aclfile").read_text() + (folder / "broker/passwd").read_text()
    assert not (folder / "devices/gate").exists()
    assert main(["broker", "remove", str(folder), "gate"]) == 1
    assert "known are shed, yard, telegraf" in capsys.readouterr().err


@OPENSSL
def test_the_certificates_hold_and_have_every_name(folder):
    def openssl(*words):
        return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=True).stdout

    server = folder / "broker/server.crt"
    assert "OK" in openssl("verify", "-CAfile", folder / "ca/ca.crt", "-purpose", "sslserver", server)
    for option, name in (("-checkhost", "broker.lan"), ("-checkip", "127.0.0.1")):
        assert "does match" in openssl("x509", "-in", server, "-noout", option, name)


@OPENSSL
@pytest.mark.parametrize(
    "words",
    [
        ["--host", "broker.lan", "--device", "Gate"],
        ["--host", "broker.lan", "--device", "a", "--reader", "a"],
        ["--host", "bro ker"],
        ["--host", "a,DNS:evil"],
        [],
        ["--host", "broker.lan", "--at", "config"],
    ],
)
def test_names_that_cannot_be_are_one_sentence_and_make_nothing(tmp_path, capsys, words):
    assert main(["broker", "init", str(tmp_path / "fleet"), *words]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "fleet").exists()


@OPENSSL
def test_half_an_authority_is_not_made_whole_by_another(folder, capsys):
    (folder / "ca/ca.key").unlink()
    assert main(["broker", "init", str(folder), "--host", "broker.lan"]) == 1
    assert "its other half is not" in capsys.readouterr().err


def test_a_password_fits_its_own_line_alone():
    line = hashed("secret")
    assert fits("secret", line)
    assert not fits("other", line)
    assert not fits("secret", "")


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not on this machine")
def test_mosquitto_passwd_writes_the_same_kind_of_line(tmp_path):
    (tmp_path / "passwd").write_text("gate:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", tmp_path / "passwd"], check=True)
    assert fits("secret", (tmp_path / "passwd").read_text().strip().removeprefix("gate:"))


def consumers(name):
    return tomllib.loads((FILES / name).read_text())["inputs"]["mqtt_consumer"]


@pytest.mark.parametrize("name", ["telegraf-postgresql.conf", "telegraf-influxdb.conf"])
def test_telegraf_asks_for_what_is_in_an_event(name):
    """Every path is a key of the published schema, with its type; what is not always there is optional."""
    events, available = consumers(name)
    assert (events["topics"], available["topics"]) == (["platewatch/+/event"], ["platewatch/+/available"])
    [parsing] = events["json_v2"]
    rows = {"match": SCHEMA["$defs"]["MatchRow"]["properties"]}
    for row in [*parsing["tag"], *parsing["field"], {"path": parsing["timestamp_path"]}]:
        head, _, tail = row["path"].partition(".")
        key = rows[head][tail] if tail else SCHEMA["properties"][head]
        if "type" in row:
            assert key["type"] == JSON_TYPES[row["type"]]
        assert row.get("optional") or not tail
        if "anyOf" in key:
            assert row.get("optional")


def test_both_examples_read_the_same():
    assert consumers("telegraf-postgresql.conf") == consumers("telegraf-influxdb.conf")


def test_the_tables_have_a_column_for_everything_that_telegraf_writes():
    sql = (FILES / "schema.sql").read_text()
    found = re.search(r"plate_events \(\n(.*?)\n\);", sql, re.S)
    assert found
    columns = dict(re.findall(r'^ +"?(\w+)"? +(text|timestamptz|double precision|bigint|boolean)', found[1], re.M))
    [parsing] = consumers("telegraf-postgresql.conf")[0]["json_v2"]
    wanted = {"time": "timestamptz", "device": "text"} | {row["path"]: "text" for row in parsing["tag"]}
    wanted |= {row.get("rename", row["path"]): SQL_TYPES[row["type"]] for row in parsing["field"]}
    assert columns == wanted


def test_the_compose_file_gives_each_what_it_needs():
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    services = yaml.safe_load((FILES / "compose.yaml").read_text())["services"]
    assert services["mosquitto"]["ports"] == ["8883:8883"]
    for name in ("postgresql", "influxdb"):
        telegraf = services[f"telegraf-{name}"]
        assert f"./telegraf-{name}.conf:/etc/telegraf/telegraf.conf:ro" in telegraf["volumes"]
        asked = set(re.findall(r"\$\{(\w+)\}", (FILES / f"telegraf-{name}.conf").read_text()))
        assert asked == set(telegraf["environment"])
        assert name in telegraf["depends_on"]
        hosts = re.findall(r"host=(\w+)|http://(\w+):", (FILES / f"telegraf-{name}.conf").read_text())
        assert {a or b for a, b in hosts} == {name}
