"""The kernel's word by which memory is counted: asked for on a Raspberry Pi alone, once, and taken away only where it is ours."""

from __future__ import annotations

import pytest

from deploy.onboard import cmdline, uninstall
from deploy.onboard.cli import main
from tests.onboard import TRUSTED, Device, Power, cut, make_kit, pack

LINE = "console=tty1 root=PARTUUID=4d8fd085-02 rootwait"
pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def pi(tmp_path):
    """Pi OS as it is: it counts no memory."""
    device = Device.bare(tmp_path / "device")
    for name, text in {
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n",
        cmdline.PLACE: LINE + "\n",
    }.items():
        (device.root / name).parent.mkdir(parents=True, exist_ok=True)
        (device.root / name).write_text(text)
    device.layout.own.mkdir(mode=0o700)
    return device


def line(device):
    return (device.root / cmdline.PLACE).read_text()


def test_an_installation_asks_for_it_and_tells_when_it_is_in_force(pi, tmp_path):
    keys = tmp_path / "keys.pub"
    keys.write_text(TRUSTED)
    assert main(["install", str(pack(tmp_path, "1.0.1")), "--trusted", str(keys)], pi.site()) == 0
    assert line(pi) == f"{LINE} {cmdline.WORD}\n"
    assert [words for words in pi.said if cmdline.WORD in words and "from the next start on" in words]
    uninstall.uninstall(pi.site())
    assert line(pi) == LINE + "\n"


def test_a_second_time_changes_nothing_and_says_nothing(pi):
    cmdline.ask(pi.site())
    said, after = list(pi.said), line(pi)
    cmdline.ask(pi.site())
    assert (pi.said, line(pi)) == (said, after)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("proc/device-tree/model", "Some Other Board\0"),
        ("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"),
        (cmdline.PLACE, f"{LINE} cgroup_disable=memory\n"),
        (cmdline.PLACE, f"{LINE} cgroup_enable=cpuset,memory\n"),
        (cmdline.PLACE, f"{LINE}\nand another line\n"),
        (cmdline.PLACE, ""),
    ],
)
def test_what_is_no_pi_or_counts_already_or_forbids_it_or_is_no_line_is_left_alone(pi, name, text):
    (pi.root / name).write_text(text)
    before = line(pi)
    cmdline.ask(pi.site())
    cmdline.take_back(pi.site())
    assert (line(pi), pi.said) == (before, [])
    assert not (pi.layout.own / cmdline.ADDED).exists()


def test_a_machine_without_such_files_is_left_alone(tmp_path):
    device = Device.bare(tmp_path / "device")
    cmdline.ask(device.site())
    assert device.said == []
    assert not (device.root / "boot").exists()


def test_a_word_that_somebody_else_wrote_stays(pi):
    (pi.root / cmdline.PLACE).write_text(f"{LINE} {cmdline.WORD}\n")
    cmdline.ask(pi.site())
    cmdline.take_back(pi.site())
    assert line(pi) == f"{LINE} {cmdline.WORD}\n"


def test_a_word_that_came_with_the_kit_is_ours_and_goes_with_us(pi, tmp_path):
    (pi.root / cmdline.PLACE).write_text(f"{LINE} {cmdline.WORD} quiet\n")
    kit = make_kit(pi.root / "boot/firmware", pack(tmp_path, "1.0.1"))
    (kit / cmdline.ADDED).write_text(cmdline.WORD + "\n")
    pi.first_start()
    assert not (kit / cmdline.ADDED).exists()
    assert line(pi) == f"{LINE} {cmdline.WORD} quiet\n"
    uninstall.uninstall(pi.site(), keep_data=True)
    assert line(pi) == f"{LINE} quiet\n"


def test_a_command_line_that_cannot_be_written_stops_nothing(pi, monkeypatch):
    def read_only(*_):
        raise OSError(30, "Read-only file system", str(pi.root / cmdline.PLACE))

    site = pi.site()
    with monkeypatch.context() as patch:
        patch.setattr(cmdline.disk, "write_whole", lambda path, *words: read_only() if path.name == "cmdline.txt" else None)
        cmdline.ask(site)
    assert line(pi) == LINE + "\n"
    assert "can only be read" in pi.said[-1]
    assert len(pi.said) == 1


def test_cut_at_any_moment_the_line_is_whole_and_no_word_of_ours_is_forgotten(pi, tmp_path):
    """The same is said again after the cut, as the unit of the first start and that of an uninstallation do."""
    for act, after in ((cmdline.ask, f"{LINE} {cmdline.WORD}\n"), (uninstall.uninstall, LINE + "\n")):
        power = Power(pi.root)
        whole = pi.copy(tmp_path / f"whole-{act.__name__}")
        act(whole.site(power))
        assert line(whole) == after
        for at in range(1, power.count + 1):
            device = pi.copy(tmp_path / f"{act.__name__}-{at}")
            assert cut(device.root, at, lambda power, device=device, act=act: act(device.site(power)))
            assert line(device) in (LINE + "\n", f"{LINE} {cmdline.WORD}\n")
            act(device.site())
            assert line(device) == after
        pi = whole
