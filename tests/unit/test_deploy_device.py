"""The device file: what is wrong is one sentence, what is missing is asked for, no password is written as it is."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path

import pytest

from deploy.card.prepare import prepared
from deploy.cli import main
from deploy.device import ask
from deploy.device.config import config_of
from deploy.device.errors import DeviceError
from deploy.device.file import checked, holds_secret, read, save
from deploy.device.model import Device, good_key
from deploy.device.schema import schema, table
from deploy.device.secret import login_hash, resolve, wifi_key
from deploy.device.settings import settings_of
from edge.web.auth import is_password
from tests.cards import KEY

ROOT = Path(__file__).parents[2]
WHOLE = {"device": {"name": "gate"}, "user": {"name": "owner", "ssh_keys": [KEY]}, "page": {"password": "long enough"}}
OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")


def with_table(table, /, **keys):
    return WHOLE | {table: WHOLE.get(table, {}) | keys}


def device(**tables):
    return checked(WHOLE | tables, None)


@pytest.fixture
def gate(tmp_path):
    path = tmp_path / "gate.toml"
    (tmp_path / "id.pub").write_text(KEY + "\n")
    path.write_text('[device]\nname = "gate"\n[user]\nname = "owner"\nssh_keys = ["id.pub"]\n[page]\npassword = "env:GATE_PAGE"\n')
    return path


@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("device", {"name": "My Gate"}, "device.name"),
        ("device", {"name": "-gate"}, "device.name"),
        ("device", {"time_zone": "Europe/Berlni"}, "Europe/Berlin"),
        ("device", {"locale": "german"}, "de_DE.UTF-8"),
        ("device", {"keyboard": "QWERTZ"}, "device.keyboard"),
        ("device", {"nmae": "x"}, "did you mean 'name'"),
        ("user", {"name": "root"}, "belongs to the system"),
        ("user", {"name": "Anna Maria"}, "user.name"),
        ("user", {"password_hash": "secret"}, "openssl passwd -6"),
        ("wifi", {"ssid": "x" * 33, "country": "DE", "password": "12345678"}, "32 bytes"),
        ("wifi", {"ssid": "Home", "country": "de", "password": "12345678"}, "two capital letters"),
        ("wifi", {"ssid": "Home", "password": "12345678"}, "wifi.country is missing"),
        ("wifi", {"ssid": "Home", "country": "DE", "security": "open", "password": "12345678"}, "take one of them out"),
        ("wifi", {"ssid": "Home", "country": "DE", "psk": "12345678"}, "64 hexadecimal"),
        ("wifi", {"ssid": "Ho\nme", "country": "DE"}, "cannot be printed"),
        ("camera", {"kind": "webcam"}, "camera.kind"),
        ("camera", {"kind": "rtsp"}, "rtsp://"),
        ("camera", {"password": "x"}, "kind 'rtsp'"),
        ("page", {"port": 80}, "page.port"),
        ("mqtt", {"hots": "x"}, "did you mean 'host'"),
        ("weather", {"x": 1}, "unknown key 'weather'"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_key(name, keys, words):
    with pytest.raises(DeviceError) as error:
        checked(with_table(name, **keys), Path("gate.toml"))
    said = str(error.value)
    assert words in said
    assert said.startswith("gate.toml: ")
    assert len(said.splitlines()) == 1
    assert "12345678" not in said


@pytest.mark.parametrize("content", [b"[device\n", b"\xff\xfe", b"x = " + b"[" * 5000, b"#" * 300_000])
def test_a_file_that_is_none_is_one_sentence(tmp_path, content):
    path = tmp_path / "gate.toml"
    path.write_bytes(content)
    with pytest.raises(DeviceError, match=r"gate\.toml"):
        read(path)
    with pytest.raises(DeviceError, match=r"deploy/devices/gate\.toml"):
        read(tmp_path / "other.toml")


def test_the_schema_that_is_published_is_the_one_that_the_program_prints(capsys):
    assert main(["device", "--schema"]) == 0
    published = (ROOT / "docs/schemas/device.schema.json").read_text()
    assert capsys.readouterr().out == published == schema()
    assert set(json.loads(published)["properties"]) == set(Device.model_fields)
    assert all("description" in key for kind in json.loads(published)["$defs"].values() for key in kind["properties"].values())


def test_the_table_of_keys_in_the_document_is_the_one_that_the_program_prints():
    assert table() in (ROOT / "docs/cards.md").read_text()


def test_the_example_is_good_but_for_what_only_its_owner_has(monkeypatch, tmp_path):
    """Its key and its secrets."""
    document = read(ROOT / "deploy/devices/gate.toml")
    monkeypatch.setenv("GATE_WIFI", "a password")
    monkeypatch.setenv("GATE_PAGE", "another one")
    document["user"]["ssh_keys"] = [KEY]
    assert not holds_secret(document)
    found = checked(document, None)
    assert settings_of(found, tmp_path).wifi.ssid == "Home"
    assert tomllib.loads(config_of(found, tmp_path).text)["country"]["code"] == "de"


def test_secrets_come_from_the_environment_or_a_file_and_are_never_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("HERE", "word")
    (tmp_path / "word").write_text("another\n")
    assert resolve("env:HERE", "x", tmp_path) == "word"
    assert resolve("file:word", "x", tmp_path) == "another"
    assert resolve("itself", "x", tmp_path) == "itself"
    (tmp_path / "empty").write_text("")
    for told, words in (("env:NOT_THERE", "NOT_THERE"), ("file:not-there", "not-there"), ("file:empty", "empty"), ("tw\x00o", "typed")):
        with pytest.raises(DeviceError, match=words):
            resolve(told, "page.password", tmp_path)


def test_the_wifi_key_is_that_of_the_standard():
    """IEEE 802.11i, annex H.4.1."""
    assert wifi_key("password", "IEEE") == "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    with pytest.raises(DeviceError, match="8 to 63"):
        wifi_key("short", "IEEE")


@OPENSSL
def test_the_login_hash_is_one_that_the_system_takes(tmp_path):
    import subprocess

    hashed = login_hash("the password ü")
    again = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", hashed.split("$")[2], "-stdin"], input="the password ü\n", capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == hashed
    made = settings_of(device(user={"name": "owner", "password": "long enough"}), tmp_path)
    assert made.password_hash.startswith("$6$")
    assert made.secrets() == (made.password_hash,)
    with pytest.raises(DeviceError, match="fewer than 8"):
        settings_of(device(user={"name": "owner", "password": "short"}), tmp_path)


def test_keys_are_taken_from_files_and_a_private_one_stays_where_it_is(tmp_path):
    (tmp_path / "id.pub").write_text(f"# mine\n{KEY}\n{KEY}\n")
    (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (tmp_path / "none.pub").write_text("\n")
    assert settings_of(device(user={"name": "owner", "ssh_keys": ["id.pub", KEY]}), tmp_path).ssh_keys == (KEY,)
    for word, said in (("id", r"id\.pub"), ("none.pub", "no key"), ("not-there.pub", "ssh-keygen"), ("ssh-ed25519 AAAA", "neither")):
        with pytest.raises(DeviceError, match=said):
            settings_of(device(user={"name": "owner", "ssh_keys": [word]}), tmp_path)
    with pytest.raises(DeviceError, match="nobody could log in"):
        settings_of(device(user={"name": "owner"}), tmp_path)
    assert not good_key(KEY.replace("ssh-ed25519", "ssh-rsa", 1))


def test_the_config_is_good_for_the_device_and_holds_no_password(tmp_path):
    tables = {
        "camera": {"kind": "rtsp", "address": "rtsp://10.0.0.5/s1", "user": "a b", "password": "p@ss/word"},
        "mqtt": {"host": "broker", "user": "gate", "password": "broker's word", "tls": True, "dialect": "homeassistant"},
        "config": {"store": {"retention_days": 3}, "targets": [{"name": "file", "kind": "jsonl", "path": "/var/lib/platewatch/x.jsonl"}]},
    }
    made = config_of(device(**tables), tmp_path)
    told = tomllib.loads(made.text)
    assert told["camera"] == {"name": "camera", "kind": "opencv", "source": "rtsp://a%20b:p%40ss%2Fword@10.0.0.5/s1"}
    assert is_password("long enough", told["web"]["password_hash"])
    assert told["store"] == {"path": "/var/lib/platewatch/events.sqlite", "retention_days": 3}
    assert [target["name"] for target in told["targets"]] == ["mqtt", "file"]
    assert told["targets"][0]["password"] == "file:/etc/platewatch/secrets/mqtt"
    assert made.secrets == {"mqtt": "broker's word"}
    assert "broker's word" not in made.text
    assert "long enough" not in made.text


def test_nothing_that_the_device_writes_lies_in_the_configs_own_folder(tmp_path):
    """The daemon may not write there: every path of a default would."""
    from edge.config import load

    path = tmp_path / "platewatch.toml"
    path.write_text(config_of(device(), tmp_path).text)
    config = load(path)
    written = [
        config.store.path,
        config.runtime.directory,
        config.models.measured,
        config.models.depot,
        config.web.access,
        config.gate.audit,
        config.privacy.key_file,
    ]
    assert [name for name in written if not name.startswith(("/var/lib/platewatch/", "/run/platewatch"))] == []
    assert str(tmp_path) not in config.model_dump_json()


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"plates": {"country": "germany"}}, "did you mean 'de'"),
        ({"config": {"store": {"retention": 3}}}, "retention_days"),
        ({"page": {"password": "short"}}, "page.password"),
        ({"page": {}}, "page.password"),
        ({"mqtt": {"host": "x", "dialect": "csv"}}, "dialect"),
    ],
)
def test_what_the_device_would_refuse_is_refused_here(tmp_path, tables, words):
    with pytest.raises(DeviceError) as error:
        config_of(device(**tables), tmp_path)
    assert words in str(error.value)
    assert str(tmp_path) not in str(error.value)
    assert "/tmp" not in str(error.value)


def answers(**told):
    asked = []

    def one(words, default, secret):
        asked.append((words, secret))
        return next((answer for part, answer in told.items() if part.replace("_", " ") in words), default)

    return one, asked


def test_without_a_file_everything_is_asked_for_and_passwords_unseen(monkeypatch):
    monkeypatch.setattr(ask, "own_key", lambda: "")
    one, asked = answers(Name_of_your_Wi="Home", Password_of_the_Wi="12345678", Country="de", Password_for="long enough", Password_of_the_page="long enough")
    document = ask.complete({}, one, fresh=True)
    assert document["wifi"] == {"ssid": "Home", "password": "12345678", "country": "DE"}
    assert document["user"]["password"] == "long enough"
    assert all(secret == words.startswith("Password") for words, secret in asked)
    checked(document, None)


def test_of_a_file_only_what_it_lacks_is_asked_for():
    one, asked = answers(Password_of_the_page="long enough")
    document = ask.complete({"device": {"name": "gate"}, "user": {"name": "owner", "ssh_keys": [KEY]}}, one)
    assert [words for words, _ in asked] == ["Password of the page (user admin, at least 8 characters)"]
    checked(document, None)
    one, asked = answers()
    assert ask.complete(WHOLE, one) == WHOLE
    assert asked == []


@pytest.mark.parametrize(
    ("key", "wrong", "right", "words"),
    [
        ("device.name", "My Gate", "gate", "host name"),
        ("user.name", "root", "anna", "belongs to the system"),
        ("user.ssh_keys", "not-there.pub", KEY, "ssh-keygen"),
        ("wifi.password", "short", "long enough", "8 to 63"),
        ("wifi.country", "Germany", "de", "two capital letters"),
        ("camera.kind", "webcam", "usb", "camera.kind"),
        ("plates.country", 'germany"', "de", "did you mean 'de'"),
        ("page.password", "short", "long enough", "at least 8"),
    ],
)
def test_an_answer_that_will_not_do_is_asked_for_again_with_the_reason(key, wrong, right, words):
    question = next(one for one in ask.QUESTIONS if one.key == key)
    given, asked = [wrong, right], []

    def one(text, default, secret):
        asked.append(text)
        return given.pop(0)

    before = {"wifi": {"ssid": "Home"}}
    name, _, inner = key.partition(".")
    assert ask._answered(question, before, one)[name][inner] in (right, right.upper(), [right])
    assert asked[0] == question.words
    assert words in asked[1]
    assert before == {"wifi": {"ssid": "Home"}}
    with pytest.raises(DeviceError, match="5 times"):
        ask._answered(question, before, lambda *_: wrong)


def test_with_nobody_there_everything_that_is_missing_is_named():
    with pytest.raises(DeviceError) as error:
        ask.refuse({"wifi": {"ssid": "Home"}}, Path("gate.toml"))
    for name in ("device.name", "user.name", "user.ssh_keys or user.password", "wifi.password", "wifi.country", "page.password"):
        assert name in str(error.value)
    one, _ = answers()
    with pytest.raises(DeviceError, match="was not answered"):
        ask.complete(WHOLE | {"page": {}}, one)


def test_a_misspelt_key_is_named_before_anybody_is_asked(tmp_path):
    (tmp_path / "gate.toml").write_text('[wifi]\nsid = "Home"\n')
    one, asked = answers()
    for asker in (one, None):
        with pytest.raises(DeviceError, match=r"unknown key 'wifi\.sid'; did you mean 'ssid'"):
            prepared(tmp_path / "gate.toml", asker)
    assert asked == []


def test_answers_are_kept_for_their_owner_alone_and_over_nothing(tmp_path):
    path = tmp_path / "gate.toml"
    save(WHOLE, path)
    assert tomllib.loads(path.read_text()) == WHOLE
    assert os.stat(path).st_mode & 0o077 == 0
    with pytest.raises(DeviceError, match="is there already"):
        save(WHOLE, path)


def test_what_is_kept_of_answers_holds_no_password(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ask, "own_key", lambda: "")
    one, _ = answers(Name_of_your_Wi="Home", Password_of_the_Wi="12345678", Country="DE", Password_for="long enough", Password_of_the_page="long too")
    made = prepared(None, one)
    text = json.dumps(made.document)
    assert not any(word in text for word in ("12345678", "long enough", "long too"))
    again = settings_of(checked(made.document, None), tmp_path)
    assert again == made.settings


def test_the_command_checks_a_file_and_shows_the_config_without_secrets(gate, monkeypatch, capsys):
    monkeypatch.setenv("GATE_PAGE", "long enough")
    assert main(["device", "--check", str(gate)]) == 0
    assert "http://gate.local:8080" in capsys.readouterr().out
    assert main(["device", "--config", str(gate)]) == 0
    assert "scrypt" not in capsys.readouterr().out
    monkeypatch.delenv("GATE_PAGE")
    assert main(["device", "--check", str(gate)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_file_with_passwords_that_others_can_read_is_told_of(gate):
    gate.write_text(gate.read_text().replace("env:GATE_PAGE", "long enough"))
    gate.chmod(0o644)
    assert any("chmod 600" in note for note in prepared(gate, None).notes)
    gate.chmod(0o600)
    assert prepared(gate, None).notes == ()
