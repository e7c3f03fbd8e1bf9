"""Installing and updating over SSH: what is carried, what goes on after a cut, and what is said of what cannot be done. `ssh` is a stand-in here."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from deploy.cli import main
from deploy.fleet.acts import Clock, Install, Trust, Update, ask, healthy, roll_back
from deploy.fleet.errors import ConnectionLost, DeviceError
from deploy.fleet.inventory import Device, load
from deploy.fleet.payload import FleetError, parcel, release
from deploy.fleet.remote import Facts, Remote, unfit
from deploy.fleet.ssh import Ssh
from deploy.fleet.template import configs
from deploy.onboard import cli
from deploy.onboard.layout import Layout
from deploy.onboard.machine import Machine
from deploy.onboard.site import Site
from deploy.onboard.told import as_json
from tests.fleets import INSTALLER, SERIAL, a_box, a_release, an_installer, stand_in
from tests.receivers import wait_for


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    return stand_in(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    """A stand-in for ssh runs things here: never let it be the real installer, whatever a test gets wrong."""
    monkeypatch.setattr("deploy.release.pyz.build", lambda out: out.write_text(INSTALLER))


@pytest.fixture
def gate(fleet):
    return a_box(fleet / "gate")


@pytest.fixture
def install(tmp_path):
    return Install(a_release(tmp_path), *an_installer(tmp_path / "kit"), Clock(sleep=lambda seconds: None))


def to(name="gate", hear=lambda line: None, **more):
    return Remote(Ssh(Device(name, f"pi@{name}")), hear, **more)


def quiet(words):
    return None


def test_the_kit_is_carried_there_installed_and_leaves_nothing_behind(gate, install):
    """What the installer says is heard line by line, and nothing else is."""
    heard, told = [], []
    said = install(to(hear=heard.append), told.append)
    assert (said.words, said.release) == ("running, 7 pictures", install.release.id)
    [first, *_], folder = gate.calls(), gate.folder / "home/.cache/platewatch-deploy"
    name = install.release.archive.name
    assert first == ["install", f"{folder}/{name}", "--trusted", f"{folder}/trusted.pub"]
    assert heard == ["Checking the signature.", "Done."]
    assert told[0].startswith("copying, 0 %")
    assert "copying, 100 % of 0 MB" in told
    assert gate.staged == []


def test_what_runs_already_is_not_carried_there_again(gate, install):
    """Neither by the same installation nor by an update to it; and what a lost connection has left there goes."""
    install(to(), quiet)
    folder = gate.folder / "home/.cache/platewatch-deploy"
    for act in (install, Update(install.release)):
        folder.mkdir()
        (folder / "left.part").touch()
        told = []
        said = act(to(), told.append)
        assert (said.words, said.release) == ("installed already; running, 7 pictures", install.release.id)
        assert told == []
        assert gate.staged == []
    assert [words[0] for words in gate.calls()] == ["install", "status", "status", "status"]


def test_a_device_that_does_not_say_how_it_is_is_installed_anew(gate, install):
    install(to(), quiet)
    gate.program("platewatch-deploy", "rm $0; echo broken; exit 1")
    assert install(to(), quiet).words == "running, 7 pictures"
    assert [words[0] for words in gate.calls()].count("install") == 2


def test_what_is_at_work_there_already_is_waited_for(gate, install, tmp_path):
    """The connection was lost and the same command is given again, while the device still goes on with the first."""
    install(to(), quiet)
    gate.put("busy", "3")
    told, slept = [], []
    newer = a_release(tmp_path / "newer", serial=SERIAL + 60)
    assert Update(newer, clock=Clock(sleep=slept.append))(to(), told.append).release == newer.id
    assert len(slept) == told.count("waiting for what is at work there already") == 3
    gate.put("busy", "1000000")
    times = iter(range(0, 10_000, 100))
    with pytest.raises(DeviceError, match="under way"):
        Update(a_release(tmp_path / "newest", serial=SERIAL + 120), clock=Clock(lambda: float(next(times)), quiet))(to(), quiet)


def test_a_connection_that_is_ended_here_is_lost_and_no_word_of_the_device(gate, install):
    """`kill` on the ssh program: what the device said last is not why."""
    gate.put("hold")
    remote, ended = to(), []

    def at_work():
        with pytest.raises(ConnectionLost, match="run the same command again"):
            install(remote, quiet)
        ended.append(True)

    thread = threading.Thread(target=at_work)
    thread.start()
    wait_for((gate.folder / "reached").exists, 60)
    os.killpg(remote._ssh._running.pid, signal.SIGKILL)
    thread.join(60)
    (gate.folder / "hold").unlink()
    assert ended


def test_a_copy_that_was_cut_goes_on_where_it_stopped(gate, install):
    """The first 40,000 bytes are not sent again: altered over there, they make the whole arrive damaged. That is found, and the next try is whole."""
    gate.put("cut", "40000")
    with pytest.raises(ConnectionLost, match="the same command again, it goes on"):
        install(to(), quiet)
    gate.put("cut", "0")
    [part] = [path for path in gate.staged if path.name.startswith("onboard.pyz")]
    assert part.stat().st_size == min(40_000, install.onboard.size)
    (gate.folder / "cut").unlink()
    part.unlink()
    whole = install.release.archive.path.read_bytes()
    waiting = part.with_name(f"{install.release.archive.name}.{install.release.archive.sha256}.part")
    waiting.write_bytes(b"!" + whole[1:40_000])
    with pytest.raises(DeviceError, match="arrived damaged"):
        install(to(), quiet)
    assert gate.calls() == []
    assert install(to(), quiet).release == install.release.id


def test_what_another_release_left_there_is_cleared_away(gate, install):
    folder = gate.folder / "home/.cache/platewatch-deploy"
    folder.mkdir(parents=True)
    (folder / "platewatch-0.9.tar.0000.part").write_bytes(b"x" * 1000)
    gate.put("refuses", "the signature is of nobody that is trusted here")
    with pytest.raises(DeviceError, match="the signature is of nobody"):
        install(to(), quiet)
    assert len(gate.staged) == 4  # kept, for the next try
    assert not list(folder.glob("*.part"))


def test_the_installer_goes_on_to_its_end_when_the_connection_is_lost(gate, install):
    """An update must not stop half way because somebody closed a laptop."""
    gate.put("hold")
    remote, ended = to(), []

    def at_work():
        with pytest.raises(ConnectionLost) as caught:
            install(remote, quiet)
        ended.append(caught)

    thread = threading.Thread(target=at_work)
    thread.start()
    wait_for((gate.folder / "reached").exists, 60)  # it is at work
    remote.stop()
    thread.join(60)
    assert ended
    assert not (gate.folder / "state.json").exists()
    (gate.folder / "hold").unlink()
    wait_for(lambda: gate.state and gate.state["current"] == install.release.id, 60)


def test_the_devices_own_updater_takes_the_words_that_it_is_sent(gate, install, tmp_path):
    """The real one's parser reads what the stand-in recorded; and what it tells of itself has the keys that we read."""
    config = parcel(install.trusted.path, "platewatch.toml")
    install(to(), quiet)
    (gate.folder / "bin/platewatch-deploy").unlink()
    Install(install.release, install.onboard, install.trusted, install.clock, {"gate": config})(to(), quiet)
    Update(a_release(tmp_path / "newer", serial=SERIAL + 60), downgrade=True, again=True)(to(), quiet)
    roll_back(to(), quiet)
    taken = [vars(cli.parser().parse_args(words)) for words in gate.calls()]
    assert [one["command"] for one in taken if one["command"] != "status"] == ["install", "install", "update", "rollback"]
    [_, with_config] = [one for one in taken if one["command"] == "install"]
    assert (with_config["trusted"].name, with_config["config"].name) == ("trusted.pub", "platewatch.toml")
    assert [(one["downgrade"], one["again"]) for one in taken if one["command"] == "update"] == [(True, True)]
    assert all(one["json"] for one in taken if one["command"] == "status")
    told = as_json(Site(Layout(tmp_path), Machine()))
    assert told.keys() >= {"current", "previous", "trial", "trouble", "failed", "daemon", "page"}
    assert told["daemon"].keys() >= {"runs", "state", "frames"}
    assert not healthy(told)


def test_an_update_is_waited_for_until_the_device_has_judged_it(gate, install, tmp_path):
    install(to(), quiet)
    newer = a_release(tmp_path / "newer", serial=SERIAL + 60)
    gate.put("trial", "3")
    told, slept = [], []
    said = Update(newer, clock=Clock(sleep=slept.append))(to(), told.append)
    assert said.release == newer.id
    assert len(slept) == told.count("watching whether it works") == 3
    assert roll_back(to(), quiet).release == install.release.id
    assert ask(to(), quiet).told["previous"] == newer.id


def test_a_key_is_carried_there_added_and_another_removed(gate, install, fleet, tmp_path, capsys):
    install(to(), quiet)
    assert main(["keys", "new", str(tmp_path / "next")]) == 0
    words = ["trust", "gate", "--add", str(tmp_path / "next.pub"), "--remove", "00FF", "--remove", "11FF"]
    capsys.readouterr()
    assert main(words) == 0
    [sent] = [words for words in gate.calls() if words[0] == "trust"]
    taken = vars(cli.parser().parse_args(sent))
    assert (taken["remove"], [path.rsplit("/", 1)[1] for path in taken["add"]]) == (["00FF", "11FF"], ["added.pub"])
    assert "gate: ok: trusts --remove 00FF" in capsys.readouterr().out
    assert gate.staged == []
    gate.put("busy", "2")
    told = []
    assert Trust(clock=Clock(sleep=quiet))(to(), told.append).words == "trusts"
    assert told == ["waiting for what is at work there already"] * 2
    gate.put("old")
    with pytest.raises(DeviceError, match="does not know `trust` yet; bring it a newer release"):
        Trust()(to(), quiet)
    assert main(["trust", "gate", "--add", str(tmp_path / "next.key")]) == 1
    assert "is a secret key" in capsys.readouterr().err
    a_box(fleet / "bare")
    with pytest.raises(DeviceError, match="not installed there"):
        Trust()(to("bare"), quiet)


def test_a_trial_without_an_end_is_given_up(gate, install, tmp_path):
    install(to(), quiet)
    gate.put("trial", "1000000")
    times = iter(range(0, 10_000, 50))
    with pytest.raises(DeviceError, match="could not judge"):
        Update(a_release(tmp_path / "newer", serial=SERIAL + 60), clock=Clock(lambda: float(next(times)), lambda seconds: None))(to(), quiet)


def test_a_device_that_goes_back_by_itself_has_failed(gate, install, tmp_path):
    install(to(), quiet)
    gate.put("goes-back")
    with pytest.raises(DeviceError, match=f"went back to {install.release.id} by itself: no picture came"):
        Update(a_release(tmp_path / "newer", serial=SERIAL + 60))(to(), quiet)


def test_a_release_from_elsewhere_is_fetched_by_the_device_itself(gate, install):
    install(to(), quiet)
    gate.put("refuses", "no such release")
    with pytest.raises(DeviceError, match="no such release"):
        Update(source="https://example.org/platewatch-1.0.tar", downgrade=True)(to(), quiet)
    assert gate.calls()[-1] == ["update", "https://example.org/platewatch-1.0.tar", "--downgrade"]


def test_a_device_whose_daemon_does_not_run_is_not_well(gate, install):
    install(to(), quiet)
    gate.put("ill")
    for act in (ask, install, roll_back):
        with pytest.raises(DeviceError, match="daemon does not run"):
            act(to(), quiet)


def test_each_device_gets_its_own_configuration(fleet, tmp_path, install, capsys):
    """One template, checked for every device before the first is touched."""
    for name in ("a", "b"):
        a_box(fleet / name)
    (tmp_path / "fleet.toml").write_text('[vars]\ncountry = "gb"\n[devices.a]\n[devices.b]\nvars = { country = "de" }\n')
    (tmp_path / "config.toml").write_text('[country]\ncode = "$country"\n[camera]\nname = "$name"\n')
    archive, key = str(install.release.archive.path), str(install.trusted.path)
    words = ["install", "--release", archive, "--trusted", key, "--inventory", str(tmp_path / "fleet.toml"), "--config", str(tmp_path / "config.toml")]
    assert main(words) == 0
    assert capsys.readouterr().out.count(f"ok: running, 7 pictures ({install.release.id})") == 2
    for name in ("a", "b"):
        (fleet / name / "calls").unlink()
    made = configs(tmp_path / "config.toml", load(tmp_path / "fleet.toml"), tmp_path)
    assert 'code = "de"' in made["b"].path.read_text()
    assert 'code = "gb"' in made["a"].path.read_text()
    (tmp_path / "config.toml").write_text("[camera]\nname = $colour\n")
    assert main(words) == 1
    assert "uses $colour, and a has no such variable" in capsys.readouterr().err
    (tmp_path / "config.toml").write_text('[camera]\nnme = "$name"\n')
    assert main(words) == 1
    assert "for a: " in capsys.readouterr().err
    assert not (fleet / "a/calls").exists()


def test_what_is_not_installed_is_neither_updated_nor_asked(gate, install):
    for act in (Update(install.release), roll_back, ask):
        with pytest.raises(DeviceError, match="not installed there"):
            act(to(), quiet)
    assert gate.staged == []


PI = Facts("aarch64", 64, (3, 11), "pi", "yes", True, 10**9, "/usr/local/sbin/platewatch-deploy")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"bits": 32}, "32-bit system"),
        ({"machine": "armv7l", "bits": 32}, "armv7l"),
        ({"machine": "x86_64"}, "is a x86_64 machine"),
        ({"python": (3, 9)}, "Python 3.9, and 3.11 is needed"),
        ({"python": (0, 0)}, "no Python 3"),
        ({"python": (3, 12)}, "for 3.11 and 3.13"),
        ({"sudo": "asks"}, "--ask-sudo"),
        ({"sudo": "no"}, "may not become root"),
        ({"openssl": False}, "apt install openssl"),
        ({"free_bytes": 10**6}, "0 MiB left"),
    ],
)
def test_a_device_that_does_not_fit_is_left_as_it_is(tmp_path, facts, words):
    made = a_release(tmp_path, pythons=("3.11", "3.13"))
    changed = Facts(**{name: getattr(PI, name) for name in Facts.__slots__} | facts)
    assert words in unfit(changed, made)
    assert unfit(PI, made) == ""


def test_the_facts_are_asked_of_the_device_itself(gate, install):
    gate.program("getconf", "echo 32")
    gate.program("uname", "echo armv7l")
    with pytest.raises(DeviceError, match="64-bit Raspberry Pi OS"):
        install(to(), quiet)
    assert gate.staged == []


def test_sudo_is_given_its_password_on_stdin_and_nowhere_else(gate, install):
    """It is in no command line, which everybody on the device could read."""
    gate.program("id", 'case "$1" in -u) echo 1000;; *) echo pi;; esac')
    gate.program(
        "sudo", 'echo "$@" >> "${HOME%/home}/sudo"; case "$1" in -n) exit 1;; -S) read word; [ "$word" = "open sesame" ] || exit 1; shift 5; exec "$@";; esac'
    )
    with pytest.raises(DeviceError, match="asks pi for a password"):
        install(to(), quiet)
    assert install(to(password="open sesame"), quiet).release == install.release.id
    assert "sesame" not in (gate.folder / "sudo").read_text()
    with pytest.raises(DeviceError):
        install(to(password="wrong"), quiet)


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("ssh: connect to host gate port 22: Connection refused", "enable SSH on it"),
        ("ssh: connect to host gate port 22: No route to host", "cannot be reached"),
        ("ssh: connect to host gate port 22: Connection timed out", "cannot be reached"),
        ("pi@gate: Permission denied (publickey,password).", "ssh-copy-id pi@gate"),
        ("No ED25519 host key is known for gate and you have requested strict checking.\nHost key verification failed.", "run `ssh pi@gate` once"),
        ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.", "ssh-keygen -R gate"),
        ("client_loop: send disconnect: Broken pipe", "goes on where it stopped"),
        ("kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535", "is it on, has it started"),
        ("Connection to gate closed by remote host.", "goes on where it stopped"),
        ("/etc/ssh/ssh_config: line 1: Bad configuration option: \x1b[31mx", "ssh says: /etc/ssh/ssh_config: line 1: Bad configuration option: ?[31mx"),
    ],
)
def test_what_ssh_complains_of_becomes_a_sentence(gate, complaint, words):
    gate.put("complaint", f"{complaint}\n")
    with pytest.raises(DeviceError) as caught:
        ask(to(), quiet)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_a_sentence(fleet):
    with pytest.raises(DeviceError, match="there is no gat on this network"):
        ask(to("gat"), quiet)


def test_no_host_key_is_taken_unseen_and_nothing_is_asked():
    """The user's own ssh decides about host keys; the options that we give never weaken that."""
    words = Ssh(Device("gate", "gate", 2222, "~/key"))._words
    assert "BatchMode=yes" in words
    assert not [word for word in words if "StrictHostKeyChecking" in word or "KnownHosts" in word]
    assert words[-2:] == ["--", "gate"]


def test_an_archive_that_is_none_or_unsigned_goes_nowhere(tmp_path):
    made = a_release(tmp_path)
    made.signature.path.unlink()
    with pytest.raises(FleetError, match="signature is missing"):
        release(made.archive.path)
    with pytest.raises(FleetError, match="no such file"):
        release(tmp_path / "nothing.tar")
    made.signature.path.write_text("x")
    raw = bytearray(made.archive.path.read_bytes())
    raw[-2000] ^= 1
    made.archive.path.write_bytes(raw)
    with pytest.raises(FleetError, match=made.archive.name):
        release(made.archive.path)


def test_many_devices_from_the_command_line(fleet, tmp_path, install, capsys):
    """Two are updated, one is not there: exit code 1, a row for each, and a report that says it all."""
    for name in ("a", "b"):
        a_box(fleet / name)
        install(to(name), quiet)
    newer = a_release(tmp_path / "newer", serial=SERIAL + 60)
    (tmp_path / "fleet.toml").write_text('[defaults]\nuser = "pi"\n[devices.a]\n[devices.c]\n[devices.b]\ngroups = ["canary"]\n')
    words = ["--inventory", str(tmp_path / "fleet.toml"), "--report", str(tmp_path / "report.xml"), "--stop-at", "100"]
    assert main(["update", "--release", str(newer.archive.path), *words, "--canary", "1", "--watch", "0"]) == 1
    said = capsys.readouterr().out
    assert said.index(f"b: ok: running, 7 pictures ({newer.id})") < said.index("a: connecting")
    assert "c: failed: there is no c on this network" in said
    xml = (tmp_path / "report.xml").read_text()
    assert 'tests="3" failures="1" skipped="0"' in xml
    assert main(["status", *words[:2], "--only", "canary"]) == 0
    assert f"b: ok: running, 7 pictures ({newer.id})" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["status", "--", "-oProxyCommand=touch x"],
        ["status", "gate", "gate"],
        ["status", "gate", "--inventory", "x.toml"],
        ["status", "gate", "--only", "x"],
        ["status", "--inventory", "nothing.toml"],
        ["status", "gate", "--report", "x.html"],
        ["status", "gate", "--report", "/nowhere/x.json"],
        ["status", "gate", "--at-once", "0"],
        ["update", "gate", "--release", "nothing.tar"],
        ["rollback", "gate", "--canary", "-1"],
        ["rollback", "gate", "--stop-at", "0"],
        ["install", "gate", "--release", "nothing.tar", "--trusted", "nothing.pub"],
    ],
)
def test_what_cannot_be_meant_is_one_sentence(fleet, words, capsys):
    assert main(words) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
