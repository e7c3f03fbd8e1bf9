"""The first start from a kit: to a device that works, or to words that its owner can do something with."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import stat
import urllib.error
import urllib.request

import pytest

from deploy.onboard import firstboot, ground, kit, page
from deploy.onboard.cli import main
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import FAILURE, FIRSTBOOT, RESUME
from deploy.onboard.log import MOST_BYTES, NAME, writer
from tests.onboard import CONFIG, TRUSTED, Device, cut, make_kit, pack

USER_DATA = b"""#cloud-config
# made by Imager
hostname: gate
users:
- name: anna
  passwd: "$5$abc$def"   # hashed
  ssh_authorized_keys:
    - ssh-ed25519 AAAA
ssh_pwauth: true
chpasswd:
  expire: false
wifi:
  password: |
    kept, since it stands on several lines
"""
NETWORK = b'network:\r\n  wifis:\r\n    wlan0:\r\n      access-points:\r\n        "Home":\r\n          password: "secret words"\r\n'


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def device(tmp_path):
    """Never started, with a kit on its boot partition."""
    made = Device.bare(tmp_path / "device")
    make_kit(made.root / "boot/firmware", pack(tmp_path / "packs", "1.0.1"), secrets={"mqtt": "hush", "web-hook": "quiet"})
    return made


@pytest.fixture
def folder(device):
    return device.root / "boot/firmware/platewatch"


def start(device, *words, site=None):
    """By the command that the boot partition's line runs."""
    site = site or device.site()
    return main(["firstboot", *words, str(device.root / "boot/firmware/platewatch")], site), site


def log_of(device):
    return (device.root / "boot/firmware" / NAME).read_bytes().decode()


def test_it_ends_with_everything_in_its_place(device, folder):
    code, site = start(device)
    assert code == 0
    state, layout = site.state, device.layout
    assert (state.current[:5], state.firstboot, state.trial, state.trouble) == ("1.0.1", "done", None, "")
    assert {"platewatch.service", "platewatch-web.service"} <= site.machine.running
    assert (layout.units / RESUME).is_file()
    assert (layout.units / f"multi-user.target.wants/{RESUME}").is_symlink()
    assert not (layout.units / FIRSTBOOT).exists()
    assert not (layout.units / FAILURE).exists()
    assert layout.trusted.read_text() == "KEY\n"
    assert sorted(path.name for path in folder.iterdir()) == ["onboard.pyz", "trusted.pub"]


def test_the_log_is_in_plain_words_for_any_computer(device):
    start(device)
    lines = log_of(device).split("\r\n")
    assert lines[-1] == ""
    assert all("\n" not in line for line in lines)
    assert [line.partition(" s  ")[2][:6] for line in lines if " of 6: " in line] == [f"{number} of 6" for number in range(1, 7)]
    assert "DONE. The page: http://gate.local:8080/" in lines[-2]
    assert "hush" not in log_of(device)


def test_secrets_leave_the_card_and_only_the_daemon_reads_them(device, folder):
    place = folder / kit.SECRETS
    code, site = start(device)
    assert code == 0
    assert not place.exists()
    for name, text in {"mqtt": "hush", "web-hook": "quiet"}.items():
        path = device.layout.secrets / name
        assert path.read_text() == text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert f"{path.parent}/.{name}.new" in site.machine.theirs, "it has its owner before it has its name"
    assert str(device.layout.config.with_name(".platewatch.toml.new")) in site.machine.theirs


def test_a_secret_is_overwritten_before_it_is_removed(tmp_path):
    path = tmp_path / "secrets.json"
    path.write_text("hush hush")
    other = tmp_path / "the same blocks"
    other.hardlink_to(path)
    kit.wipe(path)
    assert not path.exists()
    assert other.read_bytes() == bytes(9)


def test_passwords_in_the_systems_own_files_go_and_the_files_stay(device):
    boot = device.root / "boot/firmware"
    (boot / "user-data").write_bytes(USER_DATA)
    (boot / "network-config").write_bytes(NETWORK)
    start(device)
    told = (boot / "user-data").read_bytes()
    assert told == USER_DATA.replace(b'"$5$abc$def"   # hashed', b'"removed after the first start"')
    assert (boot / "network-config").read_bytes() == NETWORK.replace(b"secret words", b"removed after the first start")


def test_what_passwords_stood_on_is_overwritten_too(device, folder):
    """On FAT the blocks of a file that was replaced stay readable, and a camera's password may stand in the configuration."""
    boot = device.root / "boot/firmware"
    (boot / "user-data").write_bytes(USER_DATA)
    blocks = [boot / "same-seed", boot / "same-config"]
    for other, path in zip(blocks, (boot / "user-data", folder / kit.CONFIG), strict=True):
        other.hardlink_to(path)
    start(device)
    assert b"$5$abc$def" not in blocks[0].read_bytes()
    assert set(blocks[1].read_bytes()) == {0}


@pytest.mark.parametrize("holder", ["", "\0\0", "1", "0", "999999999"])
def test_locks_that_a_cut_left_on_the_users_do_not_keep_the_first_start_from_its_end(device, holder):
    """They name a process of the start before; under its number another program runs by now, or nobody wrote it down in time."""
    locks = [device.root / "etc" / f"{name}.lock" for name in ("passwd", "shadow", "group", "gshadow")]
    for path in locks:
        path.write_text(holder)
    assert start(device)[0] == 0
    assert [path.name for path in locks if path.exists()] == []


def test_a_lock_that_one_of_the_systems_own_tools_holds_is_left_alone(device, monkeypatch):
    lock = device.root / "etc/passwd.lock"
    lock.write_text("4711")
    site = device.site()
    monkeypatch.setattr(site.machine, "program", {4711: "useradd"}.get)
    ground.free_locks(site)
    assert lock.exists()


@pytest.mark.parametrize("before", [True, False], ids=["before the new file has its name", "right after"])
def test_cut_while_passwords_are_blanked_no_block_that_is_given_up_still_says_one(tmp_path, monkeypatch, before):
    """A block that belongs to no file any more is never found again; so it is overwritten while it still does, and the next start ends the work."""
    seed, same = tmp_path / "user-data", tmp_path / "the same blocks"
    seed.write_bytes(USER_DATA)
    same.hardlink_to(seed)
    write = kit.disk.write_whole

    def cut(*words):
        if not before:
            write(*words)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kit.disk, "write_whole", cut)
        with pytest.raises(KeyboardInterrupt):
            kit.blank_seeds(tmp_path)
    assert b"$5$abc" not in same.read_bytes()
    assert len(same.read_bytes()) == len(USER_DATA)
    kit.blank_seeds(tmp_path)
    assert seed.read_bytes() == USER_DATA.replace(b'"$5$abc$def"   # hashed', b'"removed after the first start"')


def test_the_page_can_change_its_files_and_not_whom_the_device_trusts(device):
    """The folder is sticky: what is root's there is replaced by root alone."""
    start(device)
    assert stat.S_IMODE(device.layout.etc.stat().st_mode) == 0o1770
    assert stat.S_IMODE(device.layout.own.stat().st_mode) == 0o700
    assert stat.S_IMODE(device.layout.secrets.stat().st_mode) == 0o700


def test_the_user_has_the_groups_that_there_are(device):
    """There is no `gpio` on this one."""
    start(device)
    groups = {line.split(":")[0]: line.split(":")[-1] for line in device.layout.at("etc/group").read_text().splitlines()}
    assert groups == {"root": "", "video": "platewatch", "render": "platewatch", "platewatch": ""}


def test_systemd_knows_the_unit_to_its_end(device, monkeypatch):
    """Told to read again what is there, while the unit that asks is there no more, it takes a good end for a failure."""
    site, seen = device.site(), []
    monkeypatch.setattr(site.machine, "reload", lambda: seen.append((site.layout.units / FIRSTBOOT).is_file()))
    assert start(device, "--here", site=site)[0] == 0
    assert seen
    assert all(seen)
    assert not (site.layout.units / FIRSTBOOT).exists()


def test_a_second_run_changes_nothing(device):
    start(device)
    before = device.tree()
    code, site = start(device)
    assert code == 0
    assert any("set up already" in words for words in device.said)
    assert device.tree() == before
    assert site.machine.calls == []


def test_the_unit_does_the_work_where_there_is_systemd(device, monkeypatch):
    """What runs it first, cloud-init or firstrun.sh, may end or start anew meanwhile."""
    site = device.site()
    asked = []
    monkeypatch.setattr(site.machine, "hand_over", lambda unit: asked.append(unit) or True)
    start(device, site=site)
    assert asked == [FIRSTBOOT]
    assert not device.layout.releases.exists()
    assert (device.layout.units / f"multi-user.target.wants/{FIRSTBOOT}").is_symlink()


def test_in_the_special_start_of_bookworm_the_next_one_does(device, monkeypatch):
    device.layout.at("proc").mkdir()
    device.layout.at("proc/cmdline").write_text("root=/dev/mmcblk0p2 systemd.run=/boot/firstrun.sh systemd.run_success_action=reboot")
    site = device.site()
    monkeypatch.setattr(site.machine, "hand_over", lambda unit: pytest.fail("it would be cut off"))
    assert start(device, site=site)[0] == 0
    device.power_on()
    assert device.site().state.firstboot == "done"


DAMAGE = {
    "release.tar on the boot partition is damaged": lambda folder: (folder / "release.tar").write_bytes(b"half"),
    "onboard.pyz is missing": lambda folder: (folder / "onboard.pyz").unlink(),
    "kit.json is missing": lambda folder: (folder / "kit.json").unlink(),
    "kit.json on the boot partition is damaged": lambda folder: (folder / "kit.json").write_text("{"),
    "the kit holds no release.tar": lambda folder: (folder / "kit.json").write_text('{"format": 1, "files": {}}'),
    "secrets.json on the boot partition is damaged": lambda folder: (folder / "secrets.json").write_text("[]"),
}


@pytest.mark.parametrize("words", DAMAGE)
def test_a_damaged_kit_is_named_and_mended_by_a_whole_one(device, folder, words):
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    DAMAGE[words](folder)
    code, site = start(device)
    assert code == 1
    assert words in site.state.trouble
    assert f"NOT INSTALLED: {words}" in log_of(device)
    assert site.state.current == ""
    assert (device.layout.units / f"multi-user.target.wants/{FIRSTBOOT}").is_symlink(), "it tries again at the next start"
    for name, raw in whole.items():
        (folder / name).write_bytes(raw)
    device.power_on()
    state = device.site().state
    assert (state.firstboot, state.trouble) == ("done", "")


def test_a_foreign_key_on_the_card_is_none(device, folder, tmp_path):
    again = make_kit(tmp_path / "other", pack(tmp_path / "other", "1.0.1", key="EVIL"))
    for path in again.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    code, site = start(device)
    assert code == 1
    assert "which this device does not trust" in site.state.trouble


def test_a_configuration_with_a_mistake_is_said_in_the_releases_words(device, folder, tmp_path):
    again = make_kit(tmp_path / "other", pack(tmp_path / "other", "1.0.1"), config="nonsense = 1\n")
    for path in again.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    code, site = start(device)
    assert code == 1
    assert "unknown key 'nonsense'" in site.state.trouble
    assert list(device.layout.releases.iterdir()) == []


def test_a_device_without_a_camera_is_set_up_all_the_same(tmp_path):
    """There is nothing to go back to, and the page can say more than a log."""
    device = Device.bare(tmp_path / "device")
    make_kit(device.root / "boot/firmware", pack(tmp_path / "packs", "1.0.1", behaviour="no-frames"))
    code, site = start(device)
    assert code == 0
    assert site.state.firstboot == "done"
    assert "It runs, but the camera gives no pictures" in log_of(device)


def test_no_secret_has_a_path_for_a_name(device, folder):
    (folder / kit.SECRETS).write_text(json.dumps({"../../root/.ssh/authorized_keys": "mine"}))
    with pytest.raises(OnboardError, match="which is no name of a secret"):
        kit.place_secrets(device.site(), folder)


def test_a_log_that_cannot_be_written_stops_nothing_and_it_does_not_grow_for_ever(tmp_path):
    said = []
    writer(tmp_path / "no/such/folder/log.txt", lambda: 3.0, said.append)("Hello.")
    assert said == ["Hello."]
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * (MOST_BYTES + 1))
    writer(path, lambda: 3.0, said.append)("Hello.\nAgain.")
    assert path.read_bytes() == b"     3 s  Hello. Again.\r\n"


def test_the_page_tells_how_far_it_is_and_what_is_wrong(device, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("    70 s  4 of 6: installing <b>\nno <i> time\n")
    servers = page.serve(device.layout, log, (0,), "127.0.0.1")
    try:
        address = f"http://127.0.0.1:{servers[0].server_port}/any/where"
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(address)
        text = answer.value.read().decode()
        answer.value.close()
        assert answer.value.code == 503
        assert "Platewatch is being set up" in text
        assert "<td>1:10</td><td>4 of 6: installing &lt;b&gt;</td>" in text
        assert "<td>no &lt;i&gt; time</td>" in text
        device.site().note(trouble="the <kit> is damaged")
        assert "the &lt;kit&gt; is damaged" in page.compose(device.layout, log)
        assert "could not be set up" in page.compose(device.layout, log)
        with pytest.raises(OnboardError, match="are taken"):
            page.serve(device.layout, log, (servers[0].server_port,), "127.0.0.1")
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def test_install_needs_no_kit(tmp_path, capsys):
    """On a system that runs: the keys and, where there is one, the configuration are named."""
    device = Device.bare(tmp_path / "device")
    packed = pack(tmp_path, "1.0.1")
    assert main(["install", str(packed)], device.site()) == 1
    assert "name the file of trusted keys with --trusted" in capsys.readouterr().err
    keys = tmp_path / "keys.pub"
    keys.write_text(TRUSTED)
    assert main(["install", str(packed), "--trusted", str(keys)], device.site()) == 0
    assert device.layout.config.read_text() == ground.CONFIG
    before = device.tree()
    assert main(["install", str(packed)], device.site()) == 0
    assert device.tree() == before
    assert main(["install", str(pack(tmp_path, "1.0.2"))], device.site()) == 0
    assert device.site().state.current[:5] == "1.0.2"


def test_a_configuration_with_a_mistake_is_mended_by_the_next_kit(device, folder, tmp_path):
    """The first one lies in its place by then; since nothing ever ran with it, it is nobody's work."""
    (folder / kit.CONFIG).write_text("nonsense = 1\n")
    told = json.loads((folder / kit.ABOUT).read_text())
    told["files"][kit.CONFIG] = {"sha256": hashlib.sha256(b"nonsense = 1\n").hexdigest(), "size": 13}
    (folder / kit.ABOUT).write_text(json.dumps(told))
    assert start(device)[0] == 1
    shutil.rmtree(folder)
    make_kit(device.root / "boot/firmware", pack(tmp_path / "packs", "1.0.1"))
    assert start(device)[0] == 0
    assert device.layout.config.read_text() == CONFIG


def test_a_mended_configuration_may_be_cut_in_anywhere(tmp_path):
    for at in range(1, 20):
        device = Device.bare(tmp_path / str(at))
        ground.lay(device.site(), b"KEY\n")
        ground.configure(device.site(), b"wrong")
        if not cut(device.root, at, lambda power, device=device: ground.configure(device.site(power), b"right")):
            break
        ground.configure(device.site(), b"right")
        assert device.layout.config.read_bytes() == b"right", f"cut at step {at}"
    assert at == 4


def test_install_mends_what_an_attempt_before_put_there(tmp_path, capsys):
    """The wrong keys and a configuration with a mistake are no fate, as long as nothing runs; what an owner kept is not touched."""
    device, packed = Device.bare(tmp_path / "device"), pack(tmp_path, "1.0.1")
    files = {"wrong.pub": TRUSTED.replace("KEY", "OTHER"), "right.pub": TRUSTED, "bad.toml": "nonsense = 1\n", "good.toml": CONFIG}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    install = lambda keys, config: main(["install", str(packed), "--trusted", str(tmp_path / keys), "--config", str(tmp_path / config)], device.site())  # noqa: E731
    assert (install("wrong.pub", "bad.toml"), install("right.pub", "bad.toml"), install("right.pub", "good.toml")) == (1, 1, 0)
    said = capsys.readouterr().err.splitlines()
    assert [words in line for words, line in zip(("does not trust", "nonsense"), said, strict=True)] == [True, True]
    assert (device.layout.trusted.read_text(), device.layout.config.read_text()) == (TRUSTED, CONFIG)
    assert install("wrong.pub", "bad.toml") == 0
    assert (device.layout.trusted.read_text(), device.layout.config.read_text()) == (TRUSTED, CONFIG)
    assert any("stays as it is: whom a device trusts" in words for words in device.said)


def test_what_was_kept_of_an_installation_before_stays(tmp_path):
    device = Device.bare(tmp_path / "device")
    ground.lay(device.site(), b"KEY\n")
    device.layout.config.write_text(CONFIG + "# mine\n")
    ground.configure(device.site(), CONFIG.encode())
    assert device.layout.config.read_text() == CONFIG + "# mine\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "is a secret key, which stays with who signs"),
        ("RWQ\n", "line 1 is no minisign public key"),
        ("# none\n", "holds no public"),
    ],
)
def test_what_is_no_public_key_never_gets_onto_the_device(tmp_path, capsys, text, words):
    device = Device.bare(tmp_path / "device")
    (tmp_path / "k.pub").write_text(text)
    before = device.tree()
    assert main(["install", str(pack(tmp_path, "1.0.1")), "--trusted", str(tmp_path / "k.pub")], device.site()) == 1
    assert words in capsys.readouterr().err
    assert device.tree() == before


def test_a_system_that_can_only_be_read_is_said_in_the_log(device, monkeypatch):
    """There is no state to keep it in, and the boot partition is another file system."""

    def refuse(path, *_):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    site = device.site()
    monkeypatch.setattr(ground.disk, "make_folder", refuse)
    assert start(device, "--here", site=site)[0] == 1
    assert f"NOT INSTALLED: {site.layout.own}: can only be read" in log_of(device)


def test_a_file_of_the_kit_whose_sectors_are_gone_is_named(device, folder):
    """Reading /proc/self/mem from its beginning is refused by the kernel as a worn-out card is: an input/output error."""
    (folder / kit.RELEASE).unlink()
    (folder / kit.RELEASE).symlink_to("/proc/self/mem")
    told = json.loads((folder / kit.ABOUT).read_text())
    told["files"][kit.RELEASE]["size"] = 0
    (folder / kit.ABOUT).write_text(json.dumps(told))
    code, site = start(device)
    assert code == 1
    assert site.state.trouble.startswith("release.tar on the boot partition is damaged; put the kit on the card again, and try another card")


def test_letters_that_are_none_stop_neither_log_nor_page(device, folder, tmp_path):
    told = json.loads((folder / kit.ABOUT).read_text())
    told["files"]["\ud800"] = {"sha256": "0", "size": 1}
    (folder / kit.ABOUT).write_text(json.dumps(told))
    assert start(device)[0] == 1
    assert "? is missing on the boot partition" in log_of(device)
    servers = page.serve(device.layout, device.root / "boot/firmware" / NAME, (0,), "127.0.0.1")
    try:
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(f"http://127.0.0.1:{servers[0].server_port}/")
        assert "? is missing on the boot partition" in answer.value.read().decode()
        answer.value.close()
    finally:
        servers[0].shutdown()
        servers[0].server_close()


def test_a_name_of_the_device_that_is_damaged_does_not_stop_the_end(device):
    (device.root / "etc/hostname").write_bytes(b"g\xe4te\n")
    assert start(device)[0] == 0
    assert not (device.layout.units / FIRSTBOOT).exists()


def test_a_folder_of_secrets_that_is_a_link_is_not_followed(device, tmp_path):
    """Its user owns that name, and the owner's next installation is root's."""
    start(device)
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    shutil.rmtree(device.layout.secrets)
    device.layout.secrets.symlink_to(victim)
    with pytest.raises(OnboardError, match="is a link, and has to be a folder"):
        ground.make_folders(device.site())
    assert stat.S_IMODE(victim.stat().st_mode) == 0o755


def test_the_configuration_for_who_brings_none_is_one(tmp_path):
    from edge.config import load

    path = tmp_path / "platewatch.toml"
    path.write_text(ground.CONFIG)
    config = load(path)
    assert (config.runtime.directory, config.store.path) == ("/run/platewatch", "/var/lib/platewatch/events.sqlite")


def test_the_address_is_what_the_home_network_calls_it(device):
    assert firstboot.address(device.layout) == "http://gate.local:8080/"
    device.layout.etc.mkdir()
    device.layout.config.write_text('[web]\ntls = "own"\nport = 443\nhost = "::"\n')
    assert firstboot.address(device.layout) == "https://gate.local:443/"
