"""A broker's folder: who may what, what is kept when more devices come, and that Telegraf's fields are those of the event and of the tables."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.broker import folder as broker_folder
from deploy.broker.passwords import fits, hashed
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
    assert secret == {"ca/ca.key", "broker/server.key", "broker/passwd", "broker/aclfile", "readers/telegraf/mqtt", ".env"} | devices
    assert (folder / "ca").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.rglob(".*")] == [".env"]


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


def san(folder):
    words = ["openssl", "x509", "-in", folder / "broker/server.crt", "-noout", "-ext", "subjectAltName"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\n")[1].strip()


@OPENSSL
def test_a_renewed_certificate_keeps_the_names_by_which_devices_reach_the_broker(folder):
    """With another --host, and without any; and it has the name that it has within docker's own network."""
    assert san(folder) == "DNS:broker.lan, IP Address:127.0.0.1, DNS:mosquitto"
    assert main(["broker", "init", str(folder), "--host", "fd00::1", "--device", "shed"]) == 0
    assert san(folder) == "IP Address:FD00:0:0:0:0:0:0:1, DNS:broker.lan, IP Address:127.0.0.1, DNS:mosquitto"
    assert main(["broker", "init", str(folder)]) == 0
    assert san(folder) == "IP Address:FD00:0:0:0:0:0:0:1, DNS:broker.lan, IP Address:127.0.0.1, DNS:mosquitto"
    assert 'host = "fd00::1"' in (folder / "devices/shed/target.toml").read_text()
    assert 'host = "broker.lan"' in (folder / "devices/gate/target.toml").read_text()


@OPENSSL
def test_compose_finds_every_word_and_folder_that_it_asks_for(folder):
    """.env has them, Telegraf's password among them; what is there stays; data/ is there, or docker would make one that mosquitto may not write."""
    environment = folder / ".env"

    def words():
        return dict(line.split("=", 1) for line in environment.read_text().splitlines() if not line.startswith("#"))

    first, asked = words(), set(re.findall(r"\$\{(\w+)", (folder / "compose.yaml").read_text()))
    assert asked <= set(first)
    assert all(first.values())
    assert first["MQTT_PASSWORD"] == (folder / "readers/telegraf/mqtt").read_text().strip()
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    environment.write_text(environment.read_text().replace(f"POSTGRES_PASSWORD={first['POSTGRES_PASSWORD']}", "POSTGRES_PASSWORD=mine") + "OWN=1\n")
    assert main(["broker", "remove", str(folder), "telegraf"]) == main(["broker", "init", str(folder), "--reader", "telegraf"]) == 0
    second = words()
    assert second["MQTT_PASSWORD"] == (folder / "readers/telegraf/mqtt").read_text().strip() != first["MQTT_PASSWORD"]
    assert second == first | {"POSTGRES_PASSWORD": "mine", "OWN": "1", "MQTT_PASSWORD": second["MQTT_PASSWORD"]}
    assert environment.stat().st_mode & 0o777 == 0o600


@OPENSSL
@pytest.mark.parametrize(
    ("name", "content", "mend"),
    [
        ("devices/gate/mqtt", b"", "delete it and give `broker init` again"),
        ("devices/gate/mqtt", b"\n", "delete it and give `broker init` again"),
        ("devices/gate/mqtt", b"\xff\xfe", "put it back from a copy, or delete it"),
        ("broker/passwd", b"\xff\xfe", "put it back from a copy, or delete it"),
        (".env", b"\xff\xfe", "put it back from a copy, or delete it"),
        ("ca/ca.crt", b"x", "put it back from a copy, or begin in a new folder"),
        ("ca/ca.key", b"", "put it back from a copy, or begin in a new folder"),
    ],
)
def test_a_damaged_file_is_named_with_its_mend_and_gives_no_rights(folder, capsys, name, content, mend):
    """A card or disk that lost its power leaves empty files: no device may get in with an empty password."""
    before = (folder / "broker/passwd").read_bytes()
    (folder / name).write_bytes(content)
    capsys.readouterr()
    assert main(["broker", "init", str(folder), "--device", "shed"]) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert str(folder / name) in said
    assert mend in said
    assert (folder / "broker/passwd").read_bytes() in (before, content) or name == ".env"


@OPENSSL
def test_the_brokers_file_stays_as_its_owner_has_it_and_where_it_was_made_for(tmp_path):
    """One more device is no reason to point a broker on Debian at a container's folders."""
    conf = tmp_path / "fleet/broker/mosquitto.conf"
    assert main(["broker", "init", str(tmp_path / "fleet"), "--host", "a", "--at", "/etc/mosquitto/platewatch/"]) == 0
    assert "persistence_location" not in conf.read_text()
    conf.write_text(own := conf.read_text() + "max_connections 50\n")
    assert main(["broker", "init", str(tmp_path / "fleet"), "--device", "gate"]) == 0
    assert conf.read_text() == own
    assert not (tmp_path / "fleet/data").exists()
    assert main(["broker", "init", str(tmp_path / "fleet"), "--at", "/mosquitto/config"]) == 0
    assert "password_file /mosquitto/config/passwd\n" in conf.read_text()
    assert "persistence_location /mosquitto/data/\n" in conf.read_text()


@OPENSSL
def test_halves_of_two_authorities_are_no_authority(folder, tmp_path, capsys):
    assert main(["broker", "init", str(tmp_path / "other"), "--host", "a"]) == 0
    shutil.copy(tmp_path / "other/ca/ca.key", folder / "ca/ca.key")
    assert main(["broker", "init", str(folder)]) == 1
    assert "do not belong together" in capsys.readouterr().err


@OPENSSL
def test_a_folder_where_a_file_should_be_is_named(tmp_path, capsys):
    """As docker makes one when it mounts a file that is not there."""
    (tmp_path / "fleet/readers/telegraf/broker-ca.crt").mkdir(parents=True)
    assert main(["broker", "init", str(tmp_path / "fleet"), "--host", "a", "--reader", "telegraf"]) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert "readers/telegraf/broker-ca.crt: is a folder" in said


@OPENSSL
def test_rights_go_before_credentials_and_a_removal_that_was_cut_short_can_be_said_again(folder, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(broker_folder.shutil, "rmtree", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied", str(path))))
        assert main(["broker", "remove", str(folder), "gate"]) == 1
    assert "Permission denied" in capsys.readouterr().err
    assert "gate" not in (folder / "broker/aclfile").read_text() + (folder / "broker/passwd").read_text()
    assert main(["broker", "remove", str(folder), "gate"]) == 0
    assert not (folder / "devices/gate").exists()
    assert main(["broker", "remove", str(folder / "nothing"), "gate"]) == 1
    assert "is no folder that `broker init` made" in capsys.readouterr().err


@OPENSSL
def test_who_cannot_be_looked_up_is_not_locked_out(folder, capsys, monkeypatch):
    """A folder of devices that may not be read: nobody's line is dropped for that."""
    before = (folder / "broker/passwd").read_bytes()
    real = Path.iterdir

    def locked(path):
        if path.name == "devices":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "iterdir", locked)
    assert main(["broker", "init", str(folder), "--reader", "shed"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (folder / "broker/passwd").read_bytes() == before


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
        ["--host", "fe80::1%eth0"],
        ["--host", "x" * 300],
        [],
        ["--host", "broker.lan", "--at", "config"],
        ["--host", "broker.lan", "--at", "/"],
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
    for damaged in ("", "$7$x$!!$", "$7$101$!!!$x", "$7$0$AAAA$x", "$7$99999999999$AAAA$x", "$7$\u0663$AAAA$x"):
        assert not fits("secret", damaged)


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
    mounts = [volume for service in services.values() for volume in service["volumes"] if isinstance(volume, dict)]
    assert all(mount["bind"] == {"create_host_path": False} for mount in mounts)
    assert len([mount for mount in mounts if not mount.get("read_only")]) == 1  # data
    for name in ("postgresql", "influxdb"):
        telegraf = services[f"telegraf-{name}"]
        mounted = {volume["source"]: volume["target"] for volume in telegraf["volumes"]}
        assert mounted == {f"./telegraf-{name}.conf": "/etc/telegraf/telegraf.conf", "./readers/telegraf/broker-ca.crt": "/etc/telegraf/broker-ca.crt"}
        asked = set(re.findall(r"\$\{(\w+)\}", (FILES / f"telegraf-{name}.conf").read_text()))
        assert asked == set(telegraf["environment"])
        assert name in telegraf["depends_on"]
        hosts = re.findall(r"host=(\w+)|http://(\w+):", (FILES / f"telegraf-{name}.conf").read_text())
        assert {a or b for a, b in hosts} == {name}
