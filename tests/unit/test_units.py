"""The systemd units: valid to systemd itself, hardened, and such as a release may hold."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from deploy.cli import main
from deploy.onboard import units as onboard
from deploy.onboard.layout import RESUME, SERVICES, Layout
from deploy.onboard.tarball import MEMBERS
from deploy.units import optional

SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")


@pytest.fixture
def folder(tmp_path):
    """All of a release's, for a root that is there."""
    program = tmp_path / "root/.venv/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    config = "/etc/platewatch/platewatch.toml"
    assert main(["units", "--out", str(tmp_path / "units"), "--root", str(tmp_path / "root"), "--config", config, "--user", "daemon"]) == 0
    return tmp_path / "units"


@pytest.fixture
def units(folder):
    return [folder / name for name in ("platewatch-web.service", "platewatch.service")]


def read(path):
    """{section: {key: [values]}}."""
    found, section = {}, {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return found


def test_there_is_one_for_the_daemon_and_one_for_the_page(units, tmp_path):
    assert main(["units", "--out", str(tmp_path / "two"), "--only", "services"]) == 0
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == [path.name for path in units]
    # $MAINPID is systemd's own; every other one would be a key that nobody filled in.
    assert not any("$" in path.read_text().replace("$MAINPID", "") for path in units)
    assert "ExecReload=/bin/kill -HUP $MAINPID" in units[1].read_text()


def test_a_release_may_hold_all_of_them_and_each_has_its_place_on_the_device(folder, tmp_path):
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    assert all(MEMBERS["release"].fullmatch(f"units/{name}") for name in names)
    assert {name.split("/")[0] for name in names if "/" in name} <= set(onboard.PLACES)
    layout = Layout(tmp_path / "device")
    layout.release("x").mkdir(parents=True)
    shutil.copytree(folder, layout.release("x") / "units")
    layout.current.symlink_to("releases/x")
    assert onboard.services(layout) == ["platewatch-trial.timer", *sorted(SERVICES)]


def test_the_page_may_write_the_folder_of_the_config_and_the_daemon_may_not(units, tmp_path):
    """A folder that others share is never opened; then the settings are read there, and no more."""
    page, daemon = (path.read_text() for path in units)
    assert "\nReadWritePaths=-/etc/platewatch\n" in page
    assert "ReadWritePaths" not in daemon
    assert "\nSuccessExitStatus=75\n" in daemon
    for config in ("/etc/platewatch.toml", "/boot/firmware/platewatch.toml"):
        assert main(["units", "--out", str(tmp_path / "other"), "--config", config]) == 0
        assert "ReadWritePaths" not in (tmp_path / "other/platewatch-web.service").read_text()


def test_a_helper_that_memory_runs_out_for_does_not_take_the_daemon_along_and_its_threads_may_give_way(units):
    page, daemon = (path.read_text() for path in units)
    assert "\nOOMPolicy=continue\n" in daemon
    assert daemon.index("SystemCallFilter=~@privileged @resources\n") < daemon.index("\nSystemCallFilter=setpriority\n")
    weights = [int(re.search(r"^CPUWeight=(\d+)$", text, re.MULTILINE)[1]) for text in (daemon, page)]
    assert weights[0] >= 10 * weights[1]


@SYSTEMD
def test_systemd_has_nothing_to_say_about_them(folder):
    """`verify` returns 0 on unknown keys: its silence is what counts."""
    assert main(["units", "--out", str(folder), "--only", "data"]) == 0
    (folder / RESUME).write_text("[Service]\nExecStart=/bin/true\n")
    for path in (path for path in sorted(folder.iterdir()) if path.is_file()):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if path.name in line] == []


@SYSTEMD
def test_they_are_hardened_with_the_camera_included(units):
    for path in units:
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)], capture_output=True, text=True, check=False)
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        if exposure is None:
            pytest.skip("this systemd cannot analyse a file offline")
        assert float(exposure.group(1)) <= 1.5


def test_the_devices_of_camera_and_relay_are_open_to_the_daemon_and_none_to_the_page(units):
    page, daemon = (read(path)["Service"] for path in units)
    wanted = {"char-video4linux rw", "char-media rw", "char-dma_heap rw", "/dev/vcio rw", "char-gpiochip rw"}
    assert set(daemon["DeviceAllow"]) == wanted
    assert daemon["DevicePolicy"] == ["closed"]
    assert page["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in page
    # lgpio puts a pipe into its working directory; this is the variable that leads it elsewhere.
    assert daemon["Environment"] == ["LG_WD=/run/platewatch"]
    assert daemon["RuntimeDirectory"] == ["platewatch"]


def test_in_all_that_is_scarce_the_page_stands_behind_the_daemon(units):
    page, daemon = (read(path)["Service"] for path in units)
    for key in ("CPUWeight", "IOWeight"):
        assert int(daemon[key][0]) >= 10 * int(page[key][0])
    assert int(page["MemoryMax"][0].removesuffix("M")) < int(daemon["MemoryMax"][0].removesuffix("M"))
    assert int(daemon["OOMScoreAdjust"][0]) < 0 < int(page["OOMScoreAdjust"][0])


def test_both_begin_anew_whatever_ended_them_and_as_often_as_it_takes(units):
    for path in units:
        found = read(path)
        assert found["Service"]["Restart"] == ["always"]
        assert found["Unit"]["StartLimitIntervalSec"] == ["0"]
        # The clock stands where it stood when the device was last on; a network is never waited for.
        assert found["Unit"]["After"] == ["network.target time-set.target"]


def test_the_boards_watchdog_is_one_that_the_board_has_and_the_journal_has_a_bound(folder):
    found = configparser.ConfigParser()
    found.optionxform = str
    found.read([folder / "system.conf.d/platewatch.conf", folder / "journald.conf.d/platewatch.conf"])
    assert 5 <= int(found["Manager"]["RuntimeWatchdogSec"].removesuffix("s")) <= 15
    assert found["Journal"]["Storage"] == "persistent"
    assert int(found["Journal"]["SystemMaxUse"].removesuffix("M")) <= 64
    # Pi OS Trixie's own file says volatile; of two that say something the later name counts.
    assert (folder / "journald.conf.d/platewatch.conf").name > "40-rpi-volatile-storage.conf"


def test_the_timer_wakes_the_judge_only_where_something_is_on_trial(folder, tmp_path):
    from deploy.onboard import state
    from deploy.onboard.state import State, Trial

    service = read(folder / "platewatch-trial.service")["Service"]
    assert service["ExecStart"] == [f"/bin/systemctl start --no-block {RESUME}"]
    condition = service["ExecCondition"][0]
    layout = Layout(tmp_path / "device")
    for on_trial in (None, Trial("x", "y")):
        state.save(layout, State(trial=on_trial))
        words = re.fullmatch(r'(\S+) -q -F "(.*)" (\S+)', condition)
        command = [words[1], "-q", "-F", words[2].replace('\\"', '"'), str(layout.at(words[3]))]
        assert (subprocess.run(command, check=False).returncode == 0) is (on_trial is not None)


def test_the_mount_units_are_named_as_systemd_wants_it_and_hold_all_that_changes(tmp_path):
    assert main(["units", "--out", str(tmp_path), "--only", "data", "--label", "my-data"]) == 0
    for path in tmp_path.iterdir():
        found = read(path)
        assert path.name == f"{optional.escaped(found['Mount']['Where'][0])}.mount"
        # A partition that is missing stops our services, not the machine: nobody could mend it from afar.
        assert found["Install"] == {"WantedBy": ["local-fs.target"]}
    assert read(tmp_path / "data.mount")["Mount"]["What"] == ["/dev/disk/by-label/my-data"]
    assert {"/etc/platewatch", "/opt/platewatch", "/var/lib/platewatch", "/var/lib/platewatch-deploy", "/var/lib/systemd/timesync"} <= set(optional.MOVED)


@pytest.mark.skipif(shutil.which("systemd-escape") is None, reason="systemd is not on this machine")
@pytest.mark.parametrize("path", [*optional.MOVED, "/dev/disk/by-label/my-data", "/a.b/.c_d:e", "/.hidden", "/größe"])
def test_paths_are_escaped_as_systemd_does(path):
    assert optional.escaped(path) == subprocess.run(["systemd-escape", "--path", path], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(("more", "told"), [("", ("_http._tcp", "8080")), ('port = 8443\ntls = "own"\n', ("_https._tcp", "8443"))])
def test_the_page_is_announced_where_it_is(tmp_path, more, told):
    config = tmp_path / "platewatch.toml"
    config.write_text(f'[web]\nhost = "0.0.0.0"\nsetup_code_file = "code"\n{more}')
    assert main(["units", "--out", str(tmp_path / "services"), "--only", "mdns", "--config", str(config)]) == 0
    service = ElementTree.parse(tmp_path / "services/platewatch.service").getroot().find("service")
    assert (service.findtext("type"), service.findtext("port")) == told


def test_a_page_for_this_machine_alone_is_not_announced(tmp_path, capsys):
    (tmp_path / "platewatch.toml").write_text("[web]\nport = 8080\n")
    assert main(["units", "--out", str(tmp_path / "services"), "--only", "mdns", "--config", str(tmp_path / "platewatch.toml")]) == 1
    assert "web.host is 127.0.0.1" in capsys.readouterr().err
    assert not (tmp_path / "services").exists()


@pytest.mark.parametrize(
    "words", [["--root", "relative"], ["--config", "/etc/plate watch.toml"], ["--user", "Plate Watch"], ["--only", "data", "--label", "a b"]]
)
def test_what_cannot_stand_in_a_unit_is_one_sentence(tmp_path, capsys, words):
    assert main(["units", "--out", str(tmp_path), *words]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
