"""Backup and restore, also onto another card."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import tarfile

import pytest

from deploy.onboard import resume
from deploy.onboard.cli import main
from tests.onboard import CONFIG, Device, cut, make_kit, pack

LISTS = '[lists]\nallow = ["family.toml", "/srv/firm.csv"]\n'


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def bare(tmp_path):
    made = Device.bare(tmp_path / "bare")
    make_kit(made.root / "boot/firmware", pack(tmp_path / "packs", "1.0.1"))
    made.first_start()
    return made


@pytest.fixture
def lived(bare, tmp_path):
    """With lists, an event, a label, a model of its owner's, and a key."""
    device = bare.copy(tmp_path / "lived")
    layout = device.layout
    layout.config.write_text(CONFIG + LISTS)
    (layout.etc / "family.toml").write_text("[[plates]]\nplate = 'B AB 1'\n")
    layout.at("srv").mkdir()
    layout.at("srv/firm.csv").write_text("plate\nB CD 2\n")
    (layout.var / "bundles/mine").mkdir(parents=True)
    (layout.var / "bundles/mine/model.tflite").write_bytes(b"\x00\x01")
    (layout.var / "pseudonym.key").write_text("key")
    store(layout.var / "events.sqlite", ["B AB 1"])
    return device


def store(path, plates, schema=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.executescript(f"PRAGMA journal_mode = WAL; CREATE TABLE events (text); PRAGMA user_version = {schema};")
    db.executemany("INSERT INTO events VALUES (?)", [(plate,) for plate in plates])
    db.commit()
    db.close()


def plates_of(path):
    db = sqlite3.connect(path)
    try:
        return [row[0] for row in db.execute("SELECT text FROM events")]
    finally:
        db.close()


def taken(device, path, *words):
    assert main(["backup", *words, str(path)], device.site()) == 0
    return path


def members(path):
    with tarfile.open(path) as roll:
        return roll.getnames()


def test_it_moves_to_another_card(lived, bare, tmp_path):
    file = taken(lived, tmp_path / "mine.tar", "--with-secrets")
    site = bare.site()
    assert main(["restore", str(file)], site) == 0
    layout = bare.layout
    assert layout.config.read_text() == CONFIG + LISTS
    assert "B AB 1" in (layout.etc / "family.toml").read_text()
    assert layout.at("srv/firm.csv").read_text() == "plate\nB CD 2\n"
    assert plates_of(layout.var / "events.sqlite") == ["B AB 1"]
    assert (layout.var / "bundles/mine/model.tflite").read_bytes() == b"\x00\x01"
    assert (layout.var / "pseudonym.key").read_text() == "key"
    assert (layout.secrets / "mqtt").read_text() == "hush"
    assert "platewatch.service" in site.machine.running
    assert not layout.restoring.exists()


def test_secrets_stay_unless_asked_for(lived, tmp_path):
    names = members(taken(lived, tmp_path / "open.tar"))
    assert names[0] == "backup.json"
    assert "etc/platewatch.toml" in names
    assert not [name for name in names if name.startswith("etc/secrets") or name.endswith(".key")]
    assert "etc/secrets/mqtt" in members(taken(lived, tmp_path / "all.tar", "--with-secrets"))
    assert (tmp_path / "all.tar").stat().st_mode & 0o777 == 0o600


def test_whom_a_device_trusts_does_not_move(lived, tmp_path):
    assert "etc/trusted.pub" not in members(taken(lived, tmp_path / "mine.tar", "--with-secrets"))


def test_events_that_are_written_meanwhile_do_no_harm(lived, tmp_path):
    """The store is copied while another process has it open, with rows that stand only in its log."""
    db = sqlite3.connect(lived.layout.var / "events.sqlite", isolation_level=None)
    db.execute("INSERT INTO events VALUES ('B EF 3')")
    file = taken(lived, tmp_path / "mine.tar")
    db.close()
    with tarfile.open(file) as roll:
        roll.extract("store/events.sqlite", tmp_path, filter="data")
    assert plates_of(tmp_path / "store/events.sqlite") == ["B AB 1", "B EF 3"]


def test_the_log_of_the_old_store_is_not_played_into_the_new_one(lived, tmp_path):
    file = taken(lived, tmp_path / "mine.tar")
    db = sqlite3.connect(lived.layout.var / "events.sqlite", isolation_level=None)
    db.execute("INSERT INTO events VALUES ('too new')")
    try:
        assert main(["restore", str(file)], lived.site()) == 0
        assert plates_of(lived.layout.var / "events.sqlite") == ["B AB 1"]
    finally:
        db.close()


def test_events_of_a_newer_schema_are_refused(lived, bare, tmp_path, capsys):
    db = sqlite3.connect(lived.layout.var / "events.sqlite")
    db.execute("PRAGMA user_version = 4")
    db.close()
    refused(bare, taken(lived, tmp_path / "mine.tar"), "are of schema 4, and the release that runs here knows 3; update first", capsys)


def test_a_configuration_that_the_release_cannot_use_is_refused(lived, bare, tmp_path, capsys):
    lived.layout.config.write_text(CONFIG + "nonsense = 1\n")
    refused(bare, taken(lived, tmp_path / "mine.tar"), "unknown key 'nonsense'", capsys)


def test_every_changed_byte_is_found(lived, bare, tmp_path, capsys):
    file = taken(lived, tmp_path / "mine.tar")
    raw = file.read_bytes()
    at = raw.index(b"B CD 2")
    file.write_bytes(raw[:at] + b"B XX 9" + raw[at + 6 :])
    refused(bare, file, "is damaged, or no backup of Platewatch .*was changed", capsys)
    file.write_bytes(raw[: len(raw) // 2])
    refused(bare, file, "is damaged, or no backup", capsys)
    file.write_bytes(b"nothing of the kind" * 100)
    refused(bare, file, "is damaged, or no backup", capsys)
    refused(bare, tmp_path / "nowhere.tar", "there is no such file", capsys)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "lists/00000000-passwd", "etc/../../etc/passwd", "other/file", "etc/trusted.pub"])
def test_no_file_gets_anywhere_else(bare, tmp_path, capsys, name):
    """Each with its right hash: what is wrong is the place."""
    files = {"etc/platewatch.toml": CONFIG.encode(), name: b"root::0:0"}
    told = {
        "format": 1,
        "kind": "backup",
        "schema": 3,
        "files": {one: {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)} for one, raw in files.items()},
    }
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as roll:
        for one, raw in {"backup.json": json.dumps(told).encode(), **files}.items():
            member = tarfile.TarInfo(one)
            member.size = len(raw)
            roll.addfile(member, io.BytesIO(raw))
    refused(bare, file, "does not belong in it|does not name", capsys)


def test_a_link_that_leads_away_is_not_written_through(lived, bare, tmp_path, capsys):
    """The daemon's user owns that folder and could have put one there."""
    file = taken(lived, tmp_path / "mine.tar")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (bare.layout.var / "bundles").symlink_to(elsewhere)
    assert main(["restore", str(file)], bare.site()) == 1
    assert "a link leads elsewhere" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []


def test_a_restore_may_be_cut_anywhere(lived, bare, tmp_path):
    """Before it is written down nothing has changed; after that the next start ends it."""
    file = taken(lived, tmp_path / "mine.tar", "--with-secrets")
    uncut = bare.copy(tmp_path / "uncut")
    before = uncut.tree()
    assert main(["restore", str(file)], uncut.site()) == 0
    for at in range(1, 200):
        device = bare.copy(tmp_path / str(at))
        if not cut(device.root, at, lambda power, device=device: main(["restore", str(file)], device.site(power))):
            break
        resume.resume(device.site())
        assert device.tree() == (before if at < 2 else uncut.tree()), f"cut at step {at}"
    assert at > 8


def refused(device, file, words, capsys):
    """In one sentence, and nothing was changed."""
    before = device.tree()
    assert main(["restore", str(file)], device.site()) == 1
    said = capsys.readouterr().err
    assert re.search(words, said), said
    assert device.tree() == before
