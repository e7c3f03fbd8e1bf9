"""What the emulation is made of: command lines, the image's parts, the serial log, records. QEMU itself is not started here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.card import detect, partitions
from deploy.card.boot import FatPartition
from deploy.card.merge import firstrun
from deploy.card.merge.cloudinit import user_data
from deploy.device.config import config_of
from deploy.device.file import checked, read
from deploy.device.settings import settings_of
from deploy.emulate import cpio, device, guest, initramfs, machine, record, releases, root, serial, stand_in
from deploy.emulate.errors import EmulateError
from deploy.emulate.first import check_boot_partition
from deploy.emulate.stand_in import FAT_START, MIB
from deploy.emulate.suites import BOOKWORM, SUITES, TRIXIE
from edge.camera.files import FilesCamera
from tests.cards import KEY, TOOLS

PARTS = stand_in.StandIn(Path("os.img"), Path("vmlinuz"), Path("initramfs"), Path("pi3.dtb"))


def value(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_the_guest_is_offline_but_for_two_ports_of_loopback():
    for board in machine.BOARDS:
        words = machine.command(board, Path("card.img"), PARTS, "root=x", machine.Ports(5001, 5002), Path("serial.log"))
        network = value(words, "-netdev")
        assert "restrict=on" in network
        assert [word for word in network.split(",") if word.startswith("hostfwd")] == ["hostfwd=tcp:127.0.0.1:5001-:8080", "hostfwd=tcp:127.0.0.1:5002-:22"]
        assert value(words, "-M") == board
        assert value(words, "-append") == "root=x"


def test_the_board_virt_names_the_processor_of_a_raspberry_pi_4():
    """QEMU's "max" computes wrong results."""
    assert value(machine.command("virt", Path("c"), PARTS, "", machine.Ports(1, 2), Path("s")), "-cpu") == "cortex-a72"


def test_the_raspberry_pi_3_gets_its_device_tree_and_the_card_as_its_sd_card():
    words = machine.command("raspi3b", Path("card.img"), PARTS, "", machine.Ports(1, 2), Path("s"))
    assert value(words, "-dtb") == "pi3.dtb"
    assert "if=sd,file=card.img,format=raw" in words
    assert "-cpu" not in words


def test_the_kernels_line_is_the_cards_own_with_another_console():
    line = machine.command_line("console=serial0,115200 console=tty1 root=PARTUUID=4d8fd085-02 rootwait\n", "virt")
    assert line.startswith("root=PARTUUID=4d8fd085-02 rootwait console=ttyAMA0 ")
    assert "tty1" not in line
    assert "modprobe.blacklist=vchiq" in machine.command_line("root=x", "raspi3b")


def test_the_root_is_made_for_arm64_and_another_recipe_is_another_root(monkeypatch):
    words = root.command(TRIXIE, Path("out.tar"), Path("hook.sh"))
    assert "--architectures=arm64" in words
    assert words[-2:] == ["trixie", "out.tar"]
    assert not any("://" in word for word in words)
    packages = next(word for word in words if word.startswith("--include=")).removeprefix("--include=").split(",")
    assert {"cloud-init", "python3", "openssl", "avahi-daemon"} <= set(packages)
    assert not {"initramfs-tools", "python3-venv"} & set(packages)
    assert "cloud-init" not in " ".join(root.command(BOOKWORM, Path("out.tar"), Path("hook.sh")))
    before = root.recipe(TRIXIE)
    assert before != root.recipe(BOOKWORM)
    monkeypatch.setattr(root, "PACKAGES", (*root.PACKAGES, "more"))
    assert root.recipe(TRIXIE) != before


def test_without_root_the_first_stage_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(EmulateError, match="once: sudo"):
        root.make(tmp_path, tmp_path / "log")


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_cpio_itself_reads_the_first_root(tmp_path):
    entries = [cpio.Entry("bin", cpio.FOLDER | 0o755), cpio.Entry("bin/one", cpio.FILE | 0o755, b"12345"), cpio.Entry("init", cpio.FILE | 0o755, b"#!")]
    subprocess.run(["cpio", "-id", "--quiet"], input=cpio.packed(entries), cwd=tmp_path, check=True)
    assert (tmp_path / "bin/one").read_bytes() == b"12345"
    assert (tmp_path / "init").read_bytes() == b"#!"


def test_the_first_roots_archive_is_aligned_and_ends_in_its_trailer():
    raw = cpio.packed([cpio.Entry("a", cpio.FILE | 0o644, b"x" * 5)])
    assert len(raw) % 512 == 0
    assert raw.startswith(b"070701")
    assert b"TRAILER!!!" in raw
    assert raw.count(b"070701") == 2


MODULES = """kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/crc16.ko.xz
kernel/fs/jbd2/jbd2.ko.xz:
kernel/lib/crc16.ko.xz:
kernel/drivers/virtio/virtio-ring.ko.xz:
kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio-ring.ko.xz
kernel/net/other.ko.xz:
"""


def test_a_module_comes_after_what_it_needs_and_no_other_comes():
    order = [path.rpartition("/")[2] for path in initramfs.in_order(MODULES)]
    assert set(order) == {"ext4.ko.xz", "jbd2.ko.xz", "crc16.ko.xz", "virtio-ring.ko.xz", "virtio_blk.ko.xz"}
    assert order.index("ext4.ko.xz") > max(order.index("jbd2.ko.xz"), order.index("crc16.ko.xz"))
    assert order.index("virtio_blk.ko.xz") > order.index("virtio-ring.ko.xz")


def test_a_kernel_without_a_driver_for_the_card_is_named(tmp_path):
    folder = tmp_path / "usr/lib/modules/6.1"
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text("kernel/fs/ext4/ext4.ko:\n")
    (folder / "modules.builtin").write_text("")
    with pytest.raises(EmulateError, match="has no driver virtio_blk"):
        initramfs.make(tmp_path, "6.1")


def test_the_partition_table_is_the_one_that_flash_looks_for():
    table = stand_in.table(stand_in.FAT_SIZE, stand_in.SIZE)
    boot, system = partitions.table(table, "it")
    assert (boot.start, boot.length) == (FAT_START, stand_in.FAT_SIZE)
    assert partitions.boot_partition(table, "it") == boot
    assert system.start == boot.end
    assert system.end == stand_in.SIZE
    assert stand_in.SIZE & (stand_in.SIZE - 1) == 0


@pytest.mark.parametrize(("suite", "way", "issue"), [(TRIXIE, "cloudinit", "2025-11-24"), (BOOKWORM, "firstrun", "2025-05-13")])
@TOOLS
def test_a_small_image_is_detected_as_what_it_stands_for(tmp_path, suite, way, issue):
    stand_in.assemble(tmp_path / "os.img", None, tmp_path / "log", suite, size=64 * MIB, fat_size=16 * MIB)
    with (tmp_path / "os.img").open("rb") as file:
        found = partitions.find(file, "os.img")
    system = detect.detect(FatPartition(tmp_path / "os.img", found.start))
    assert (system.way, system.python, system.issue) == (way, suite.python, issue)


def test_the_first_root_starts_what_the_card_says(tmp_path):
    """Bookworm's first start of all is a script of its own in the place of systemd."""
    assert any(word.startswith("init=") for word in BOOKWORM.boot["cmdline.txt"].split())
    said = initramfs.INIT[initramfs.INIT.index("how=ro") :]
    said = said[: said.index("part=${part#0}")].replace("/bin/busybox cat /proc/cmdline", "echo $LINE").replace("/bin/busybox ", "")
    for line, goal in (("rw root=PARTUUID=1-02 init=/one", "rw /one"), ("root=PARTUUID=1-02", "ro /sbin/init")):
        done = subprocess.run(
            ["sh", "-c", f'{said}\necho "$how $init"'], env={"LINE": line, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == goal


def test_a_guest_that_starts_anew_is_started_with_the_cards_new_line_and_one_that_powers_down_is_not(tmp_path, monkeypatch):
    lines, ends = iter(["init=/first root=x", "root=x"]), iter([["true"], ["sh", "-c", "sleep 60"]])
    given = []
    monkeypatch.setattr(guest, "card_file", lambda card, name: next(lines).encode())
    monkeypatch.setattr(machine, "command", lambda board, card, parts, line, ports, log: given.append(line) or next(ends))
    one = guest.Guest("virt", tmp_path / "card", PARTS, tmp_path / "key", tmp_path / "serial.log", lambda words: None)
    try:
        one._process.wait()
        assert not one.runs
        assert one.goes_on()
        assert [line.split()[0] for line in given] == ["init=/first", "root=x"]
        one.cut()
        assert not one.goes_on()
    finally:
        one.cut()
    (tmp_path / "serial.log").write_text(f"[ 9.1] {guest.POWERED_DOWN}\r\n")
    one._process = subprocess.Popen(["true"])
    one._process.wait()
    assert not one.goes_on()


def test_the_stand_ins_user_data_takes_the_owners_settings(tmp_path):
    settings = settings_of(checked(read(device_file(tmp_path)), None), tmp_path)
    merged = user_data(TRIXIE.boot["user-data"].encode(), settings).content.decode()
    assert 'hostname: "emulated"' in merged
    assert "platewatch/firstboot.sh" in merged
    assert "name: owner" in merged


def device_file(folder: Path) -> Path:
    (folder / "login.pub").write_text(KEY + "\n")
    (folder / "emulated.toml").write_text(device.text(folder / "login.pub", "3.13"))
    return folder / "emulated.toml"


def test_the_device_file_makes_a_config_that_plays_the_clip(tmp_path):
    made = config_of(checked(read(device_file(tmp_path)), None), tmp_path)
    assert 'kind = "files"' in made.text
    assert device.CLIP.format(python="3.13") in made.text
    assert made.secrets == {"mqtt": device.BROKER_PASSWORD}


def test_every_secret_of_the_card_is_looked_for_afterwards(tmp_path):
    document = checked(read(device_file(tmp_path)), None)
    merged = user_data(TRIXIE.boot["user-data"].encode(), settings_of(document, tmp_path)).content
    found = device.secrets(merged, config_of(document, tmp_path).text.encode())
    assert len(found) == 5
    assert all(len(raw) >= 15 for raw in found.values())
    assert device.secrets(firstrun.script(None, settings_of(document, tmp_path)).content, b"").keys() >= {"the login's hash"}
    assert {suite.seed for suite in SUITES} == {"user-data", firstrun.NAME}


@pytest.mark.parametrize("left", [b"emulated broker 7Qx", b""])
@TOOLS
def test_a_secret_in_a_deleted_file_of_the_boot_partition_is_found(tmp_path, left):
    card = tmp_path / "card.img"
    stand_in.assemble(card, None, tmp_path / "log", size=64 * MIB, fat_size=16 * MIB)
    boot = FatPartition(card, FAT_START)
    boot.write("platewatch-log.txt", b"  10 s  DONE. The page\r\n")
    boot.write("secrets.json", left or b"nothing")
    # By mtools alone: our own way overwrites what it removes.
    subprocess.run(["mdel", "-i", f"{card}@@{FAT_START}", "::/secrets.json"], check=True)
    if left:
        with pytest.raises(EmulateError, match="still on the boot partition after the first start: the broker's password"):
            check_boot_partition(card, {"the broker's password": left}, 16 * MIB)
    else:
        check_boot_partition(card, {"the broker's password": b"emulated broker 7Qx"}, 16 * MIB)


def test_the_bad_release_gives_no_picture_and_the_others_differ_by_version_and_serial_alone(tmp_path):
    from deploy.release.source import Source

    tree = tmp_path / "tree"
    (tree / "edge/camera").mkdir(parents=True)
    (tree / releases.CAMERA).write_bytes((Path(record.HERE.parents[1]) / releases.CAMERA).read_bytes())
    (tree / "pyproject.toml").write_text('[project]\nname = "platewatch"\nversion = "1.2.3"\n')
    source = Source(tree, "1.2.3", 1000, "f" * 40, (), ())
    assert releases.changed_source(source, 0) is source
    later = releases.changed_source(source, 2)
    assert (later.version, later.serial, later.commit[:8]) == ("1.2.3.2", 1120, "22222222")
    assert 'version = "1.2.3.2"' in (tree / "pyproject.toml").read_text()
    releases.changed_source(source, 3, bad=True)
    names: dict[str, object] = {}
    exec(compile((tree / releases.CAMERA).read_text(), "camera", "exec"), names)
    assert names["FilesCamera"].frames is names["_blind"]
    assert FilesCamera.frames is not names["_blind"]


SERIAL = "\x1b[0;32m  OK  \x1b[0m] Started ssh\r\n[  12.0] python3[441]: 1 of 6: checking that the kit is whole.\r\npython3[441]: 2 of 6: making\rgate login: "


def test_the_serial_log_is_read_without_colours_and_carriage_returns():
    assert "\x1b" not in serial.plain(SERIAL)
    assert serial.last(SERIAL) == "gate login:"
    assert serial.last("\r\n\r\n") == ""
    assert serial.steps(SERIAL) == [1, 2]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (SERIAL, ""),
        ("x\n[ 1.2] Kernel panic - not syncing: VFS: Unable to mount root fs\r\nmore", "Kernel panic - not syncing: VFS: Unable to mount root fs"),
        ("You are in emergency mode. After logging in,\r\n", "You are in emergency mode. After logging in,"),
        ("platewatch-emulate: the card's root is missing\n", "platewatch-emulate: the card's root is missing"),
        ("platewatch-emulate: the card's root is /dev/vda2\n", ""),
    ],
)
def test_a_guest_that_will_say_nothing_more_is_not_waited_for(said, found):
    assert serial.trouble(said) == found
