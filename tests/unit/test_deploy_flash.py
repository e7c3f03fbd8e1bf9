"""flash and prepare-sd as a whole: onto files that stand for cards, without root, mounts or a network."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from deploy.card.boot import MountedFolder
from deploy.card.plan import MASK, Change, masked, shown
from deploy.cli import main
from tests.cards import (
    BOOKWORM,
    IMAGER_2,
    IMAGER_FIRSTRUN,
    IMAGER_NETWORK,
    IMAGER_PRESEED,
    KEY,
    TOOLS,
    TRIXIE,
    boot_files,
    boot_folder,
    image,
    inside,
    release,
)

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
pytestmark = TOOLS
ROOT = Path(__file__).parents[2]
START = ["sh", "/boot/firmware/platewatch/firstboot.sh"]
KIT = ["cmdline-words.txt", "firstboot.sh", "kit.json", "onboard.pyz", "platewatch.toml", "release.tar", "release.tar.minisig", "secrets.json", "trusted.pub"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A signed archive, its key, and a card image of each system, packed as they are downloaded."""
    folder = tmp_path_factory.mktemp("made")
    for name, kind in (("trixie", TRIXIE), ("bookworm", BOOKWORM)):
        plain = image(folder / f"{name}.img", kind)
        (folder / f"{name}.img.xz").write_bytes(lzma.compress(plain.read_bytes(), preset=0))
        told = hashlib.sha256((folder / f"{name}.img.xz").read_bytes()).hexdigest()
        (folder / f"{name}.img.xz.sha256").write_text(f"{told}  {name}.img.xz\n")
    release(folder / "release")
    return folder


@pytest.fixture
def desk(made, tmp_path, monkeypatch):
    """Where somebody works: a device file, the archive in dist/, nobody at the terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATE_PAGE", "the page's word")
    shutil.copytree(made / "release", tmp_path / "dist")
    wifi = '[wifi]\nssid = "Home"\npassword = "the wifi\'s word"\ncountry = "DE"\n'
    mqtt = '[mqtt]\nhost = "broker"\nuser = "gate"\npassword = "the broker\'s word"\n'
    (tmp_path / "gate.toml").write_text(
        f'[device]\nname = "gate"\ntime_zone = "Europe/Berlin"\n[user]\nname = "owner"\nssh_keys = ["{KEY}"]\n{wifi}{mqtt}[page]\npassword = "env:GATE_PAGE"\n'
    )
    (tmp_path / "gate.toml").chmod(0o600)
    return tmp_path


def flash(made, name, *words, disk="card.img"):
    return main(["flash", "gate.toml", "--image", str(made / f"{name}.img.xz"), "--disk", disk, "--yes-really", disk, *words])


def kit_is_whole(boot):
    about = json.loads(boot.read("platewatch/kit.json"))
    assert about["format"] == 1
    assert boot.list("platewatch") == KIT
    assert sorted(about["files"]) == sorted(set(KIT) - {"kit.json"})
    for name, told in about["files"].items():
        content = boot.read(f"platewatch/{name}")
        assert (told["sha256"], told["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert json.loads(boot.read("platewatch/secrets.json")) == {"mqtt": "the broker's word"}
    assert tomllib.loads(boot.read("platewatch/platewatch.toml").decode())["targets"][0]["password"] == "file:/etc/platewatch/secrets/mqtt"


def test_a_card_for_trixie_is_written_whole(made, desk, capsys):
    assert flash(made, "trixie") == 0
    card, plain = Path("card.img"), (made / "trixie.img").read_bytes()
    boot = inside(card)
    kit_is_whole(boot)
    told = yaml.safe_load(boot.read("user-data"))
    assert (told["hostname"], told["users"][0]["name"], told["runcmd"][-1]) == ("gate", "owner", START)
    assert yaml.safe_load(boot.read("network-config"))["network"]["wifis"]["wlan0"]["access-points"]["Home"]["password"]
    assert "cfg80211.ieee80211_regdom=DE" in boot.read("cmdline.txt").decode()
    assert boot.read("meta-data").decode() == TRIXIE["meta-data"]
    assert boot.read("kernel8.img") == b"kernel"
    # What is not the boot partition is the image's, byte for byte; the file was made large enough for an emulator.
    assert card.read_bytes()[: 1 << 20] == plain[: 1 << 20]
    assert card.read_bytes()[13 << 20 : len(plain)] == plain[13 << 20 :]
    assert card.stat().st_size == 32 << 20
    said = capsys.readouterr().out
    assert "http://gate.local:8080" in said
    assert "3.13" not in said


def test_a_card_for_bookworm_is_written_whole(made, desk):
    assert flash(made, "bookworm") == 0
    boot = inside(Path("card.img"))
    kit_is_whole(boot)
    script = boot.read("firstrun.sh").decode()
    assert "sh /boot/firmware/platewatch/firstboot.sh" in script
    assert subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False).stderr == ""
    assert "systemd.run=/boot/firmware/firstrun.sh" in boot.read("cmdline.txt").decode()
    assert boot.list().count("user-data") == 0


def test_no_password_is_anywhere_on_the_card_but_in_the_secrets(made, desk):
    assert flash(made, "trixie") == 0
    raw = Path("card.img").read_bytes()
    for word in ("the page's word", "the wifi's word"):
        assert word.encode() not in raw
    assert raw.count(b"the broker's word") == 1


def secrets_on(boot):
    """As they stand there: the login's hash, the Wi-Fi's key, the page's hash, the camera's and the broker's password."""
    script = boot.read("firstrun.sh")
    told = script or boot.read("user-data") + boot.read("network-config")
    found = re.findall(rb"\$6\$[./0-9A-Za-z]{8,16}\$[./0-9A-Za-z]{86}|\b[0-9a-f]{64}\b", told)
    config = tomllib.loads(boot.read("platewatch/platewatch.toml").decode())
    camera = config["camera"]["source"].partition("me:")[2].partition("@")[0]
    return {*found, config["web"]["password_hash"].encode(), camera.encode(), json.loads(boot.read("platewatch/secrets.json"))["mqtt"].encode()}


@pytest.mark.parametrize("kind", [TRIXIE, BOOKWORM])
def test_of_an_earlier_preparation_no_secret_stays_anywhere_in_the_partitions_bytes(desk, kind):
    """Room that becomes free before the old files lets the new ones begin there, and not by chance on the old ones."""
    text = (desk / "gate.toml").read_text().replace('name = "owner"', 'name = "owner"\npassword = "the login\'s word"')
    text += '[camera]\nkind = "rtsp"\naddress = "rtsp://yard/"\nuser = "me"\npassword = "the camera\'s word"\n'
    (desk / "gate.toml").write_text(text)
    image(desk / "card.img", {"a-filler": "x" * 600_000} | kind)
    again = ["flash", "gate.toml", "--onto-written", "card.img", "--yes-really", "card.img"]
    assert main(again) == 0
    boot = inside(Path("card.img"))
    boot.remove("a-filler")
    old = secrets_on(boot)
    raw = Path("card.img").read_bytes()
    assert len(old) == 5
    assert all(word in raw for word in old)
    (desk / "gate.toml").write_text(text.replace("'s word", "'s other word"))
    assert main(again) == 0
    raw = Path("card.img").read_bytes()
    assert [word for word in old if word in raw] == []
    assert all(word in raw for word in secrets_on(boot))


@pytest.mark.parametrize("name", ["trixie", "bookworm"])
def test_the_card_counts_memory_and_the_kit_knows_whose_word_that_is(made, desk, name):
    assert flash(made, name) == 0
    boot = inside(Path("card.img"))
    for _ in range(2):
        assert boot.read("cmdline.txt").decode().split().count("cgroup_enable=memory") == 1
        assert boot.read("cmdline.txt").count(b"\n") == 1
        assert boot.read("platewatch/cmdline-words.txt") == b"cgroup_enable=memory\n"
        assert main(["flash", "gate.toml", "--onto-written", "card.img", "--yes-really", "card.img"]) == 0


@pytest.mark.parametrize("word", ["cgroup_enable=memory", "cgroup_disable=memory"])
def test_a_word_on_memory_that_was_there_is_nobodys_but_its_writers(desk, capsys, word):
    boot = boot_folder(desk / "bootfs", TRIXIE | {"cmdline.txt": f"root=x {word}\n"})
    assert main(["prepare-sd", "bootfs", "gate.toml"]) == 0
    assert boot.read("cmdline.txt").decode().split()[:2] == ["root=x", word]
    assert boot.read("cmdline.txt").count(b"cgroup") == 1
    assert boot.read("platewatch/cmdline-words.txt") is None
    assert ("forbids to count memory" in capsys.readouterr().out) == ("disable" in word)


@pytest.mark.parametrize("name", ["trixie", "bookworm"])
def test_a_dry_run_shows_every_step_in_order_and_every_file_and_writes_nothing(made, desk, capsys, name):
    assert flash(made, name, "--dry-run") == 0
    said = capsys.readouterr().out
    numbers = [int(line.split(".")[0]) for line in said.splitlines() if line[:1].isdigit()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers[-1] >= 7
    assert "firstboot.sh" in said
    assert MASK in said or name == "bookworm"
    for word in ("the page's word", "the wifi's word", "the broker's word", "scrypt$"):
        assert word not in said
    assert not Path("card.img").exists()


def test_a_dry_run_on_a_mounted_folder_writes_nothing(desk, capsys):
    boot = boot_folder(desk / "bootfs", TRIXIE)
    assert main(["prepare-sd", "bootfs", "gate.toml", "--dry-run"]) == 0
    assert "would write" in capsys.readouterr().out
    assert {name: boot.read(name) for name in boot.list()} == boot_files(TRIXIE)


def test_a_second_flash_of_the_same_card_gives_the_same_files(made, desk):
    assert flash(made, "trixie") == 0
    boot = inside(Path("card.img"))
    first = {name: boot.read(name) for name in boot.list() if not name.endswith("/")}
    assert main(["flash", "gate.toml", "--onto-written", "card.img", "--yes-really", "card.img"]) == 0
    assert {name: boot.read(name) for name in boot.list() if not name.endswith("/")} == first
    kit_is_whole(boot)


def test_a_card_that_imager_wrote_keeps_what_was_set_there(desk, capsys):
    path = image(desk / "written.img", TRIXIE | {"user-data": IMAGER_2, "network-config": IMAGER_NETWORK, "meta-data": "instance-id: rpi-imager-1\n"})
    assert main(["flash", "gate.toml", "--onto-written", str(path), "--yes-really", str(path)]) == 0
    boot = inside(path)
    told = yaml.safe_load(boot.read("user-data"))
    assert told["hostname"] == "porch"
    assert [user["name"] for user in told["users"]] == ["anna", "owner"]
    assert told["runcmd"][-1] == START
    assert list(yaml.safe_load(boot.read("network-config"))["network"]["wifis"]["wlan0"]["access-points"]) == ["Porch", "Home"]
    said = capsys.readouterr().out
    assert "porch already, which stays" in said
    assert "http://porch.local:8080" in said
    kit_is_whole(boot)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(TRIXIE, "user-data"), (BOOKWORM | {"firstrun.sh": IMAGER_FIRSTRUN}, "firstrun.sh"), (TRIXIE | {"rpi-preseed.toml": IMAGER_PRESEED}, "rpi-preseed.toml")],
)
def test_a_mounted_folder_is_prepared_and_prepared_again(desk, kind, name):
    boot = boot_folder(desk / "bootfs", kind)
    before = boot_files(kind)
    assert main(["prepare-sd", "bootfs", "gate.toml"]) == 0
    kit_is_whole(boot)
    assert b"firstboot.sh" in boot.read(name)
    assert {file for file in before if boot.read(file) == before[file]} >= {"config.txt", "kernel8.img", "issue.txt"}
    once = boot.read(name)
    assert main(["prepare-sd", "bootfs", "gate.toml"]) == 0
    assert boot.read(name) == once
    assert not [path for path in (desk / "bootfs").rglob(".*")]


def test_the_device_takes_the_kit_and_blanks_every_password_that_was_merged(desk):
    """By the device's own code."""
    from deploy.onboard import archive, kit

    (desk / "gate.toml").write_text((desk / "gate.toml").read_text().replace('name = "owner"', 'name = "owner"\npassword = "the login\'s word"'))
    boot = boot_folder(desk / "bootfs", TRIXIE)
    assert main(["prepare-sd", "bootfs", "gate.toml"]) == 0
    folder = desk / "bootfs/platewatch"
    kit.check(folder)
    assert archive.open_signed(folder / "release.tar", folder / "trusted.pub").kind == "release"
    assert all(kit.SECRET.fullmatch(name) for name in json.loads((folder / "secrets.json").read_text()))
    told = yaml.safe_load(boot.read("user-data"))
    network = yaml.safe_load(boot.read("network-config"))
    words = (told["users"][0]["passwd"], network["network"]["wifis"]["wlan0"]["access-points"]["Home"]["password"])
    assert sorted(kit.blank_seeds(desk / "bootfs")) == ["network-config", "user-data"]
    rest = boot.read("user-data") + boot.read("network-config")
    assert not any(word.encode() in rest for word in words)
    assert yaml.safe_load(boot.read("user-data"))["runcmd"][-1] == START


def test_stopped_on_the_way_the_folder_is_a_plain_card(desk, monkeypatch):
    """The kit comes first, kit.json after all its files, and the file that starts it last."""
    boot = boot_folder(desk / "bootfs", TRIXIE)
    written = []
    whole = MountedFolder._whole

    def put(self, name, source):
        written.append(name)
        if name == "user-data":
            raise KeyboardInterrupt
        whole(self, name, source)

    monkeypatch.setattr(MountedFolder, "_whole", put)
    assert main(["prepare-sd", "bootfs", "gate.toml"]) == 130
    assert boot.read("user-data").decode() == TRIXIE["user-data"]
    kit = [name for name in written if name.startswith("platewatch/")]
    assert kit[-1] == "platewatch/kit.json"
    assert written[: len(kit)] == kit


def test_a_download_that_is_not_what_its_checksum_says_leaves_a_card_that_boots_nothing(made, desk, capsys):
    assert flash(made, "trixie", "--sha256", "0" * 64) == 1
    assert "download it again" in capsys.readouterr().err
    assert Path("card.img").read_bytes()[:512] == bytes(512)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_window_that_is_shut_leaves_no_passwords_beside(made, desk, monkeypatch, capsys, number):
    """In the copy of the boot partition, which is removed as after Ctrl-C."""
    from deploy.card.write import Target

    beside = desk / "beside"
    beside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(beside))
    seen = []

    def shut(self, *_):
        seen.extend(path.name for path in beside.rglob("head.img"))
        os.kill(os.getpid(), number)

    monkeypatch.setattr(Target, "write", shut)
    before = signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may have been begun by nohup, which turns the first off
    try:
        assert flash(made, "trixie") == 130
        assert (seen, list(beside.iterdir())) == (["head.img"], [])
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_without_room_in_one_folder_for_temporary_files_another_one_is_taken(tmp_path, monkeypatch):
    from deploy.card.errors import CardError
    from deploy.card.flash import roomy

    room = {str(tmp_path): 10, "/var/tmp": 1 << 30}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1 << 40, 0, room[folder]))
    assert roomy(500 << 20) == "/var/tmp"
    room["/var/tmp"] = 500 << 20
    with pytest.raises(CardError, match=f"no such room in {tmp_path} or /var/tmp"):
        roomy(500 << 20)


def test_a_card_that_is_pulled_out_before_it_was_looked_at_is_one_sentence(tmp_path):
    from deploy.card.disks import Disk
    from deploy.card.errors import CardError
    from deploy.card.flash import written_boot

    with pytest.raises(CardError, match="still plugged in"):
        written_boot(Disk(str(tmp_path / "gone"), 1 << 30, removable=True), "")


def test_with_sudo_no_compiled_file_of_roots_lies_in_the_owners_folder(tmp_path):
    """`find` and python -m deploy look at the folder that Python would compile into."""
    words = [sys.executable, "-m", "deploy", "flash", "--help"]
    for user, compiled in (({"SUDO_USER": "anna"}, False), ({}, True)):
        plain = {name: value for name, value in os.environ.items() if name not in ("SUDO_USER", "PYTHONDONTWRITEBYTECODE")}
        cache = tmp_path / f"compiled-{compiled}"
        subprocess.run(words, cwd=ROOT, env=plain | user | {"PYTHONPYCACHEPREFIX": str(cache)}, capture_output=True, check=True)
        assert bool(list(cache.rglob("cli.*.pyc"))) == compiled


def refused(capsys, words, *arguments):
    assert main(list(arguments)) == 1
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_what_is_wrong_is_one_sentence_and_the_card_is_as_it_was(made, desk, capsys):
    card = desk / "card.img"
    card.write_bytes(b"\xee" * (32 << 20))
    picture = str(made / "trixie.img.xz")
    refused(capsys, "--yes-really card.img", "flash", "gate.toml", "--image", picture, "--disk", "card.img")
    refused(capsys, "nothing was written", "flash", "gate.toml", "--image", picture, "--disk", "card.img", "--yes-really", "other.img")
    refused(capsys, "--image: name", "flash", "gate.toml", "--disk", "card.img")
    refused(capsys, "--disk: name", "flash", "gate.toml", "--image", picture)
    refused(capsys, "do not go together", "flash", "gate.toml", "--image", picture, "--onto-written", "card.img")
    refused(capsys, "no partition table", "flash", "gate.toml", "--onto-written", "card.img", "--yes-really", "card.img")
    refused(capsys, "is not there", "flash", "gate.toml", "--image", picture, "--disk", "/dev/not-there")
    (desk / "none.img").write_bytes(bytes(1 << 20))
    refused(capsys, "no partition table", "flash", "gate.toml", "--image", "none.img", "--disk", "card.img", "--yes-really", "card.img")
    refused(capsys, "no.toml", "flash", "no.toml", "--image", picture, "--disk", "card.img", "--yes-really", "card.img")
    refused(capsys, "no such release", "flash", "gate.toml", "--image", picture, "--disk", "card.img", "--yes-really", "card.img", "--release", "x.tar")
    refused(capsys, "is no folder", "prepare-sd", "not-there", "gate.toml")
    refused(capsys, "no boot folder", "prepare-sd", "dist", "gate.toml")
    refused(capsys, "device.name", "prepare-sd", str(boot_folder(desk / "b", TRIXIE).root))
    assert card.read_bytes() == b"\xee" * (32 << 20)
    shutil.copy(made / "trixie.img", "same.img")
    refused(capsys, "at once", "flash", "gate.toml", "--image", "same.img", "--disk", "same.img", "--yes-really", "same.img")
    (desk / "small.img").write_bytes(bytes(1 << 20))
    refused(capsys, "too small", "flash", "gate.toml", "--image", picture, "--disk", "small.img", "--yes-really", "small.img")


def test_a_release_that_does_not_fit_the_system_or_the_key_is_refused(made, desk, capsys):
    archive, trusted = release(desk / "old", ("3.11",))
    said = ("--release", str(archive), "--trusted", str(trusted))
    assert flash(made, "trixie", *said) == 1
    assert "--python 3.13" in capsys.readouterr().err
    assert flash(made, "bookworm", *said) == 0
    _, other = release(desk / "other")
    assert flash(made, "trixie", "--trusted", str(other)) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_kit_that_does_not_fit_the_boot_partition_is_refused_before_anything_is_written(made, desk, capsys):
    boot = inside(made / "trixie.img")
    shutil.copy(made / "trixie.img", "full.img")
    boot = inside(Path("full.img"))
    boot.write("filler", bytes(boot.free() - 100_000))
    assert main(["flash", "gate.toml", "--onto-written", "full.img", "--yes-really", "full.img"]) == 1
    assert "one Python alone" in capsys.readouterr().err
    assert boot.list("platewatch") == []


def test_a_card_that_gives_back_something_else_is_told_of(desk, monkeypatch, capsys):
    boot_folder(desk / "bootfs", TRIXIE)
    honest = MountedFolder.read

    def worn(self, name):
        return b"worn" if name == "platewatch/onboard.pyz" else honest(self, name)

    monkeypatch.setattr(MountedFolder, "read", worn)
    refused(capsys, "worn out", "prepare-sd", "bootfs", "gate.toml")


def test_secrets_of_others_are_masked_too():
    text = "\n".join(
        [
            'passwd: "$y$j9T$abc$def"',
            'password: "0123"',
            "   /usr/lib/userconf-pi/userconf 'anna' '$5$salt$hash'",
            "imager_custom set_wlan -h 'Porch' 'hidden word' 'GB'",
            'token = "abcdef"',
            'plain_text_passwd: "two words \\" more"  # why',
            "psk=three bare words",
            "echo 'x:$6$salt$hash'",
        ]
    )
    told = masked(text, ())
    for word in ("def", "0123", "hash", "hidden word", "two", "more", "words"):
        assert word not in told
    assert masked("  lock_passwd: false\n  sudo: ALL=(ALL) NOPASSWD:ALL\n") == "  lock_passwd: false\n  sudo: ALL=(ALL) NOPASSWD:ALL\n"
    assert "'Porch'" in told
    assert shown(Change("x", b"a\n", b"a\nword\n"), ("word",)) == ["@@ -1 +1,2 @@", " a", f"+{MASK}"]


def test_disks_are_shown(monkeypatch, capsys):
    from deploy.card import disks

    monkeypatch.setattr(disks, "run", lambda *_: json.dumps({"blockdevices": []}).encode())
    assert main(["disks"]) == 0
    assert "no disk" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="cloud-init is not on this machine")
@pytest.mark.parametrize("kind", [TRIXIE, TRIXIE | {"user-data": "#cloud-config\n"}])
def test_cloud_init_itself_finds_the_merged_user_data_valid(desk, kind):
    boot = boot_folder(desk / "bootfs", kind)
    assert main(["prepare-sd", "bootfs", "gate.toml"]) == 0
    (desk / "merged").write_bytes(boot.read("user-data"))
    done = subprocess.run(["cloud-init", "schema", "--config-file", str(desk / "merged")], capture_output=True, text=True, check=False)
    assert "Valid cloud-config" in done.stdout + done.stderr, done.stdout + done.stderr
