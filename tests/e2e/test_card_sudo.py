"""`./setup.sh card` by an ordinary user with sudo, onto real block devices, in the order of an owner's evening: slips first, then the card, then the next one.

Some minutes; a Debian of 150 MB and wheels of 210 MB in the cache. A loop device is no card for lsblk, so that it takes its name twice; where a removable
one matters, a program before lsblk calls it so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest

from deploy.card.boot import FatPartition
from tests import nspawn
from tests.cards import NEEDED, PATH, TRIXIE, boot_files
from tests.sudoer import ANSWERS, CHECKOUT, HOME, IMAGE, LOGIN, PAGE, READER, SUDO, WIFI, computer

LACKING = nspawn.obstacle() or ", ".join(name for name in (*NEEDED, "losetup", "mkfs.ext4") if shutil.which(name, path=PATH) is None)
pytestmark = pytest.mark.skipif(bool(LACKING), reason=LACKING)
STOP = "\x03"
CARD = ".venv/bin/python -m deploy card"
"""What setup.sh ends in, after it has looked whether all is there."""
IMAGE_Q, KEPT = ("as you downloaded it", ""), ("Take them", "")


@pytest.fixture(scope="module")
def pc(tmp_path_factory):
    with computer(tmp_path_factory.mktemp("sudoer")) as made:
        yield made


@pytest.fixture
def window(pc):
    with pc.window() as made:
        yield made


@pytest.fixture
def card(pc):
    """(name, file) of an empty card of 1 GB."""
    (pc.folder / "card.img").unlink(missing_ok=True)
    with pc.card() as made:
        yield made


def twice(name):
    return f"--disk {name} --yes-really {name}"


def boots(path):
    """Whether there is a partition table."""
    with path.open("rb") as file:
        return file.read(512)[510:] == b"\x55\xaa"


def sentence(done, words):
    """Exit code 1, one sentence, and no traceback."""
    code, said = done
    assert code == 1, said
    assert words in said.replace("\n", " ")
    assert "Traceback" not in said
    assert sum(line.startswith("deploy: ") for line in said.splitlines()) == 1


def test_a_disk_that_is_no_card_is_refused_before_anything_is_asked(window, pc, card):
    name, path = card
    sentence(window.do(f"./setup.sh card --disk {name}", IMAGE_Q), f"add --yes-really {name}")
    sentence(window.do(f"{CARD} --disk {name} --yes-really /dev/sda", IMAGE_Q), "nothing was written")
    sentence(window.do(f"{CARD} --disk /dev/sdx --yes-really /dev/sdx", IMAGE_Q), "is not there")
    sentence(window.do(f"{CARD} --disk /dev/null --yes-really /dev/null", IMAGE_Q), "neither a disk nor a file")
    sentence(window.do(CARD, IMAGE_Q), "there is no card that may be written")
    with pc.card(64, pc.folder / "small.img") as (small, _):
        sentence(window.do(f"{CARD} {twice(small)}", IMAGE_Q), "it is too small")
    assert not boots(path)


def test_a_disk_that_is_mounted_is_refused_when_it_is_named_once_and_the_systems_own_however_often(window, pc, card):
    name, path = card
    subprocess.run(["mkfs.ext4", "-q", name], check=True, env={"PATH": PATH})
    pc.container("mkdir", "-p", "/srv/films", "/boot")
    once = (f"--disk {name}", "/srv/films", f"it is mounted (/srv/films): sudo umount {name}")
    for told, folder, words in (once, (twice(name), "/boot", "this computer runs from it (/boot is on it)")):
        pc.container("mount", name, folder)
        try:
            sentence(window.do(f"{CARD} {told}", IMAGE_Q), words)
        finally:
            pc.container("umount", folder)
    assert not boots(path)


def test_a_download_that_is_not_whole_is_known_at_once(window, pc, card):
    """Without a checksum, too: the end of such a file tells its size."""
    name, _ = card
    half = pc.root / HOME.strip("/") / "Downloads/half-raspios-arm64-lite.img.xz"
    half.write_bytes((half.parent / IMAGE).read_bytes()[:-5000])
    try:
        sentence(window.do(f"{CARD} {twice(name)}", ("as you downloaded it", f"'{HOME}/Downloads/{half.name}' ")), "was not downloaded to its end")
    finally:
        half.unlink()


def test_stopped_at_any_question_nothing_is_made_and_the_terminal_is_as_it_was(window, pc, card):
    name, path = card
    pc.mark()
    for count in (0, 3, 5, 6, 12, len(ANSWERS) - 1):
        window.type(f"{CARD} {twice(name)}", *ANSWERS[:count])
        window.wait(ANSWERS[count][0])
        time.sleep(0.3)
        window.press(STOP)
        code, said = window.ended()
        assert (code, "deploy: card was stopped" in said, window.echoes()) == (130, True, True), said
    assert pc.container.sh(f"ls {HOME}/*.key {CHECKOUT}/gate.toml 2>/dev/null; true") == ""
    assert pc.others() == []
    assert not boots(path)


def test_without_the_right_password_nothing_is_written_and_the_answers_are_kept(window, pc, card):
    name, path = card
    wrong = (SUDO[0], "no")
    sentence(window.do(f"{CARD} {twice(name)}", *ANSWERS, wrong, wrong, wrong), f"sudo does not let you write {name}")
    assert pc.container("stat", "-c", "%a %U", f"{CHECKOUT}/gate.toml").split() == ["600", "anna"]
    window.type(f"{CARD} {twice(name)}", IMAGE_Q, KEPT)
    window.wait(SUDO[0])
    time.sleep(0.5)
    window.press(STOP)
    code, said = window.ended()
    assert (code, window.echoes(), "Traceback" in said) == (130, True, False), said
    assert not boots(path)


def test_who_may_not_use_sudo_is_told_so(pc, card):
    name, path = card
    pc.container("gpasswd", "--delete", "anna", "sudo")
    try:
        with pc.window() as window:
            sentence(window.do(f"{CARD} {twice(name)}", IMAGE_Q, KEPT), f"sudo does not let you write {name}")
    finally:
        pc.container("gpasswd", "--add", "anna", "sudo")
    assert not boots(path)


def test_another_card_that_came_into_the_reader_meanwhile_is_not_written(window, pc, card):
    """sudo waits for the password as long as one likes."""
    name, _ = card
    window.type(f"{CARD} {twice(name)}", IMAGE_Q, KEPT)
    window.wait(SUDO[0])
    other = pc.folder / "photos.img"
    other.write_bytes(b"\xee" * (1 << 20))
    os.truncate(other, 1100 << 20)
    subprocess.run(["losetup", "-d", name], check=True)
    subprocess.run(["losetup", name, str(other)], check=True)
    time.sleep(0.5)
    window.press(SUDO[1] + "\n")
    sentence(window.ended(), "is not the card that was chosen")
    with other.open("rb") as file:
        assert file.read(1 << 20) == b"\xee" * (1 << 20)
    other.unlink()


def test_the_card_is_written_and_all_that_was_made_is_the_owners(window, pc, card):
    """One that somebody has mounted, and named twice."""
    name, path = card
    subprocess.run(["mkfs.ext4", "-q", name], check=True, env={"PATH": PATH})
    pc.container("mkdir", "-p", "/srv/films")
    pc.container("mount", name, "/srv/films")
    pc.mark()
    code, said = window.do(f"./setup.sh card {twice(name)}", IMAGE_Q, KEPT, SUDO)
    assert (code, "Done." in said) == (0, True), said
    assert_written(path)
    assert pc.others() == []
    assert pc.secrets_told() == []
    assert not any(word in window.seen for word in (LOGIN, WIFI, PAGE, SUDO[1]))


def assert_written(path):
    table = subprocess.run(["sfdisk", "--dump", str(path)], capture_output=True, text=True, check=True, env={"PATH": PATH}).stdout
    assert [line.split("type=")[1] for line in table.splitlines() if "type=" in line] == ["c", "83"]
    boot = FatPartition(path, 1 << 20)
    assert {"kit.json", "release.tar", "release.tar.minisig", "trusted.pub"} <= set(boot.list("platewatch"))
    assert re.search(rb'^hostname: "?gate"?$', boot.read("user-data"), re.MULTILINE)
    assert b'"Home"' in boot.read("network-config")
    assert boot.read("cmdline.txt").count(b"\n") == 1
    kept = boot_files(TRIXIE)
    assert (boot.read("config.txt"), boot.read("kernel8.img")) == (kept["config.txt"], kept["kernel8.img"])
    with path.open("rb") as file:
        file.seek((1 << 20) + (160 << 20))
        assert file.read(1 << 20) == bytes(range(256)) * 4096


def test_the_second_card_asks_nothing_twice_and_builds_nothing_again(window, pc, card):
    name, path = card
    before = pc.container.sh(f"stat -c '%n %Y %i' {CHECKOUT}/dist/*.tar {HOME}/platewatch-release.*")
    code, said = window.do(f"./setup.sh card gate.toml --image ~/Downloads/{IMAGE} {twice(name)}", SUDO)
    assert code == 0, said
    assert_written(path)
    assert pc.container.sh(f"stat -c '%n %Y %i' {CHECKOUT}/dist/*.tar {HOME}/platewatch-release.*") == before


def test_a_card_that_nobody_wrote_is_not_filled(window, card):
    sentence(window.do(f"{CARD} gate.toml --onto-written {card[0]} --yes-really {card[0]}", SUDO), "has no partition table")


def begun(window, name, until):
    """The same, seen as far as these words."""
    window.type(f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(name)}", SUDO)
    window.wait(until, 240)


def nothing_is_left(pc):
    pc.container.wait(lambda: "--handed" not in pc.container("ps", "-eo", "args"), "root's part to end", 60)
    assert pc.container.sh("ls -d /tmp/platewatch-* /var/tmp/platewatch-* 2>/dev/null; true") == ""


def test_stopped_while_it_writes_the_card_boots_nothing_and_nothing_lies_about(window, pc, card):
    begun(window, card[0], "writing onto")
    window.press(STOP)
    code, said = window.ended()
    assert (code, "deploy: card was stopped" in said, "Traceback" in said, window.echoes()) == (130, True, False, True), said
    assert not boots(card[1])
    nothing_is_left(pc)


def test_a_window_that_is_shut_ends_it_as_well(pc, card):
    with pc.window() as window:
        begun(window, card[0], "writing onto")
    nothing_is_left(pc)
    assert not boots(card[1])


def test_a_card_that_vanishes_while_it_is_written_is_one_sentence(window, pc, card):
    """Its end is gone all at once."""
    name, path = card
    begun(window, name, "writing onto")
    with path.open("r+b") as file:
        file.truncate(200 << 20)
    subprocess.run(["losetup", "--set-capacity", name], check=True)
    sentence(window.ended(), "take another card")
    assert not boots(path)
    nothing_is_left(pc)


def test_a_card_that_takes_nothing_more_is_one_sentence(window, pc):
    """A file system without room is below it, as the kernel says it of a worn-out card: an error when it is written down."""
    full = pc.folder / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(full)], check=True)
    try:
        with pc.card(1024, full / "card.img") as (name, path):
            code_and_words = window.do(f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(name)}", SUDO)
            sentence(code_and_words, "take another card")
            assert not boots(path)
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_what_is_read_back_otherwise_is_told_with_its_place(window, pc, card):
    name, path = card
    begun(window, name, "reading back")
    with path.open("r+b") as file:
        file.seek(300 << 20)
        file.write(b"worn out")
    sentence(window.ended(), "what is read back differs from what was written, at 3")
    assert not boots(path)


def test_half_a_key_is_refused_and_a_lost_key_makes_a_new_release(window, pc, card):
    name, path = card
    pc.container("mv", f"{HOME}/platewatch-release.key", "/root/key")
    sentence(window.do(f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(name)}", SUDO), "only half a key")
    pc.container("mv", f"{HOME}/platewatch-release.pub", "/root/pub")
    code, said = window.do(f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(name)}")
    assert (code, "Your key was made" in said) == (0, True), said
    boot = FatPartition(path, 1 << 20)
    assert boot.read("platewatch/trusted.pub") == (pc.root / HOME.strip("/") / "platewatch-release.pub").read_bytes()


def test_without_room_for_temporary_files_another_folder_is_taken_and_then_it_is_a_sentence(window, pc, card):
    name, _ = card
    mount = "mount -t tmpfs -o size=50m,mode=1777 tmpfs"
    pc.container.sh(f"{mount} /tmp")
    try:
        code, said = window.do(f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(name)}", SUDO)
        assert code == 0, said
        pc.container.sh(f"{mount} /var/tmp")
        sentence(window.do(f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(name)}"), "no such room in /tmp or /var/tmp")
    finally:
        pc.container.sh("umount /tmp; umount /var/tmp; true")


def test_without_room_for_the_release_it_is_a_sentence_and_the_next_time_it_goes_on(window, pc, card):
    line = f"{CARD} gate.toml --image ~/Downloads/{IMAGE} {twice(card[0])}"
    pc.container.sh(f"mount -t tmpfs -o size=30m,uid=1000 tmpfs {CHECKOUT}/dist")
    try:
        sentence(window.do(line, SUDO), "the disk is full")
        pc.container.sh(f"mount -o remount,size=600m {CHECKOUT}/dist")
        code, said = window.do(line)
        assert code == 0, said
        assert_written(card[1])
    finally:
        pc.container.sh(f"umount {CHECKOUT}/dist")


def test_a_card_that_the_desktop_shows_is_offered_unmounted_and_written(window, pc, card):
    name, path = card
    reader = pc.root / "usr/local/bin/lsblk"
    reader.write_text(READER)
    reader.chmod(0o755)
    subprocess.run(["mkfs.ext4", "-q", name], check=True, env={"PATH": PATH})
    pc.container.sh(f"mkdir -p /media/anna/photos && mount {name} /media/anna/photos")
    try:
        sentence(window.do(f"{CARD} gate.toml", IMAGE_Q, ("Type the name", "y")), "y is none of them")
        assert "/media/anna/photos" in window.seen
        code, said = window.do(f"{CARD} gate.toml", IMAGE_Q, ("Type the name", name), SUDO)
        assert code == 0, said
        assert "/media/anna/photos" not in pc.container("cat", "/proc/mounts")
        assert_written(path)
        written = window.do(f"{CARD} gate.toml --onto-written {name}")
        assert written[0] == 0, written
    finally:
        reader.unlink()
        pc.container("umount", "/media/anna/photos", check=False)


def test_flash_by_sudo_leaves_nothing_of_roots(window, pc, card):
    name, path = card
    pc.mark()
    code, said = window.do(f"sudo .venv/bin/python -m deploy flash gate.toml --image ~/Downloads/{IMAGE} {twice(name)}", SUDO)
    assert code == 0, said
    assert_written(path)
    assert pc.others() == []
    sentence(window.do(f".venv/bin/python -m deploy flash gate.toml --image ~/Downloads/{IMAGE} {twice(name)}"), "you may not write it; run this with sudo")
