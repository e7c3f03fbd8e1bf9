"""USB sticks: which are looked at, and how they are let go."""

from __future__ import annotations

import pytest

from deploy.onboard import resume, sources, stick, update
from deploy.onboard.errors import OnboardError
from tests.onboard import Device, Fake, pack

pytestmark = pytest.mark.usefixtures("quick")


class Plugged(Fake):
    """A machine that mounts: the files of a device are those of the folder beside it."""

    mounted: str = ""
    broken = ""

    def run(self, words, **options):
        named = [str(word) for word in words]
        if named[0] == "mount":
            self.calls.append(named)
            if self.broken and self.broken in named[3]:
                raise OnboardError("mount -o ro,nosuid,nodev,noexec: dmesg(1) may have more information after failed mount system call.")
            for path in sorted((self.layout.at("dev") / f"{named[3].rsplit('/', 1)[-1]}.files").glob("*")):
                (self.layout.spool / "stick" / path.name).write_bytes(path.read_bytes())
            self.mounted = named[4]
            return ""
        if named[0] == "umount":
            self.calls.append(named)
            for path in (self.layout.spool / "stick").iterdir():
                path.unlink()
            self.mounted = ""
            return ""
        return super().run(words, **options)


@pytest.fixture
def device(tmp_path):
    return Device.started(tmp_path)


@pytest.fixture
def site(device, monkeypatch):
    found = device.site()
    machine = Plugged(device.root)
    monkeypatch.setattr("os.path.ismount", lambda path: str(path) == machine.mounted)
    return type(found)(found.layout, machine, found.step, found.say)


def plug(device, name, real, files=()):
    """By udev's name for it, as a link to the device."""
    folder = device.root / stick.BY_ID
    folder.mkdir(parents=True, exist_ok=True)
    (device.root / "dev" / real).touch()
    (folder / name).symlink_to(f"../../{real}")
    (device.root / "dev" / f"{name}.files").mkdir()
    for path in files:
        for one in (path, path.with_name(path.name + ".minisig")):
            (device.root / "dev" / f"{name}.files" / one.name).write_bytes(one.read_bytes())


def mounts(device, **where):
    """As the kernel tells them."""
    path = device.layout.at("proc/self/mounts")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{device.root / 'dev' / real} {folder} vfat rw 0 0\n" for real, folder in where.items()))


def named(device, site):
    return [path.name for path in stick.sticks(site)]


def test_a_stick_is_looked_into_read_only_and_let_go(device, site, tmp_path):
    plug(device, "usb-Stick_1-0:0", "sda")
    plug(device, "usb-Stick_1-0:0-part1", "sda1", [pack(tmp_path / "s", "1.0.2")])
    update.update(site, "usb")
    assert site.state.current[:5] == "1.0.2"
    done = [words[:3] for words in site.machine.calls if "mount" in words[0]]
    assert done == [["mount", "-o", "ro,nosuid,nodev,noexec"], ["umount", "--lazy", str(site.layout.spool / "stick")]]
    assert not site.layout.spool.exists()


def test_the_disk_that_the_system_runs_from_is_no_stick(device, site):
    """Many a Pi starts from a USB disk."""
    plug(device, "usb-Disk-0:0", "sda")
    plug(device, "usb-Disk-0:0-part1", "sda1")
    plug(device, "usb-Disk-0:0-part2", "sda2")
    mounts(device, sda1="/boot/firmware", sda2="/")
    with pytest.raises(OnboardError, match="no USB stick is plugged in"):
        stick.sticks(site)
    plug(device, "usb-Whole-0:0", "sdb")
    assert named(device, site) == ["usb-Whole-0:0"]


def test_the_one_that_holds_a_release_is_found_among_several(device, site, tmp_path):
    site.machine.broken = "Broken"
    for number, name in enumerate(("usb-Broken-part1", "usb-Empty-part1")):
        plug(device, name, f"sd{number}1")
    with pytest.raises(OnboardError, match=r"usb-Broken-part1, usb-Empty-part1: none of them holds a release .*usb-Broken-part1: cannot be looked into"):
        update.update(site, "usb")
    plug(device, "usb-Good-part1", "sdz1", [pack(tmp_path / "s", "1.0.2")])
    update.update(site, "usb")
    assert site.state.current[:5] == "1.0.2"
    assert site.machine.mounted == ""


def test_one_that_the_desktop_has_mounted_is_read_where_it_is(device, site, tmp_path):
    """A second time, and read-only, the kernel would not mount it."""
    plug(device, "usb-Stick-part1", "sda1")
    mounts(device, sda1=r"/media/pi/MY\040STICK")
    pack(device.root / "media/pi/MY STICK", "1.0.2")
    update.update(site, "usb")
    assert site.state.current[:5] == "1.0.2"
    assert not [words for words in site.machine.calls if words[0] == "mount"]


def test_a_stick_without_a_file_system_is_said_in_words_that_help(device, site, monkeypatch):
    site.machine.broken = "part1"
    plug(device, "usb-Raw-part1", "sda1")
    with pytest.raises(OnboardError, match=r"usb-Raw-part1: cannot be looked into; it needs a file system, such as FAT or ext4"):
        update.update(site, "usb")
    assert not site.layout.spool.exists()


def test_a_stick_without_a_release_is_called_by_its_name(device, site):
    plug(device, "usb-Empty-part1", "sda1")
    with pytest.raises(OnboardError, match=r"usb-Empty-part1: holds no platewatch-\*\.tar with its \.minisig; copy both there"):
        update.update(site, "usb")


@pytest.mark.parametrize("act", [lambda site, packed: update.update(site, str(packed)), lambda site, packed: resume.order(site)], ids=["update", "start"])
def test_one_that_a_broken_connection_left_mounted_is_let_go_first(site, tmp_path, act):
    """It lies below the folder that is cleared, with its owner's photographs."""
    folder = site.layout.spool / "stick"
    folder.mkdir(parents=True)
    site.machine.mounted = str(folder)
    act(site, pack(tmp_path / "s", "1.0.2"))
    assert ["umount", "--lazy", str(folder)] in site.machine.calls
    assert not site.layout.spool.exists()


def test_clearing_what_is_not_there_is_nothing(site):
    sources.clear(site)
    assert site.machine.calls == []
