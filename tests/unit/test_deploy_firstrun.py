"""firstrun.sh and rpi-preseed.toml: what Imager wrote stays, ours is added where it is run, once."""

from __future__ import annotations

import re
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.card.merge import cmdline, firstrun
from deploy.card.merge.merged import LATER, NotMerged
from deploy.card.merge.preseed import COMMAND, preseed
from deploy.device.settings import Wifi
from tests.cards import BOOKWORM_LINE, HASH, IMAGER_FIRSTRUN, IMAGER_PRESEED, KEY, OLD_INIT, PLAIN, SETTINGS

TWICE = "sh /boot/firmware/platewatch/firstboot.sh"
HOSTILE = replace(SETTINGS, wifi=Wifi('it\'s $(touch /tmp/no) `x` "y" \\', "pass'word $HOME", "DE", security="wpa3"))


def script(content, settings=SETTINGS):
    return firstrun.script(content, settings).content.decode()


def sandboxed(text: str, tmp_path: Path, *, imager: bool, lines: int | None = None) -> tuple[list[str], Path]:
    """Runs a script with every path below tmp_path, or so many lines of it; programs only write down how they were called."""
    root = tmp_path / "root"
    for folder in (
        "boot/firmware/platewatch",
        "etc/ssh",
        "home/owner/.ssh",
        "usr/lib/raspberrypi-sys-mods",
        "usr/lib/userconf-pi",
        "bin",
        "var/lib/systemd/rfkill",
    ):
        (root / folder).mkdir(parents=True)
    calls = root / "calls"
    for name in ("systemctl", "rfkill", "raspi-config", "getent", "usermod", "useradd", "groupmod", "chpasswd", "chown", "install"):
        (root / "bin" / name).write_text(f'#!/bin/sh\nprintf "%s" "{name}" >>{calls}; for a; do printf "|%s" "$a" >>{calls}; done; echo >>{calls}\n')
        (root / "bin" / name).chmod(0o755)
    for path in (firstrun.IMAGER, firstrun.USERCONF) if imager else ():
        (root / path.lstrip("/")).write_text((root / "bin/systemctl").read_text().replace("systemctl", Path(path).name))
        (root / path.lstrip("/")).chmod(0o755)
    (root / "boot/firmware/platewatch/firstboot.sh").write_text(f"echo kit >>{calls}\n")
    (root / "boot/firmware/cmdline.txt").write_text(f"{BOOKWORM_LINE} {' '.join(firstrun.WORDS)}\n")
    (root / "etc/hosts").write_text("127.0.1.1\traspberrypi\n")
    (root / "etc/ssh/sshd_config").write_text("")
    led = re.sub(r"(?<![\w.])/(boot|etc|home|usr|var)/", rf"{root}/\1/", text)
    (root / "boot/firmware/firstrun.sh").write_text(led)
    (root / "run.sh").write_text("".join(led.splitlines(keepends=True)[:lines]))
    told = {"PATH": f"{root}/bin:/usr/bin:/bin", "HOME": str(root)}
    done = subprocess.run(["sh", str(root / "run.sh")], capture_output=True, text=True, check=False, env=told)
    assert done.returncode == 0, done.stderr
    return calls.read_text().splitlines() if calls.exists() else [], root


@pytest.mark.parametrize("settings", [SETTINGS, PLAIN, HOSTILE, replace(SETTINGS, ssh_keys=())])
@pytest.mark.parametrize("content", [None, IMAGER_FIRSTRUN.encode()])
def test_it_is_a_shell_script(tmp_path, settings, content):
    path = tmp_path / "firstrun.sh"
    path.write_text(script(content, settings))
    assert subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True, check=False).stderr == ""


def test_run_where_imagers_helpers_are_it_tells_them_everything_and_takes_itself_away(tmp_path):
    calls, root = sandboxed(script(None), tmp_path, imager=True)
    assert "imager_custom|set_hostname|gate" in calls
    assert f"userconf|owner|{HASH}" in calls
    assert "imager_custom|enable_ssh|-k" in calls
    assert f"imager_custom|set_wlan|-h|{SETTINGS.wifi.ssid}|{'ab' * 32}|DE" in calls
    assert "imager_custom|set_keymap|de" in calls
    assert "imager_custom|set_timezone|Europe/Berlin" in calls
    assert "raspi-config|nonint|do_change_locale|de_DE.UTF-8" in calls
    assert calls[-1] == "kit"
    assert (root / "home/owner/.ssh/authorized_keys").read_text() == KEY + "\n"
    assert not (root / "boot/firmware/firstrun.sh").exists()
    assert (root / "boot/firmware/cmdline.txt").read_text() == BOOKWORM_LINE + "\n"


def test_run_where_they_are_not_it_does_it_itself(tmp_path):
    calls, root = sandboxed(script(None), tmp_path, imager=False)
    assert (root / "etc/hostname").read_text() == "gate\n"
    assert (root / "etc/hosts").read_text() == "127.0.1.1\tgate\n"
    assert f"usermod|-p|{HASH}|owner" in calls
    assert "systemctl|enable|ssh" in calls
    assert calls[-1] == "kit"


def test_run_again_after_a_power_cut_it_adds_no_key_twice(tmp_path):
    _, root = sandboxed(script(None), tmp_path, imager=True)
    (root / "boot/firmware/firstrun.sh").write_text(re.sub(r"(?<![\w.])/(boot|etc|home|usr|var)/", rf"{root}/\1/", script(None)))
    subprocess.run(["sh", str(root / "boot/firmware/firstrun.sh")], check=True, capture_output=True, env={"PATH": f"{root}/bin:/usr/bin:/bin"})
    assert (root / "home/owner/.ssh/authorized_keys").read_text() == KEY + "\n"


def test_names_with_signs_of_the_shell_reach_the_helper_as_they_are(tmp_path):
    calls, _ = sandboxed(script(None, HOSTILE), tmp_path, imager=True)
    assert f"imager_custom|set_wlan|-p|{HOSTILE.wifi.ssid}|{HOSTILE.wifi.key}|DE" in calls


def mended(text: str) -> str:
    """As Bookworm's initramfs leaves a script that was written for /boot."""
    kept = subprocess.run(["sed", "-n", r"/rm.*firstrun\.sh$/q;p"], input=text, capture_output=True, text=True, check=True).stdout
    return kept + "\n".join(firstrun.TAIL) + "\n"


@pytest.mark.parametrize("content", [None, IMAGER_FIRSTRUN.encode()])
def test_cut_after_any_line_the_next_start_runs_the_script_or_finds_the_kit_begun(tmp_path, content):
    """A command line that runs a script which is gone switches the machine off for ever: FailureAction=exit is systemd's own."""
    text = script(content) if content is None else mended(script(content))
    lines, seen = text.splitlines(), set()
    for many in range(len(lines) + 1):
        part = "\n".join(lines[:many])
        if subprocess.run(["sh", "-n"], input=part, capture_output=True, text=True, check=False).returncode:
            continue  # within an if
        calls, root = sandboxed(text, tmp_path / str(many), imager=True, lines=many)
        runs = "systemd.run=" in (root / "boot/firmware/cmdline.txt").read_text()
        there = (root / "boot/firmware/firstrun.sh").exists()
        assert there or not runs, f"cut after line {many}"
        assert runs or calls[-1] == "kit", f"cut after line {many}"
        seen.add((runs, there))
    assert seen == {(True, True), (False, True), (False, False)}


def test_what_imager_wrote_stays_and_only_what_it_lacks_is_added():
    done = firstrun.script(IMAGER_FIRSTRUN.encode(), SETTINGS)
    told = done.content.decode()
    assert [line for line in told.splitlines() if line in IMAGER_FIRSTRUN.splitlines()][: len(IMAGER_FIRSTRUN.splitlines())]
    added = told[told.index(firstrun.BEGIN) : told.index(firstrun.END)]
    assert told.replace(added + firstrun.END + "\n", "") == IMAGER_FIRSTRUN
    assert "set_hostname" not in added
    assert "set_wlan" not in added
    assert "userconf" not in added
    assert "enable_ssh" in added
    assert told.index(TWICE) < told.index("rm -f /boot/firstrun.sh")
    assert len(done.notes) == 3


def test_a_second_time_changes_nothing_and_other_settings_take_the_place_of_ours():
    once = script(IMAGER_FIRSTRUN.encode())
    assert script(once.encode()) == once
    assert script(script(None).encode()) == script(None)
    other = script(script(None).encode(), replace(SETTINGS, name="yard"))
    assert "set_hostname yard" in other
    assert "gate" not in other


def test_the_images_own_mending_of_the_script_leaves_the_kit_in():
    """Bookworm's initramfs cuts a script that was written for /boot where it removes itself, and writes the end anew."""
    told = script(IMAGER_FIRSTRUN.encode())
    kept = mended(told)
    assert TWICE in kept
    assert kept.count(firstrun.TAIL[0]) == 1
    assert subprocess.run(["sh", "-n"], input=kept, capture_output=True, text=True, check=False).stderr == ""


@pytest.mark.parametrize("content", [b"#!/usr/bin/python3\nprint()\n", b"\x7fELF\xff", b"#!/bin/sh\n# platewatch begin\nexit 0\n"])
def test_what_is_no_shell_script_is_refused(content):
    with pytest.raises(NotMerged, match="write the card anew"):
        firstrun.script(content, SETTINGS)


def test_the_command_line_starts_the_script_once_and_stays_one_line():
    line = f"{BOOKWORM_LINE} {OLD_INIT}\n".encode()
    told = firstrun.cmdline(line).content
    assert told.decode() == f"{BOOKWORM_LINE} {OLD_INIT} {' '.join(firstrun.WORDS)}\n"
    assert firstrun.cmdline(told).content == told
    imager = f"{BOOKWORM_LINE} systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target\n".encode()
    assert firstrun.cmdline(imager).content == imager
    assert firstrun.script_name(imager) == firstrun.script_name(told) == firstrun.script_name(line) == "firstrun.sh"


def test_a_script_of_another_name_is_added_to_and_one_elsewhere_refused():
    assert firstrun.script_name(b"root=x systemd.run=/boot/firmware/mine.sh\n") == "mine.sh"
    with pytest.raises(NotMerged, match="/root/x"):
        firstrun.script_name(b"root=x systemd.run=/root/x.sh\n")


@pytest.mark.parametrize(
    ("line", "after", "notes"),
    [
        ("root=x rootwait", "root=x rootwait cgroup_enable=memory", 0),
        ("root=x cgroup_enable=cpuset", "root=x cgroup_enable=cpuset cgroup_enable=memory", 0),
        ("root=x cgroup_memory=1", "root=x cgroup_memory=1 cgroup_enable=memory", 0),
        ("root=x cgroup_enable=cpuset,memory y", "root=x cgroup_enable=cpuset,memory y", 0),
        ("root=x cgroup_disable=memory", "root=x cgroup_disable=memory", 1),
        ("root=x systemd.run=/boot/firstrun.sh systemd.unit=y", "root=x cgroup_enable=memory systemd.run=/boot/firstrun.sh systemd.unit=y", 0),
        ("root=x   rootwait\r", "root=x rootwait cgroup_enable=memory", 0),
    ],
)
def test_memory_is_counted_unless_somebody_forbade_it(line, after, notes):
    done = cmdline.with_memory(f"{line}\n".encode())
    assert (done.content.decode(), len(done.notes)) == (after + "\n", notes)
    assert cmdline.with_memory(done.content).content == done.content


def test_imagers_own_script_takes_none_of_our_words_away(tmp_path):
    """It cuts the line off from ` systemd.run` on."""
    line = cmdline.with_memory(cmdline.with_words(b"root=x systemd.run=/boot/firstrun.sh systemd.unit=y\n", ["regdom=DE"]).content).content
    (tmp_path / "line").write_bytes(line)
    subprocess.run(["sed", "-i", "s| systemd.run.*||g", str(tmp_path / "line")], check=True)
    assert (tmp_path / "line").read_text().split() == ["root=x", "regdom=DE", "cgroup_enable=memory"]


def test_words_are_added_to_the_command_line_only_where_their_name_is_not_there():
    told = cmdline.with_words(b"a=1 b\n", ["a=2", "c=3"])
    assert told.content == b"a=1 b c=3\n"
    for broken in (None, b"", b"a\nb\n", b"\xff"):
        with pytest.raises(NotMerged):
            cmdline.with_words(broken, [])


def test_preseed_keeps_what_is_there_with_its_comments_and_starts_the_kit():
    done = preseed(IMAGER_PRESEED.encode(), SETTINGS)
    text, told = done.content.decode(), tomllib.loads(done.content.decode())
    assert "# as wished" in text
    assert told["system"]["hostname"] == "porch"
    assert told["wlan"]["ssid"] == "Porch"
    assert told["user"] == {"name": "owner", "password": HASH, "password_encrypted": True, "passwordless_sudo": True}
    assert told["ssh"]["authorized_keys"] == [KEY]
    assert told["runcmd"]["early"] == ["systemctl enable my-service.service", LATER, COMMAND]
    assert len(done.notes) == 2
    assert preseed(done.content, SETTINGS).content == done.content


def test_preseed_of_nothing_holds_everything_on_single_lines():
    """Its reader on the device takes no strings of several lines."""
    text = preseed(None, SETTINGS).content.decode()
    told = tomllib.loads(text)
    assert told["config_version"] == "1.0"
    assert told["wlan"] == {
        "ssid": SETTINGS.wifi.ssid, "password": "ab" * 32, "password_encrypted": True, "hidden": True, "country": "DE", "key_mgmt": "wpa-psk"
    }  # fmt: skip
    assert told["locale"] == {"timezone": "Europe/Berlin", "keymap": "de", "locales": ["de_DE.UTF-8"], "lang": "de_DE.UTF-8"}
    assert '"""' not in text
    assert "'''" not in text
    assert told["runcmd"]["early"] == [LATER, COMMAND]  # what is waited for comes first: then they are noted as done


@pytest.mark.parametrize("text", ["x = [", "runcmd = 3\n", "[runcmd]\nearly = 'x'\n", "user = 1\n"])
def test_a_preseed_of_another_kind_is_refused(text):
    with pytest.raises(NotMerged, match="rpi-preseed"):
        preseed(text.encode(), SETTINGS)
