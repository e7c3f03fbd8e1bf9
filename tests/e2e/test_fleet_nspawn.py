"""Three devices with their own systemd, OpenSSH and sudo, reached by the owner's `ssh`: what `python -m deploy` does to them, in the order of an owner's day.

The yard's sudo wants a password. The gate is the canary, though it stands last in the inventory.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import ExitStack
from xml.etree import ElementTree

import pytest

from deploy.keys import make_key, read_public
from deploy.release.minisign import sign
from tests import fleet_nspawn
from tests.fleet_nspawn import GENTLE, PASSWORD, ROOT, a_fleet, connections, signed_releases
from tests.nspawn import NotHere

pytestmark = pytest.mark.skipif(bool(fleet_nspawn.obstacle()), reason=fleet_nspawn.obstacle())
NAMES = ("barrier", "yard", "gate")


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    try:
        return signed_releases(tmp_path_factory.mktemp("releases") / "signed")
    except NotHere as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, releases):
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        try:
            running = stack.enter_context(a_fleet(folder, NAMES, releases, asks=["yard"]))
        except NotHere as error:
            pytest.skip(str(error))
        yield running
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def trusted(releases):
    return releases["first"].parents[1] / "release.pub"


def install(fleet, trusted, *more):
    return fleet.report("install", "--release", fleet.releases["first"], "--trusted", trusted, "--config", fleet.folder / "template.toml", *more)


def update(fleet, name, *more):
    return fleet.report("update", "--release", fleet.releases[name], *more)


def states(rows):
    return {name: row["state"] for name, row in rows.items()}


def cut(process):
    """The owner's ssh is gone from one moment to the next; what the command then says."""
    for pid in connections(process):
        os.kill(pid, signal.SIGKILL)
    return process.communicate(timeout=300)[0]


def test_a_template_with_a_mistake_and_devices_without_anything_are_sentences_and_nothing_is_touched(fleet, trusted):
    (fleet.folder / "wrong.toml").write_text('[camera]\nname = "$colour"\n')
    code, said = fleet.deploy("install", "--release", fleet.releases["first"], "--trusted", trusted, "--config", fleet.folder / "wrong.toml")
    assert code == 1
    assert "uses $colour, and barrier has no such variable" in said
    for command in (["update", "--release", fleet.releases["first"]], ["rollback"], ["status"]):
        code, said = fleet.deploy(*command)
        assert code == 1
        assert "Platewatch is not installed there" in said
        assert "Traceback" not in said
    assert {name: fleet[name].left() for name in NAMES} == {name: [] for name in NAMES}


def test_a_first_installation_whose_connection_is_lost_goes_on_and_the_same_command_says_how_it_went(fleet, trusted):
    """All three side by side; in the gate's the connection is lost as soon as its installer is at work."""
    words = ("install", "--release", fleet.releases["first"], "--trusted", trusted, "--config", fleet.folder / "template.toml")
    process, gate = fleet.begun(*words, "--only", "gate"), fleet["gate"]
    gate.container.wait(lambda: gate.busy("onboard.pyz install"), "its installer")
    assert "the connection was lost; run the same command again" in cut(process)
    assert gate.busy("onboard.pyz install")
    code, said, rows = install(fleet, trusted)
    assert (code, states(rows)) == (0, dict.fromkeys(NAMES, "ok")), said
    assert re.search(r"│ gate +│ admin@gate +│ ok +│ \S+ +│ (installed already; )?watching, \d+ pictures", said), said
    assert {fleet[name].runs for name in NAMES} == {fleet.id("first")}
    assert {name: fleet[name].shown_name() for name in NAMES} == {name: name for name in NAMES}
    for name in NAMES:
        assert fleet[name].container.sh("ls -A /home/admin/.cache; ls /tmp | grep platewatch-deploy || true") == "", "nothing that was carried stays"


def test_the_password_of_sudo_is_nowhere_on_the_device(fleet):
    c = fleet["yard"].container
    assert c("grep", "-rlF", PASSWORD, "/home", "/tmp", "/etc", "/var/log", check=False) == ""
    assert PASSWORD not in c("journalctl", "--no-pager", "--output=cat")


def test_a_second_installation_says_that_it_is_installed_and_carries_nothing(fleet, trusted):
    before = {name: fleet[name].pid() for name in NAMES}
    code, said, rows = install(fleet, trusted)
    assert (code, {row["words"].split(";")[0] for row in rows.values()}) == (0, {"installed already"}), said
    assert "copying" not in said
    assert {name: fleet[name].pid() for name in NAMES} == before


def test_an_update_goes_to_the_canary_and_then_to_the_others(fleet):
    code, said, rows = update(fleet, "newer", "--canary", "1", "--watch", "10")
    assert (code, states(rows)) == (0, dict.fromkeys(NAMES, "ok")), said
    assert said.index("gate: ok: watching") < min(said.index(f"{name}: connecting") for name in NAMES if name != "gate")
    assert {fleet[name].runs for name in NAMES} == {fleet.id("newer")}
    assert {name: fleet[name].shown_name() for name in NAMES} == {name: name for name in NAMES}, "the configuration stays"


def test_an_update_whose_connection_is_lost_goes_on_and_the_same_command_waits_for_it(fleet):
    gate = fleet["gate"]
    process = fleet.begun("update", "--only", "gate", "--release", fleet.releases["newest"])
    gate.container.wait(lambda: gate.busy("onboard.pyz update"), "its updater")
    assert "gate: failed: the connection was lost" in cut(process)
    assert gate.runs == fleet.id("newer")
    code, said, rows = update(fleet, "newest", "--only", "gate")
    assert (code, rows["gate"]["release"]) == (0, fleet.id("newest")), said
    assert "waiting for what is at work there already" in said
    assert gate.container.sh("ls -A /home/admin/.cache") == ""


def test_a_bad_release_is_taken_back_by_the_canary_itself_and_the_others_are_held(fleet):
    """One JUnit report, by the same command once more: what was taken back is not tried twice."""
    before = {name: fleet[name].runs for name in NAMES}
    code, said, rows = update(fleet, "bad", "--canary", "1")
    assert (code, states(rows)) == (1, {"barrier": "held", "yard": "held", "gate": "failed"}), said
    assert re.search(f"{fleet.id('bad')} was rolled back: .+ {fleet.id('newest')} runs again", rows["gate"]["words"]), rows
    assert rows["yard"]["words"] == "a canary failed"
    assert {name: fleet[name].runs for name in NAMES} == before
    path = fleet.folder / "report.xml"
    code, said = fleet.deploy("update", "--release", fleet.releases["bad"], "--canary", "1", "--report", path)
    suite = ElementTree.parse(path).getroot()
    assert (code, suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (1, "3", "1", "2")
    [case] = [one for one in suite if one.get("name") == "gate"]
    assert "--again tries it once more" in case.find("failure").get("message")
    assert {name: fleet[name].runs for name in NAMES} == before


def test_a_device_that_is_off_is_a_row_with_a_sentence_and_is_taken_up_when_it_is_on(fleet):
    yard = fleet["yard"]
    yard.power(False)
    try:
        code, said, rows = fleet.report("status")
        assert (code, states(rows)) == (1, {"barrier": "ok", "yard": "failed", "gate": "ok"}), said
        assert rows["yard"]["words"] == "it cannot be reached; is it on, and in this network?"
    finally:
        yard.power(True)
    yard.watches()
    yard.container.wait(lambda: yard.told()["page"], "its page")
    code, said, rows = fleet.report("status")
    assert (code, states(rows)) == (0, dict.fromkeys(NAMES, "ok")), said


def test_rolled_back_by_hand_each_has_the_release_of_before(fleet):
    before = {name: fleet[name].told()["previous"] for name in NAMES}
    code, said, rows = fleet.report("rollback")
    assert (code, {name: row["release"] for name, row in rows.items()}) == (0, before), said
    assert {name: fleet[name].runs for name in NAMES} == before


@pytest.mark.skipif(shutil.which("ansible-playbook") is None, reason="ansible-playbook is not on this machine")
def test_the_playbook_updates_configures_and_does_nothing_twice(fleet, trusted):
    """Through the same ssh; the barrier alone, whose sudo asks for no password."""
    hosts = {"barrier": {"ansible_ssh_common_args": f"-F {fleet.config}", "ansible_user": "admin"}}
    told = {
        "platewatch_archive": str(fleet.releases["newest"]),
        "platewatch_trusted": str(trusted),
        "platewatch_config": str(fleet.folder / "template.toml.j2"),
        "port": int(fleet["barrier"].address.rpartition(":")[2]),
    }
    text = (fleet.folder / "template.toml").read_text().replace("$name", "by the {{ platewatch_camera }}").replace("$port", "{{ port }}")
    (fleet.folder / "template.toml.j2").write_text(text)
    (fleet.folder / "hosts.yml").write_text(json.dumps({"platewatch": {"hosts": hosts}}))
    words = [*GENTLE, "ansible-playbook", "-i", str(fleet.folder / "hosts.yml"), "site.yml", "-e", json.dumps(told)]
    home = {"HOME": str(fleet.folder), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    changed = []
    for _ in range(2):
        done = subprocess.run(words, cwd=ROOT / "deploy/ansible", env=home, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        changed.append(int(re.search(r"barrier +: ok=\d+ +changed=(\d+)", done.stdout)[1]))
    assert changed[0] > 0
    assert changed[1] == 0
    assert fleet["barrier"].runs == fleet.id("newest")
    barrier = fleet["barrier"]
    barrier.container.wait(lambda: barrier.ask("/healthz")[0] == 200, "its page")
    assert barrier.shown_name() == "by the barrier"


def test_the_key_that_signs_is_exchanged_on_all_of_them(fleet, trusted):
    """Added everywhere; proven by an update that it signed; then the old one is removed, and what that has signed is refused."""
    [old], new = read_public(trusted), make_key(fleet.folder / "next.key", fleet.folder / "next.pub")
    code, said, rows = fleet.report("trust", "--add", fleet.folder / "next.pub")
    assert (code, {row["words"] for row in rows.values()}) == (0, {f"trusts {old.name}, {new.name}"}), said
    resigned = fleet.folder / fleet.releases["newest"].name
    shutil.copy(fleet.releases["newest"], resigned)
    sign(resigned, fleet.folder / "next.key", "signed anew")
    code, said, rows = fleet.report("update", "--release", resigned, "--only", "yard")
    assert (code, fleet["yard"].runs) == (0, fleet.id("newest")), said
    code, said, rows = fleet.report("trust", "--remove", old.name)
    assert (code, {row["words"] for row in rows.values()}) == (0, {f"trusts {new.name}"}), said
    code, said, rows = update(fleet, "newest", "--only", "gate")
    assert (code, fleet["gate"].runs != fleet.id("newest")) == (1, True), said
    assert f"signed with the key {old.name}, which this device does not trust" in rows["gate"]["words"]
    code, said, rows = fleet.report("trust", "--remove", new.name)
    assert (code, states(rows)) == (1, dict.fromkeys(NAMES, "failed")), said
    assert all("would leave no key" in row["words"] for row in rows.values())


def test_uninstalled_they_are_what_they_were(fleet):
    for name in NAMES:
        fleet[name].container("platewatch-deploy", "uninstall")
        assert [path for path in fleet[name].left() if not path.startswith(("/tmp/systemd-private", "/var/tmp/systemd-private"))] == []
        assert "platewatch" not in fleet[name].container("cat", "/etc/passwd")
    code, said = fleet.deploy("status")
    assert code == 1
    assert said.count("failed: Platewatch is not installed there") == 3
