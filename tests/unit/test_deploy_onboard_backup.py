"""Backup and restore, also onto another card."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
import tarfile

import pytest

from deploy.onboard import backup, disk, resume
from deploy.onboard.cli import main
from tests.onboard import CONFIG, Device, cut

LISTS = '[lists]\nallow = ["family.toml", "/srv/firm.csv"]\n'


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def bare(tmp_path):
    return Device.started(tmp_path, name="bare")


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


@pytest.mark.parametrize(
    ("config", "name", "words"),
    [
        ('[models]\ndepot = "/etc/cron.d"\n', "depot/evil", r"\[models\] depot = '/etc/cron.d' leads where nothing of Platewatch's belongs"),
        ('[models]\ndepot = "/etc/platewatch"\n', "depot/trusted.pub", "whom a device trusts no backup changes"),
        ('[models]\ndepot = "/var/lib/platewatch/../../../etc/cron.d"\n', "depot/evil", "leads where nothing"),
        ('[models]\ndepot = "/srv/.ssh"\n', "depot/evil", "leads where nothing"),
        ('[privacy]\nkey_file = "/root/.ssh/authorized_keys"\n', "store/pseudonym.key", "leads where nothing"),
        ('[store]\npath = "/opt/platewatch/current/onboard.pyz"\n', "store/events.sqlite", "leads where nothing"),
        ('[lists]\nallow = ["/etc/containers/registries.toml"]\n', "lists/bd4b9a36-registries.toml", "does not name"),
    ],
)
def test_a_backup_from_a_stranger_writes_where_platewatch_belongs_and_nowhere_else(bare, tmp_path, capsys, config, name, words):
    """Root puts it there, and its configuration says where."""
    refused(bare, forged(tmp_path, {"etc/platewatch.toml": config.encode(), name: b"root"}), words, capsys)


NEGATIVE = b'{"format": 1, "kind": "backup", "schema": 3, "files": {"etc/platewatch.toml": {"size": -1}}}'


@pytest.mark.parametrize("raw", [b"[]", b"7", b"{", b'{"a":' * 50_000, NEGATIVE], ids=["list", "number", "cut off", "deep", "negative"])
def test_an_index_that_is_none_is_said(bare, tmp_path, capsys, raw):
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as roll:
        add(roll, "backup.json", raw)
    refused(bare, file, "is damaged, or no backup of Platewatch", capsys)


def test_a_file_of_another_size_than_was_said_is_not_unpacked(bare, tmp_path, capsys, monkeypatch):
    """A sparse one of a few bytes may fill the card."""
    file = forged(tmp_path, {"etc/platewatch.toml": CONFIG.encode(), "etc/x.toml": b"x" * 9000}, told={"etc/x.toml": 3})
    taken_out = []
    monkeypatch.setattr("deploy.onboard.restore._take", lambda stream, goal, about: taken_out.append(goal.name))
    monkeypatch.setattr("os.chmod", lambda *_: None)
    refused(bare, file, "'etc/x.toml' was changed", capsys)
    assert taken_out == ["platewatch.toml"]


def test_the_events_themselves_say_of_which_schema_they_are(bare, tmp_path, capsys):
    store(tmp_path / "e.sqlite", [], schema=99)
    file = forged(tmp_path, {"etc/platewatch.toml": CONFIG.encode(), "store/events.sqlite": (tmp_path / "e.sqlite").read_bytes()})
    refused(bare, file, "of another schema than its backup.json says", capsys)


def test_what_the_configuration_names_elsewhere_is_not_read_by_root(lived, tmp_path, capsys):
    """The page may change the configuration, and a backup without secrets is what an owner hands on."""
    lived.layout.config.write_text('[models]\ndepot = "/root"\n')
    assert main(["backup", str(tmp_path / "mine.tar")], lived.site()) == 1
    assert "[models] depot = '/root' leads where nothing of Platewatch's belongs; backups know what is below /etc/platewatch," in capsys.readouterr().err
    assert not (tmp_path / "mine.tar").exists()


@pytest.mark.parametrize("text", ["[store\n", "lists = 3\nstore = 'x'\n[models]\ndepot = 7\n"])
def test_a_configuration_that_is_none_makes_no_backup_that_lacks_the_events(lived, tmp_path, capsys, text):
    lived.layout.config.write_text(text)
    code = main(["backup", str(tmp_path / "mine.tar")], lived.site())
    assert (code, "mend it first" in capsys.readouterr().err) == ((1, True) if text == "[store\n" else (0, False))


@pytest.mark.parametrize("path", ["var/lib/platewatch/events.sqlite", "etc/platewatch/platewatch.toml", "srv/firm.csv"])
def test_what_is_a_link_is_said_rather_than_left_out(lived, tmp_path, capsys, path):
    (lived.root / path).rename(tmp_path / "elsewhere")
    (lived.root / path).symlink_to(tmp_path / "elsewhere")
    assert main(["backup", str(tmp_path / "mine.tar")], lived.site()) == 1
    assert f"{path}: is a link, and a backup follows none" in capsys.readouterr().err


def test_what_the_page_saves_meanwhile_is_in_it_as_it_was_saved(lived, bare, tmp_path, monkeypatch):
    """A file that changed between its hash and its copy made a backup that no restore took."""
    roll, file = backup._roll, tmp_path / "mine.tar"

    def once(*words):
        monkeypatch.setattr(backup, "_roll", roll)
        lived.layout.config.write_text(CONFIG + LISTS + "# new\n")
        roll(*words)

    monkeypatch.setattr(backup, "_roll", once)
    taken(lived, file)
    assert main(["restore", str(file)], bare.site()) == 0
    assert bare.layout.config.read_text().endswith("# new\n")


def test_what_changes_all_the_while_is_named(lived, tmp_path, monkeypatch, capsys):
    roll = backup._roll

    def always(goal, told, found):
        lived.layout.config.write_text(lived.layout.config.read_text() + "# more\n")
        roll(goal, told, found)

    monkeypatch.setattr(backup, "_roll", always)
    assert main(["backup", str(tmp_path / "mine.tar")], lived.site()) == 1
    assert "platewatch.toml: changes all the while; try again later" in capsys.readouterr().err
    assert list(tmp_path.glob("*mine.tar*")) == []


def test_a_file_of_two_names_comes_back_as_two(lived, bare, tmp_path):
    (lived.layout.var / "bundles/other").mkdir()
    (lived.layout.var / "bundles/other/model.tflite").hardlink_to(lived.layout.var / "bundles/mine/model.tflite")
    assert main(["restore", str(taken(lived, tmp_path / "mine.tar"))], bare.site()) == 0
    assert (bare.layout.var / "bundles/other/model.tflite").read_bytes() == b"\x00\x01"


def test_events_in_a_folder_of_any_name_are_those_that_are_copied(lived, bare, tmp_path):
    """SQLite took what follows a # for no part of the path, and made an empty store beside it."""
    place = lived.root / "srv/disk#1?x/events.sqlite"
    store(place, ["B GH 4"])
    lived.layout.config.write_text('[store]\npath = "/srv/disk#1?x/events.sqlite"\n')
    assert main(["restore", str(taken(lived, tmp_path / "mine.tar"))], bare.site()) == 0
    assert plates_of(bare.root / "srv/disk#1?x/events.sqlite") == ["B GH 4"]
    assert not (lived.root / "srv/disk").exists()


def test_a_backup_does_not_fill_the_card(lived, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("deploy.onboard.disk.free_bytes", lambda path: 3_000_000)
    assert main(["backup", str(tmp_path / "mine.tar")], lived.site()) == 1
    assert "64 MB are needed and 3 MB are free" in capsys.readouterr().err
    assert not (lived.layout.own / "events.copy").exists()


def test_a_stick_that_is_not_mounted_is_no_folder(lived, tmp_path, capsys):
    assert main(["backup", str(tmp_path / "stick/mine.tar")], lived.site()) == 1
    assert "stick: there is no such folder; is the stick plugged in and mounted?" in capsys.readouterr().err


def test_where_there_is_no_room_nothing_is_stopped(lived, bare, tmp_path, capsys, monkeypatch):
    file = taken(lived, tmp_path / "mine.tar")
    monkeypatch.setattr("deploy.onboard.disk.free_bytes", lambda path: 1e9 if "platewatch-deploy" in str(path) else 3_000_000)
    refused(bare, file, "64 MB are needed and 3 MB are free; nothing was changed", capsys)


def test_a_disk_that_fills_up_meanwhile_leaves_the_daemon_running_and_the_rest_to_be_done(lived, bare, tmp_path, capsys, monkeypatch):
    file, site = taken(lived, tmp_path / "mine.tar", "--with-secrets"), bare.site()
    copy = disk.copy_whole

    def full(source, goal, *rest):
        if goal.name == "events.sqlite":
            raise OSError(28, "No space left on device", str(goal))
        copy(source, goal, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "copy_whole", full)
        assert main(["restore", str(file)], site) == 1
    said = capsys.readouterr().err
    assert re.search(r"only a part of the backup is in its place \(\S+events.sqlite: the disk is full.*then platewatch-deploy resume goes on", said)
    assert "platewatch.service" in site.machine.running
    assert main(["resume"], site) == 0
    assert plates_of(bare.layout.var / "events.sqlite") == ["B AB 1"]
    assert not site.state.restoring


def test_a_staged_backup_that_is_damaged_blocks_nothing(lived, bare, tmp_path):
    def stop(name):
        if name == "restore-noted":
            raise KeyboardInterrupt

    assert main(["restore", str(taken(lived, tmp_path / "mine.tar"))], bare.site(stop)) == 130
    (bare.layout.restoring / "etc/platewatch.toml").write_bytes(b"\0\0")
    site = bare.site()
    assert main(["resume"], site) == 1
    assert (site.state.restoring, bare.layout.restoring.exists()) == (False, False)
    assert main(["resume"], site) == 0


def forged(folder, files, told=()):
    """A backup by somebody else, each file with its right hash; `told`: sizes that are not."""
    sizes = {name: len(raw) for name, raw in files.items()} | dict(told)
    about = {name: {"sha256": hashlib.sha256(raw).hexdigest(), "size": sizes[name]} for name, raw in files.items()}
    with tarfile.open(folder / "evil.tar", "w") as roll:
        add(roll, "backup.json", json.dumps({"format": 1, "kind": "backup", "schema": 3, "files": about}).encode())
        for name, raw in files.items():
            add(roll, name, raw)
    return folder / "evil.tar"


def add(roll, name, raw):
    member = tarfile.TarInfo(name)
    member.size = len(raw)
    roll.addfile(member, io.BytesIO(raw))


def refused(device, file, words, capsys):
    """In one sentence, and nothing was changed."""
    before = device.tree()
    assert main(["restore", str(file)], device.site()) == 1
    said = capsys.readouterr().err
    assert re.search(words, said), said
    assert device.tree() == before
