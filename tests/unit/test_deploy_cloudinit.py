"""cloud-init's files: what was there stays, comments too; what is added is what a YAML reader finds."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from deploy.card.merge.cloudinit import COMMAND, NET, meta_data, network_config, user_data
from deploy.card.merge.merged import START, NotMerged
from deploy.onboard.layout import FIRSTBOOT
from deploy.release import pyz
from tests.cards import HASH, IMAGER_1, IMAGER_2, IMAGER_2_USER, IMAGER_NETWORK, KEY, PLAIN, SETTINGS, STOCK_META, STOCK_NETWORK, STOCK_USER_DATA
from tests.onboard import Device, make_kit, pack

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
START_COMMAND = ["sh", START]


def merged(text):
    return user_data(text.encode(), SETTINGS).content.decode()


@pytest.mark.parametrize(
    "before", [STOCK_USER_DATA, IMAGER_1, IMAGER_2, IMAGER_2_USER, "#cloud-config\n", "#cloud-config", "#cloud-config\n---\nhostname: x\n"]
)
def test_everything_that_was_there_is_still_there_and_the_kit_is_started_once(before):
    told, was = yaml.safe_load(merged(before)), yaml.safe_load(before) or {}
    for key, value in was.items():
        if isinstance(value, list):
            assert told[key][: len(value)] == value
        elif key != "ssh_pwauth":
            assert told[key] == value
    assert told["runcmd"].count(START_COMMAND) == 1
    assert told["runcmd"][-1] == START_COMMAND
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in merged(before).splitlines() if line.startswith("#") and "platewatch" not in line
    ]


@pytest.mark.parametrize("before", ["", "bootcmd:\n- echo a\n", "bootcmd: [ [ sh, -c, 'echo [' ], b ]\n", "bootcmd: []\n"])
def test_the_net_is_one_more_command_of_every_start_and_stays_one(before):
    text = f"#cloud-config\n{before}"
    was = (yaml.safe_load(text) or {}).get("bootcmd", [])
    told = yaml.safe_load(merged(merged(text)))["bootcmd"]
    assert told[:-1] == was
    assert told[-1] == yaml.safe_load(NET)


@pytest.fixture
def early(tmp_path):
    """Runs the net as cloud-init's bootcmd does, on a device below tmp_path, with the updater as one file; its exit code."""
    device = Device.bare(tmp_path / "device")
    make_kit(device.root / "boot/firmware", pack(tmp_path / "packs", "1.0.1"))
    pyz.build(device.root / "boot/firmware/platewatch/onboard.pyz")

    def act():
        words = yaml.safe_load(NET)
        led = words[-1].replace("/boot/", f"{device.root}/boot/").replace(" firstboot ", f" --root {device.root} firstboot ").replace("python3", sys.executable)
        done = subprocess.run([*words[:-1], led], capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode

    return device, act


def test_the_net_lets_the_next_start_go_on_though_the_one_command_was_lost(early):
    """cloud-init notes `runcmd` as done before it runs, and neither note nor script is waited for to be on the disk."""
    device, act = early
    assert act() == 0
    assert (device.layout.units / f"multi-user.target.wants/{FIRSTBOOT}").is_symlink()
    assert device.site().state.firstboot == ""
    assert not (device.root / "boot/firmware/platewatch-log.txt").exists()
    before = device.tree()
    assert act() == 0
    assert device.tree() == before


def test_the_net_does_nothing_where_all_is_done_or_nothing_is_there(early):
    device, act = early
    device.layout.own.mkdir(mode=0o700)
    device.site().note(firstboot="done")
    before = device.tree()
    assert act() == 0
    shutil.rmtree(device.root / "boot/firmware/platewatch")
    assert act() == 0
    assert device.tree() == before


@pytest.mark.parametrize("before", [STOCK_USER_DATA, IMAGER_1, IMAGER_2, IMAGER_2_USER, "#cloud-config"])
def test_a_second_time_changes_nothing(before):
    assert merged(merged(before)) == merged(before)


def test_a_file_that_only_has_examples_gets_everything():
    told = yaml.safe_load(merged(STOCK_USER_DATA))
    assert (told["hostname"], told["timezone"], told["locale"], told["manage_etc_hosts"]) == ("gate", "Europe/Berlin", "de_DE.UTF-8", True)
    assert told["keyboard"] == {"model": "pc105", "layout": "de"}
    (owner,) = told["users"]
    assert owner["name"] == "owner"
    assert owner["passwd"] == HASH
    assert owner["ssh_authorized_keys"] == [KEY]
    assert "sudo" in owner["groups"].split(",")
    assert told["ssh_pwauth"] is False


def test_where_there_is_no_file_one_is_made():
    text = user_data(None, PLAIN).content.decode()
    assert text.startswith("#cloud-config\n")
    assert text.endswith("\n")
    told = yaml.safe_load(text)
    assert told["users"][0]["lock_passwd"] is True
    assert "passwd" not in told["users"][0]
    assert "timezone" not in told


def test_what_imager_was_told_stays_and_is_named():
    done = user_data(IMAGER_2.encode(), SETTINGS)
    told = yaml.safe_load(done.content)
    assert told["hostname"] == "porch"
    assert told["keyboard"]["layout"] == "gb"
    assert [user["name"] for user in told["users"]] == ["anna", "owner"]
    assert any("porch" in note and "gate" in note for note in done.notes)


def test_the_same_user_is_not_made_twice():
    from dataclasses import replace

    done = user_data(IMAGER_2.encode(), replace(SETTINGS, user="anna"))
    assert [user["name"] for user in yaml.safe_load(done.content)["users"]] == ["anna"]
    assert any("anna" in note for note in done.notes)
    done = user_data(IMAGER_2_USER.encode(), replace(SETTINGS, user="so6"))
    assert "users" not in yaml.safe_load(done.content)
    assert yaml.safe_load(done.content)["runcmd"][-1] == START_COMMAND


def test_imagers_own_user_is_still_made_beside_ours():
    """`users` without `default` would drop whom `user:` names."""
    told = yaml.safe_load(merged(IMAGER_2_USER))
    assert told["users"][0] == "default"
    assert told["users"][1]["name"] == "owner"
    assert told["runcmd"] == [["sh", "-c", "echo ]"], "reboot-not", ["systemctl", "enable", "--now", "ssh"], START_COMMAND]


def test_with_a_password_alone_the_images_own_ssh_pwauth_gives_way_but_nobodys_else():
    from dataclasses import replace

    by_password = replace(SETTINGS, ssh_keys=())
    told = user_data(STOCK_USER_DATA.encode(), by_password).content.decode()
    assert yaml.safe_load(told)["ssh_pwauth"] is True
    assert "# platewatch kept: ssh_pwauth: false" in told
    assert yaml.safe_load(user_data(told.encode(), SETTINGS).content)["ssh_pwauth"] is False
    assert yaml.safe_load(user_data(IMAGER_2.encode(), by_password).content)["ssh_pwauth"] is False


def test_settings_that_changed_take_the_place_of_those_of_before():
    from dataclasses import replace

    told = user_data(merged(STOCK_USER_DATA).encode(), replace(SETTINGS, name="yard", user="other")).content.decode()
    assert yaml.safe_load(told)["hostname"] == "yard"
    assert [user["name"] for user in yaml.safe_load(told)["users"]] == ["other"]
    assert "owner" not in told.replace("owner@desk", "")


def test_line_ends_of_windows_stay():
    told = user_data(IMAGER_2.replace("\n", "\r\n").encode(), SETTINGS).content
    assert b"\n" not in told.replace(b"\r\n", b"")
    assert yaml.safe_load(told)["runcmd"][-1] == START_COMMAND


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\necho hello\n",
        "Content-Type: multipart/mixed\n",
        "#cloud-config\n{hostname: x}\n",
        "#cloud-config\nruncmd: &a\n- x\n",
        "#cloud-config\nruncmd: null\n",
        "#cloud-config\nbootcmd: null\n",
        "#cloud-config\nbootcmd: &a\n- x\n",
        "#cloud-config\nbootcmd: echo x\n",
        "#cloud-config\nbootcmd:\n  a: b\n",
        "#cloud-config\nhostname: a\nhostname: b\n",
        "#cloud-config\n<<: {a: 1}\n",
        "#cloud-config\nruncmd: [ a, 'b\n",
        "#cloud-config\n\truncmd:\n",
        "#cloud-config\nruncmd: |\n  - a\n",
        "#cloud-config\nruncmd:\n  a: b\n",
        "#cloud-config\n# platewatch begin\nhostname: x\n",
        "#cloud-config\nhostname: a\n...\n---\nx: y\n",
    ],
)
def test_what_cannot_be_added_to_safely_is_refused_in_one_sentence(text):
    with pytest.raises(NotMerged) as error:
        user_data(text.encode(), SETTINGS)
    assert len(str(error.value).splitlines()) == 1


def test_what_is_no_text_is_refused():
    with pytest.raises(NotMerged, match="UTF-8"):
        user_data(b"#cloud-config\nhostname: \xff\n", SETTINGS)


@pytest.mark.parametrize(
    "flow",
    ["[]", "[ ]", "[a, b]", "[ a, 'it''s ] [', \"x \\\" ]\" ]", "[a, b, ]", "[\n  a, # one ]\n  b\n  ]", "[[sh, -c, 'x'], {a: b}]  # why"],
)
def test_lists_on_one_line_are_added_to_too(flow):
    text = f"#cloud-config\nruncmd: {flow}\nhostname: x\n"
    before = yaml.safe_load(text)["runcmd"]
    told = yaml.safe_load(merged(text))
    assert told["runcmd"] == [*before, ["systemctl", "enable", "--now", "ssh"], START_COMMAND]
    assert told["hostname"] == "x"
    assert merged(merged(text)) == merged(text)


@pytest.mark.parametrize("before", [STOCK_NETWORK, IMAGER_NETWORK, "# nothing\n", "", None, "version: 2\nethernets:\n    eth0:\n        dhcp4: true\n"])
def test_the_wifi_is_added_to_a_network_file_of_any_make(before):
    done = network_config(before if before is None else before.encode(), SETTINGS.wifi)
    told = yaml.safe_load(done.content)
    told = told.get("network", told)
    was = yaml.safe_load(before or "") or {}
    assert told["version"] == 2
    assert told["ethernets"]["eth0"]["dhcp4"] is True
    point = told["wifis"]["wlan0"]["access-points"][SETTINGS.wifi.ssid]
    assert point == {"hidden": True, "password": "ab" * 32}
    for name, old in was.get("network", was).get("wifis", {}).get("wlan0", {}).get("access-points", {}).items():
        assert told["wifis"]["wlan0"]["access-points"][name] == old
    assert network_config(done.content, SETTINGS.wifi).content == done.content


def test_a_network_that_is_there_already_stays():
    from deploy.device.settings import Wifi

    done = network_config(IMAGER_NETWORK.encode(), Wifi("Porch", "cd" * 32, "GB"))
    assert done.content == IMAGER_NETWORK.encode()
    assert done.notes


def test_without_wifi_a_network_file_is_left_alone_and_none_is_made():
    assert network_config(None, None) is None
    assert network_config(STOCK_NETWORK.encode(), None).content == STOCK_NETWORK.encode()


@pytest.mark.parametrize("text", ["network: {version: 2}\n", "network:\n  version: 1\n  config: []\n", "network:\n  version: 2\n  wifis: {}\n", "- a\n"])
def test_a_network_file_of_another_kind_is_refused(text):
    with pytest.raises(NotMerged, match="network-config"):
        network_config(text.encode(), SETTINGS.wifi)


def test_wpa3_and_open_networks_are_told_in_their_own_way():
    from deploy.device.settings import Wifi

    told = yaml.safe_load(network_config(None, Wifi("Home", "the word itself", "DE", security="wpa3")).content)
    assert told["network"]["wifis"]["wlan0"]["access-points"]["Home"]["auth"] == {"key-management": "sae", "password": "the word itself"}
    told = yaml.safe_load(network_config(None, Wifi("Guests", "", "DE", security="open")).content)
    assert told["network"]["wifis"]["wlan0"]["access-points"]["Guests"]["auth"] == {"key-management": "none"}


def test_the_instance_is_named_only_where_nobody_named_it():
    assert meta_data(STOCK_META.encode(), "platewatch-x") is None
    assert yaml.safe_load(meta_data(None, "platewatch-x").content)["instance-id"] == "platewatch-x"
    assert f"[sh, {START}]" == COMMAND
