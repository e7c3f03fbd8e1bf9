"""What the first start leaves on the open part of the card: not one byte of a secret, in a file or in what a file once was."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from deploy.onboard import cmdline, firstboot, kit, uninstall
from deploy.onboard.layout import FIRSTBOOT
from tests.cards import IMAGER_2, IMAGER_FIRSTRUN, IMAGER_NETWORK, IMAGER_PRESEED
from tests.onboard import CONFIG, Device, Power, cut, make_kit, pack

SECRETS = {
    "login": "$y$j9T$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2h",
    "wifi": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "page": "scrypt$14$8$1$c2FsdA$aGFzaA",
    "camera": "the camera's word",
    "broker": "the broker's word",
}
pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def device(tmp_path):
    """A card that Imager wrote, and the kit on it, with five secrets among them."""
    made = Device.bare(tmp_path / "device")
    boot = made.root / "boot/firmware"
    config = CONFIG + f'[web]\npassword_hash = "{SECRETS["page"]}"\n[camera]\nsource = "rtsp://me:{SECRETS["camera"]}@yard/"\n'
    make_kit(boot, pack(tmp_path / "packs", "1.0.1"), secrets={"mqtt": SECRETS["broker"]}, config=config)
    for name, text in {"user-data": IMAGER_2, "network-config": IMAGER_NETWORK, "rpi-preseed.toml": IMAGER_PRESEED, "cmdline.txt": "root=x\n"}.items():
        (boot / name).write_text(text)
    (boot / kit.SCRIPT).write_text(IMAGER_FIRSTRUN.replace("$5$saltsalt$0123456789012345678901234567890123456789012", SECRETS["login"]))
    return made


def every_byte(boot: Path, blocks: Path) -> bytes:
    return b"".join(path.read_bytes() for folder in (boot, blocks) for path in sorted(folder.rglob("*")) if path.is_file())


def test_not_one_byte_of_five_secrets_stays_in_any_block_that_a_file_had(device, tmp_path):
    """A second name for the blocks of each file stands for the clusters that FAT sets free."""
    boot, blocks = device.root / "boot/firmware", tmp_path / "blocks"
    blocks.mkdir()
    for number, path in enumerate(path for path in sorted(boot.rglob("*")) if path.is_file()):
        (blocks / str(number)).hardlink_to(path)
    before = every_byte(boot, blocks)
    assert all(word.encode() in before for word in SECRETS.values())
    device.first_start()
    after = every_byte(boot, blocks)
    assert [name for name, word in SECRETS.items() if word.encode() in after] == []
    assert not (boot / kit.SCRIPT).exists()
    assert [words for words in device.said if "firstrun.sh" in words and "are removed" in words]


def test_the_hash_of_the_secrets_goes_too(device):
    """Short passwords are found from it by trying."""
    about = (device.root / "boot/firmware/platewatch/kit.json").read_text()
    told = about.split('"secrets.json": {"sha256": "')[1][:64]
    device.first_start()
    boot = device.root / "boot/firmware"
    assert told.encode() not in every_byte(boot, boot)


def test_a_script_that_will_still_be_run_stays(device):
    (device.root / "boot/firmware/cmdline.txt").write_text("root=x systemd.run=/boot/firmware/firstrun.sh\n")
    device.first_start()
    assert (device.root / "boot/firmware" / kit.SCRIPT).read_text().startswith("#!/bin/bash")


@pytest.fixture
def fat(device, monkeypatch):
    """The boot partition as a FAT, where a file ends at nine MiB; what is written into it until then, as a list."""
    taken, held = kit.disk.take_away, []

    def take_away(path):
        held.extend([path.read_bytes()] if path.name == kit.FILLING and path.exists() else [])
        taken(path)

    monkeypatch.setattr(kit.disk, "take_away", take_away)
    (device.root / "proc/self").mkdir(parents=True)
    (device.root / "proc/self/mounts").write_text("/dev/mmcblk0p2 / ext4 rw 0 0\n/dev/mmcblk0p1 /boot/firmware vfat rw,relatime 0 0\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9 << 20, limits[1]))
    yield held
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_where_the_system_removes_its_own_files_the_free_room_is_overwritten_to_its_end(device, fat):
    """Bookworm's script removes itself, and preseed writes its file anew: their clusters are free before we come."""
    boot = device.root / "boot/firmware"
    (boot / "user-data").unlink()
    (boot / kit.FILLING).write_bytes(b"of a start that was cut")
    device.first_start()
    assert fat == [b"of a start that was cut", bytes(9 << 20)]
    assert not (boot / kit.FILLING).exists()
    assert device.site().state.firstboot == "done"


def test_where_cloud_init_leaves_its_files_they_are_overwritten_in_their_place_and_no_more(device, fat):
    device.first_start()
    assert fat == []


def test_a_folder_that_is_no_fat_is_never_filled(device, fat):
    (device.root / "boot/firmware/user-data").unlink()
    (device.root / "proc/self/mounts").write_text("/dev/sda1 /boot/firmware ext4 rw 0 0\n")
    device.first_start()
    assert fat == []


def test_with_the_unit_there_early_a_cut_at_any_moment_is_survived_without_the_one_command(device, tmp_path):
    """cloud-init's `runcmd`, preseed's early commands: noted as done, though what they began may be lost."""
    folder = device.root / "boot/firmware/platewatch"
    power = Power(device.root)
    firstboot.put_off(device.copy(tmp_path / "uncut").site(power), tmp_path / "uncut/boot/firmware/platewatch")
    assert power.names == [f"unit {FIRSTBOOT}", f"enabled {FIRSTBOOT}"]
    for at in range(1, power.count + 1):
        one = device.copy(tmp_path / f"early-{at}")
        assert cut(one.root, at, lambda power, one=one: firstboot.put_off(one.site(power), one.root / folder.relative_to(device.root)))
        firstboot.put_off(one.site(), one.root / folder.relative_to(device.root))  # bootcmd runs at every start
        one.power_on()
        assert one.site().state.firstboot == "done"
    whole = Device(tmp_path / "uncut")
    whole.power_on()
    assert whole.site().state.firstboot == "done"


def test_uninstalling_takes_the_kit_away_so_that_no_start_sets_it_up_again(device):
    boot = device.root / "boot/firmware"
    device.first_start()
    uninstall.uninstall(device.site())
    assert not (boot / "platewatch").exists()
    assert (boot / "cmdline.txt").read_text() == "root=x\n"
    assert not (device.layout.own / cmdline.ADDED).exists()
