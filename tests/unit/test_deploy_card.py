"""Boot folders, partitions, images, disks: each part of a card, on files."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import zipfile
from pathlib import Path

import pytest

from deploy.card import fat
from deploy.card.amounts import size
from deploy.card.boot import MOST_SECRET, FatPartition, MountedFolder, good_name
from deploy.card.detect import detect
from deploy.card.disks import Disk, allow, find, parse, refusals
from deploy.card.errors import CardError
from deploy.card.image import look
from deploy.card.partitions import boot_partition
from deploy.card.partitions import find as find_partition
from deploy.card.write import BLOCK, Target, opened
from tests.cards import BOOKWORM, IMAGER_PRESEED, STOCK_USER_DATA, TOOLS, TRIXIE, boot_folder, image, inside, run

GB = 1_000_000_000


@pytest.fixture(params=["mounted", pytest.param("fat", marks=TOOLS)])
def boot(request, tmp_path):
    """Each kind of boot folder; every test of the interface runs on both."""
    if request.param == "mounted":
        return boot_folder(tmp_path / "bootfs", TRIXIE)
    return inside(image(tmp_path / "card.img", TRIXIE))


def test_files_are_listed_read_written_and_removed(boot):
    assert boot.list() == sorted(["cmdline.txt", "config.txt", "issue.txt", "kernel8.img", "meta-data", "network-config", "user-data"])
    assert boot.read("config.txt") == b"arm_64bit=1\n"
    assert boot.read("not-there") is None
    assert boot.read("no/folder") is None
    boot.write("new-file.txt", b"\x00\xff\r\n")
    boot.write("config.txt", b"")
    assert boot.read("new-file.txt") == b"\x00\xff\r\n"
    assert boot.read("config.txt") == b""
    boot.remove("new-file.txt")
    boot.remove("new-file.txt")
    assert boot.read("new-file.txt") is None
    boot.flush()


def test_folders_are_made_as_files_need_them(boot, tmp_path):
    source = tmp_path / "large"
    source.write_bytes(os.urandom(300_000))
    boot.put("platewatch/release.tar", source)
    boot.write("platewatch/kit.json", b"{}")
    assert "platewatch/" in boot.list()
    assert boot.list("platewatch") == ["kit.json", "release.tar"]
    assert boot.list("other") == []
    assert boot.read("platewatch/release.tar") == source.read_bytes()
    assert boot.free() > 1_000_000


def test_what_is_put_takes_its_room(tmp_path):
    if TOOLS.args[0]:
        pytest.skip(TOOLS.kwargs["reason"])
    boot = inside(image(tmp_path / "card.img", TRIXIE))
    before = boot.free()
    boot.write("x", bytes(1_000_000))
    assert 1_000_000 <= before - boot.free() < 1_100_000
    with pytest.raises(CardError, match="mcopy"):
        boot.write("y", bytes(20_000_000))


OLD, NEW = b"the old word " * 400, b"the new word"
"""More than a cluster, and less than one."""


@TOOLS
@pytest.mark.parametrize(("mib", "bits", "sectors"), [(12, 12, 8), (40, 16, 4), (40, 32, 1)])
def test_of_a_small_file_that_was_replaced_or_removed_no_byte_stays_in_a_fat_partition(tmp_path, mib, bits, sectors):
    path = tmp_path / "card.img"
    with path.open("wb") as file:
        file.truncate((mib + 1) << 20)
    run("mkfs.vfat", "-F", bits, "-s", sectors, "--offset", "2048", path)
    boot = inside(path)
    boot.write("platewatch/kit.json", b"{}")
    boot.write("user-data", OLD)
    boot.write("platewatch/secrets.json", OLD)
    boot.write("stays.txt", b"stays" * 1000)
    assert OLD in path.read_bytes()
    boot.write("user-data", NEW)
    boot.remove("platewatch/secrets.json")
    raw = path.read_bytes()
    assert b"old word" not in raw
    assert raw.count(NEW) == 1
    assert boot.read("user-data") == NEW
    assert boot.read("stays.txt") == b"stays" * 1000
    assert boot.list() == ["platewatch/", "stays.txt", "user-data"]
    assert boot.list("platewatch") == ["kit.json"]


def test_of_a_small_file_that_was_replaced_or_removed_no_byte_stays_in_a_mounted_folder(tmp_path):
    """A second name for the same blocks stands for the clusters that FAT sets free."""
    boot = boot_folder(tmp_path / "bootfs", TRIXIE)
    kept = []
    for name in ("user-data", "secrets.json", ".half.new"):
        (tmp_path / "bootfs" / name).write_bytes(OLD)
        kept.append(tmp_path / f"blocks of {name}")
        kept[-1].hardlink_to(tmp_path / "bootfs" / name)
    boot.write("user-data", NEW)
    boot.remove("secrets.json")
    boot.write("half", NEW)
    assert boot.read("user-data") == boot.read("half") == NEW
    assert boot.read("secrets.json") is None
    for path in kept:
        assert path.stat().st_size >= len(OLD)
        assert set(path.read_bytes()) == {0}


def test_who_stops_the_writing_finds_the_old_file_or_the_new_one_and_never_zeros(tmp_path, monkeypatch):
    boot = boot_folder(tmp_path / "bootfs", TRIXIE)
    for stopped, found in (("os.replace", STOCK_USER_DATA.encode()), ("deploy.card.boot.blank", NEW)):
        with monkeypatch.context() as patch:
            patch.setattr(stopped, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                boot.write("user-data", NEW)
        assert boot.read("user-data") == found


@TOOLS
def test_a_large_file_that_is_removed_is_not_overwritten(tmp_path):
    """A release holds no secret, and eighty megabytes of zeros wear the card."""
    path = image(tmp_path / "card.img", TRIXIE)
    for boot in (inside(path), boot_folder(tmp_path / "bootfs", TRIXIE)):
        boot.write("release.tar", b"release " * (MOST_SECRET // 4))
    (tmp_path / "blocks").hardlink_to(tmp_path / "bootfs/release.tar")
    for boot in (inside(path), MountedFolder(tmp_path / "bootfs")):
        boot.remove("release.tar")
    assert path.read_bytes().count(b"release ") > 100_000
    assert (tmp_path / "blocks").read_bytes().count(b"release ") > 100_000


@pytest.mark.parametrize("raw", [b"", bytes(512), b"\xff" * 512, b"\xff" * 2048])
def test_what_holds_no_fat_has_no_table(raw):
    with pytest.raises(CardError, match="no FAT file system"):
        fat.read(io.BytesIO(raw), 0)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a\\b", "a\nb"])
def test_no_name_leads_out_of_the_folder(name, tmp_path):
    with pytest.raises(ValueError, match="no name"):
        good_name(name)
    with pytest.raises(ValueError, match="no name"):
        MountedFolder(tmp_path).read(name)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CardError, match="cannot be written"):
        MountedFolder(tmp_path / "file").write("x", b"")


def test_a_program_that_is_missing_is_named_with_its_package(tmp_path, monkeypatch):
    from deploy.card import program

    with pytest.raises(CardError, match="no-such-program"):
        program.run("no-such-program")
    monkeypatch.setattr(program.subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError()))
    with pytest.raises(CardError, match="apt install mtools"):
        FatPartition(tmp_path / "x").list()


@TOOLS
def test_the_boot_partition_is_found_where_sfdisk_says_it_is(tmp_path):
    path = image(tmp_path / "card.img", TRIXIE)
    told = json.loads(run("sfdisk", "-J", path))["partitiontable"]["partitions"][0]
    with path.open("rb") as file:
        found = find_partition(file, "card.img")
    assert (found.start, found.length) == (told["start"] * 512, told["size"] * 512)


def sector(*entries, signature=b"\x55\xaa"):
    raw = bytearray(512)
    for number, (kind, start, sectors) in enumerate(entries):
        raw[446 + 16 * number + 4] = kind
        raw[446 + 16 * number + 8 : 446 + 16 * number + 16] = start.to_bytes(4, "little") + sectors.to_bytes(4, "little")
    raw[510:] = signature
    return bytes(raw)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"", "no partition table"),
        (bytes(512), "no partition table"),
        (sector(), "no FAT"),
        (sector((0x83, 2048, 100)), "no FAT"),
        (sector((0xEE, 1, 100)), "GPT"),
    ],
)
def test_what_has_no_boot_partition_is_refused(first, words):
    with pytest.raises(CardError, match=words):
        boot_partition(first, "x.img")


def test_the_fat_partition_is_taken_wherever_it_stands_in_the_table():
    assert boot_partition(sector((0x83, 8, 8), (0xC, 2048, 4096)), "x").start == 2048 * 512


def test_a_partition_without_a_file_system_is_refused(tmp_path):
    path = tmp_path / "x.img"
    path.write_bytes(sector((0xC, 2048, 4096)) + bytes(3 << 20))
    with path.open("rb") as file, pytest.raises(CardError, match="no FAT file system"):
        find_partition(file, "x.img")


def packed(folder: Path, raw: bytes) -> dict[str, Path]:
    plain, xz, gz, pack = (folder / f"card.img{ending}" for ending in ("", ".xz", ".gz", ".zip"))
    plain.write_bytes(raw)
    # As xz -T does it: many blocks; and as pixz and others: many streams, with padding.
    xz.write_bytes(lzma.compress(raw[:100_000]) + bytes(4) + lzma.compress(raw[100_000:]) + bytes(8))
    gz.write_bytes(gzip.compress(raw))
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("card.img", raw)
        file.writestr("readme.txt", "x")
    return {"plain": plain, "xz": xz, "gzip": gz, "zip": pack}


@pytest.mark.parametrize("kind", ["plain", "xz", "gzip", "zip"])
def test_an_image_of_any_kind_is_read_and_its_checksum_compared(tmp_path, kind):
    raw = os.urandom(150_000) + bytes(200_000)
    path = packed(tmp_path, raw)[kind]
    told = hashlib.sha256(path.read_bytes()).hexdigest()
    found = look(path, told)
    assert (found.kind, found.size, found.packed) == (kind, len(raw), path.stat().st_size)
    with found.open() as stream:
        assert stream.read(1000) + stream.read(1 << 30) == raw
        assert stream.read(1) == b""
        stream.finish()
    with look(path, "0" * 64).open() as stream:
        assert stream.read(1 << 30) == raw
        with pytest.raises(CardError, match="download it again"):
            stream.finish()


@pytest.mark.parametrize("kind", ["xz", "gzip", "zip"])
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_download_that_was_cut_is_one_sentence(tmp_path, kind, keep):
    path = packed(tmp_path, os.urandom(400_000))[kind]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])

    def read_to_the_end():
        with look(path).open() as stream:
            stream.read(1 << 30)
            stream.finish()

    with pytest.raises(CardError, match="download it again"):
        read_to_the_end()


@pytest.mark.parametrize("kind", ["xz", "zip"])
def test_that_a_download_was_cut_is_known_before_anything_is_written(tmp_path, kind):
    path = packed(tmp_path, os.urandom(400_000))[kind]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CardError, match="not downloaded to its end"):
        look(path)


def test_the_checksum_beside_the_image_is_taken_by_itself(tmp_path):
    path = tmp_path / "card.img"
    path.write_bytes(b"x" * 1000)
    told = hashlib.sha256(path.read_bytes()).hexdigest()
    assert look(path).sha256 == ""
    beside = tmp_path / "card.img.sha256"
    for text in (f"{told}  card.img\n", f"{told} *./card.img\n", told.upper(), f"{'0' * 64}  other.img\n{told}  card.img\n"):
        beside.write_text(text)
        assert look(path).sha256 == told
        assert look(path, str(beside)).sha256 == told
    for text in ("", f"{'0' * 64}  a.img\n{'0' * 64}  b.img\n"):
        beside.write_text(text)
        with pytest.raises(CardError, match="no checksum"):
            look(path)
    with pytest.raises(CardError, match="--sha256"):
        look(path, "12345")


def test_an_image_that_is_not_there_or_empty_is_one_sentence(tmp_path):
    (tmp_path / "empty.img").write_bytes(b"")
    with pytest.raises(CardError, match="is empty"):
        look(tmp_path / "empty.img")
    with pytest.raises(CardError, match=r"Raspberry Pi OS Lite"):
        look(tmp_path / "no.img")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as file:
        file.writestr("a.img", "a")
        file.writestr("b.img", "b")
    with pytest.raises(CardError, match="2 images"):
        look(tmp_path / "two.zip")


def a_disk(path, gigabytes, *children, **keys):
    """As lsblk tells of one."""
    plain = {"type": "disk", "ro": False, "rm": False, "hotplug": False, "tran": None, "model": None, "vendor": None, "mountpoints": [None]}
    return plain | {"path": path, "size": gigabytes * GB, "children": list(children)} | keys


def a_part(path, *mounts, **keys):
    return {"path": path, "type": "part", "mountpoints": list(mounts) or [None]} | keys


USB = {"rm": True, "hotplug": True, "tran": "usb"}
LSBLK = {
    "blockdevices": [
        a_disk("/dev/sda", 500, a_part("/dev/sda1", "/"), a_part("/dev/sda2", "[SWAP]"), model="Disk ", vendor="ATA"),
        a_disk("/dev/sdb", 32, **USB),
        a_disk("/dev/sdc", 32, a_part("/dev/sdc1", "/media/me/bootfs", None), **USB),
        a_disk("/dev/sdd", 2000, tran="sata"),
        a_disk("/dev/sde", 32, ro=True, **USB),
        a_disk("/dev/mmcblk0", 2, hotplug=True),
        a_disk("/dev/nvme0n1", 500, a_part("/dev/nvme0n1p1", children=[a_part("/dev/dm-0", type="crypt")]), tran="nvme"),
        a_disk("/dev/loop0", 1, type="loop"),
        a_disk("/dev/sdf", 0, **USB),
    ]
}


def known(*, every=False):
    return {disk.path: disk for disk in parse(json.dumps(LSBLK).encode(), every=every)}


def test_disks_are_known_and_empty_readers_and_loops_are_none():
    assert list(known()) == ["/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd", "/dev/sde", "/dev/mmcblk0", "/dev/nvme0n1"]
    assert known()["/dev/sda"].model == "ATA Disk"
    with pytest.raises(CardError, match="lsblk"):
        parse(b"{}")


def test_a_plain_card_may_be_written():
    allow(known()["/dev/sdb"], 3 * GB, "")
    allow(known()["/dev/mmcblk0"], GB, "")


@pytest.mark.parametrize(
    ("path", "needed", "words"),
    [
        ("/dev/sda", GB, "runs from it"),
        ("/dev/sde", GB, "cannot be written"),
        ("/dev/mmcblk0", 3 * GB, "too small"),
        ("/dev/nvme0n1", GB, "another layer"),
    ],
)
def test_some_are_never_written_whatever_anybody_says(path, needed, words):
    for told in ("", path):
        with pytest.raises(CardError, match=words):
            allow(known()[path], needed, told)


@pytest.mark.parametrize(("path", "words"), [("/dev/sdd", "not removable"), ("/dev/loop0", "not removable"), ("/dev/sdc", "is mounted .*sudo umount")])
def test_others_only_when_the_exact_name_is_told_twice(path, words):
    disk = known(every=True)[path]
    with pytest.raises(CardError, match=f"{words}.*--yes-really {path}"):
        allow(disk, GB, "")
    with pytest.raises(CardError, match="nothing was written"):
        allow(disk, GB, "/dev/sdb")
    allow(disk, GB, path)


def test_a_file_that_the_kernel_shows_as_a_disk_is_found_by_name_and_never_offered(monkeypatch):
    from deploy.card import disks

    monkeypatch.setattr(disks, "run", lambda *_: json.dumps(LSBLK).encode())
    monkeypatch.setattr(disks.stat, "S_ISBLK", lambda mode: True)
    monkeypatch.setattr(disks.os.path, "realpath", str)
    monkeypatch.setattr(disks.Path, "stat", lambda path: os.stat("/dev/null"))
    assert "/dev/loop0" not in [disk.path for disk in disks.disks()]
    assert refusals(disks.find("/dev/loop0", as_root=True), GB) == ([], ["it is not removable, so that it may hold what you need"])
    with pytest.raises(CardError, match="put the card into its reader"):
        disks.find("/dev/sdf", as_root=True)
    with pytest.raises(CardError, match="no whole disk"):
        disks.find("/dev/sda1", as_root=True)


def test_at_the_terminal_only_good_cards_are_offered_and_the_name_is_typed(monkeypatch, tmp_path):
    from deploy.card import disks, pick

    monkeypatch.setattr(disks, "run", lambda *_: json.dumps(LSBLK).encode())
    asked = []

    def one(words, default, secret):
        asked.append((words, default))
        return "/dev/sdb"

    assert pick.card(one, 3 * GB) == "/dev/sdb"
    assert "/dev/sdb" in asked[0][0]
    assert not any(path in asked[0][0] for path in set(known()) - {"/dev/sdb"})
    assert asked[0][1] == ""
    for answer in ("", "/dev/sda", "y"):
        with pytest.raises(CardError, match="nothing was written"):
            pick.card(lambda *_, said=answer: said, GB)
    with pytest.raises(CardError, match="no card"):
        pick.card(one, 10_000 * GB)
    with pytest.raises(CardError, match="--disk"):
        pick.card(None, GB)


def test_the_newest_download_is_offered(monkeypatch, tmp_path):
    from deploy.card import pick

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pick, "expanded", lambda path: Path(path.replace("~", str(tmp_path))))
    (tmp_path / "Downloads").mkdir()
    for age, name in enumerate(
        ("2025-11-24-raspios-trixie-arm64-lite.img.xz", "2025-10-01-raspios-trixie-arm64-lite.img.xz", "2025-11-24-raspios-trixie-armhf-lite.img.xz")
    ):
        (tmp_path / "Downloads" / name).write_bytes(b"x")
        os.utime(tmp_path / "Downloads" / name, (1e9 - age, 1e9 - age))
    assert pick.image(lambda words, default, secret: default).name == "2025-11-24-raspios-trixie-arm64-lite.img.xz"
    assert pick.image(lambda *_: "'my card.img' ") == Path("my card.img"), "as terminals write a file that is dropped onto them"
    with pytest.raises(CardError, match="no image"):
        pick.image(lambda *_: "")
    with pytest.raises(CardError, match="--image"):
        pick.image(None)


def test_a_name_that_is_no_disk_is_refused(tmp_path):
    with pytest.raises(CardError, match="is not there"):
        find(str(tmp_path / "sdx"), [])
    with pytest.raises(CardError, match="neither a disk nor a file"):
        find(str(tmp_path), [])
    (tmp_path / "card.img").write_bytes(bytes(1000))
    disk = find(str(tmp_path / "card.img"))
    assert (disk.size, disk.file) == (1000, True)
    assert refusals(disk, 10) == ([], ["it is a file"])


RAW = os.urandom(1000) * 9000


def blocks(raw):
    return (raw[at : at + BLOCK] for at in range(0, len(raw), BLOCK))


@pytest.fixture
def disk(tmp_path):
    """A file of other content, somewhat larger than RAW."""
    path = tmp_path / "disk"
    path.write_bytes(b"\xee" * (len(RAW) + 1000))
    return path


def test_what_is_written_is_what_is_read_back(disk):
    told = []
    with opened(disk) as target:
        written = target.write(blocks(RAW), told.append, len(RAW) + 1000)
        assert disk.read_bytes()[:BLOCK] == bytes(BLOCK)
        target.verify(written, told.append)
        target.complete(written)
    assert disk.read_bytes() == RAW + b"\xee" * 1000
    assert sum(told) == 2 * len(RAW)


@pytest.mark.parametrize("at", [BLOCK, 2 * BLOCK - 1, len(RAW) - 1])
def test_one_changed_byte_is_noticed_and_its_place_told_and_the_card_boots_nothing(disk, at):
    with opened(disk) as target:
        written = target.write(blocks(RAW), lambda _: None, len(RAW))
        os.pwrite(target.file, bytes([RAW[at] ^ 1]), at)
        with pytest.raises(CardError, match=f"at {at // BLOCK * BLOCK // 1_000_000} MB"):
            target.verify(written, lambda _: None)
    assert disk.read_bytes()[:BLOCK] == bytes(BLOCK)


def test_a_first_block_that_is_not_taken_is_noticed(disk, monkeypatch):
    with opened(disk) as target:
        written = target.write(blocks(RAW), lambda _: None, len(RAW))
        monkeypatch.setattr(os, "pwrite", lambda file, view, at: len(view))
        with pytest.raises(CardError, match="at 0 MB"):
            target.complete(written)


def test_a_card_that_was_stopped_boots_nothing(disk):
    """Whatever stops it: the first block, with the partition table, comes last."""

    def stopped(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), opened(disk) as target:
        target.write(blocks(RAW), stopped, len(RAW))
    assert disk.read_bytes()[:BLOCK] == bytes(BLOCK)


def test_what_the_bar_shows_as_written_is_on_the_card_but_for_a_few_blocks(disk, monkeypatch):
    """Else whoever stops it waits until this computer's memory is written down, and a dead card is noticed at the end alone."""
    from deploy.card import write

    monkeypatch.setattr(write, "SYNCED", 1)
    told, synced = [], []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(len(told)))
    with opened(disk) as target:
        target.write(blocks(RAW), told.append, len(RAW))
    assert synced == [*range(len(told)), len(told)]


def test_an_image_that_turns_out_larger_than_the_disk_is_stopped(disk):
    with opened(disk) as target, pytest.raises(CardError, match="too small"):
        target.write(blocks(RAW), lambda _: None, BLOCK + 5)


def test_a_disk_that_is_pulled_out_is_one_sentence(disk):
    with pytest.raises(CardError, match="plugged in"), opened(disk.with_name("gone")):
        pass
    with disk.open("rb") as file, pytest.raises(CardError, match="writing failed"):
        Target(disk, file.fileno()).write(blocks(RAW), lambda _: None, len(RAW))


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (TRIXIE, "cloudinit"),
        (BOOKWORM, "firstrun"),
        ({"cmdline.txt": "root=x\n", "issue.txt": "Raspberry Pi reference 2024-11-19\n"}, "firstrun"),
        ({"cmdline.txt": "root=x\n", "firstrun.sh": "#!/bin/sh\n"}, "firstrun"),
        ({"cmdline.txt": "root=x ds=nocloud;i=rpi-imager-1\n"}, "cloudinit"),
        (TRIXIE | {"rpi-preseed.toml": IMAGER_PRESEED}, "preseed"),
        (TRIXIE | {"firstrun.sh": "#!/bin/sh\n", "cmdline.txt": "root=x systemd.run=/boot/firstrun.sh\n"}, "cloudinit"),
    ],
)
def test_the_way_of_the_first_start_is_seen_from_the_files(tmp_path, kind, way):
    found = detect(boot_folder(tmp_path / "b", kind))
    assert found.way == way
    assert found.python == ("3.11" if way == "firstrun" else "3.13")


def test_imagers_older_settings_on_a_newer_system_are_told_of(tmp_path):
    kind = TRIXIE | {"firstrun.sh": "#!/bin/sh\n", "cmdline.txt": "root=x systemd.run=/boot/firstrun.sh\n"}
    assert any("Imager 1.x" in note for note in detect(boot_folder(tmp_path / "b", kind)).notes)


@pytest.mark.parametrize(
    ("kind", "words"),
    [({"cmdline.txt": "root=x\n", "kernel7.img": "x"}, "32-bit"), ({"cmdline.txt": "root=x\n"}, "--first-boot"), ({}, "no boot folder")],
)
def test_what_cannot_be_prepared_is_refused(tmp_path, kind, words):
    with pytest.raises(CardError, match=words):
        detect(boot_folder(tmp_path / "b", kind))


def test_sizes_are_told_as_cards_are_sold():
    assert [size(amount) for amount in (0, 999, 1500, 32 * GB, 999_600, 2_560_000_000)] == ["0 B", "999 B", "1.5 kB", "32 GB", "1 MB", "2.56 GB"]


def test_a_disk_says_what_it_is():
    assert Disk("/dev/sdb", 32 * GB, "Card").words == "/dev/sdb (32 GB, Card)"
