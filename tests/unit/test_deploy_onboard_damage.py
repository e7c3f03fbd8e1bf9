"""What a worn-out card, a full disk, a wish at the wrong moment or a hostile neighbour leaves: a device that can still be mended, and a sentence."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploy.onboard import archive, disk, ground, install, resume, site, state, switch, told, trial, uninstall, update
from deploy.onboard.cli import main
from deploy.onboard.errors import OnboardError
from deploy.onboard.machine import Machine
from tests.onboard import Device, pack

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def device(tmp_path):
    """It runs 1.0.2, and before that ran 1.0.1."""
    return Device.started(tmp_path, "1.0.2")


def test_a_lost_state_opens_no_door_to_an_old_archive(device, tmp_path):
    older = pack(tmp_path, "1.0.0")
    device.layout.state.write_bytes(b"\0\0\0")
    with pytest.raises(OnboardError, match=r"is older than 1\.0\.2-"):
        device.update(older)


@pytest.mark.parametrize(
    "damage",
    [
        {"serial": "x", "failed": 3, "bundles": [], "pending": 5, "works": {"frames": "yes"}},
        {"trial": {"id": "", "boots": "x"}},
        {"trial": {"id": "../../etc"}},
        {"trial": {}},
        {"trial": 7},
    ],
)
def test_a_state_of_other_types_counts_as_none(device, tmp_path, damage):
    plain = json.loads(device.layout.state.read_text())
    device.layout.state.write_text(json.dumps(plain | damage))
    device.power_on()
    found = device.site().state
    assert (found.current[:5], found.previous[:5], found.trial, found.pending) == ("1.0.2", "1.0.1", None, "")
    assert device.update(pack(tmp_path, "1.0.3")) == 0


@pytest.mark.parametrize("id", ["", ".", "..", "../../etc"])
def test_no_name_of_a_release_leads_elsewhere(device, id):
    before = device.tree()
    install.drop(device.site(), id)
    assert device.tree() == before


def test_with_both_releases_damaged_an_installation_mends_it(device, tmp_path, capsys):
    """As long as something was on trial no update was taken, and none could end the trial."""
    update.update(device.site(), str(pack(tmp_path, "1.0.3")))
    for folder in device.layout.releases.iterdir():
        (folder / "COMPLETE").unlink()
    assert main(["resume"], device.site()) == 0
    assert device.said[-1].startswith("Neither 1.0.3-")
    assert device.said[-1].endswith("Install again.")
    assert main(["install", str(pack(tmp_path, "1.0.3", serial=1_700_009_000))], device.site()) == 0
    assert device.site().state.current[:5] == "1.0.3"


def test_a_trial_whose_way_back_is_damaged_goes_back_further_or_stays(device, tmp_path):
    update.update(device.site(), str(pack(tmp_path, "1.0.3", behaviour="no-frames")))
    (device.layout.release(device.site().state.trial.came_from) / "COMPLETE").unlink()
    further = device.copy(tmp_path / "further")
    assert update.settle(further.site()) == 1
    assert (further.site().state.current[:5], further.site().state.trial) == ("1.0.1", None)
    (device.layout.release(device.site().state.previous) / "COMPLETE").unlink()
    assert update.settle(device.site()) == 1
    assert (device.site().state.current[:5], device.site().state.trial) == ("1.0.3", None)
    assert "It stays, since no other release is there as a whole" in device.said[-1]


def test_what_was_waiting_and_is_damaged_keeps_nobody_out(device, tmp_path):
    def stop(name):
        if name == "pending":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        update.update(device.site(stop), str(pack(tmp_path, "1.0.3")))
    (device.layout.release(device.site().state.pending) / "COMPLETE").unlink()
    resume.order(device.site())
    assert device.update(pack(tmp_path, "1.0.4")) == 0


def test_the_release_of_before_does_not_go_for_nothing(device, tmp_path, monkeypatch):
    packed = pack(tmp_path, "1.0.3")
    monkeypatch.setattr(disk, "free_bytes", lambda path: 3_000_000 if path == device.layout.opt else 1e9)
    with pytest.raises(OnboardError, match="64 MB are needed and 3 MB are free; nothing was changed"):
        device.update(packed)
    assert device.site().state.previous[:5] == "1.0.1"


def test_the_release_of_before_goes_where_that_is_enough(device, tmp_path, monkeypatch):
    packed = pack(tmp_path, "1.0.3")
    wanted = archive.needed_bytes(packed, archive.about(packed))
    monkeypatch.setattr(disk, "free_bytes", lambda path: wanted - 1 if path == device.layout.opt and device.site().state.previous else 1e9)
    assert device.update(packed) == 0
    assert any(words.startswith("Making room: 1.0.1-") for words in device.said)


def test_a_wish_to_go_back_that_waited_for_a_verdict_is_not_granted_twice(device, tmp_path):
    """The trial ends badly by itself while the command waits: one step back is what was meant, not two."""
    update.update(device.site(), str(pack(tmp_path, "1.0.3", behaviour="no-frames")))
    begun, judge = threading.Event(), device.site()
    waiting = device.site()
    waiting = type(waiting)(waiting.layout, waiting.machine, waiting.step, lambda words: (device.said.append(words), begun.set())[0])
    with judge.alone():
        asked = threading.Thread(target=main, args=(["rollback"], waiting))
        asked.start()
        assert begun.wait(20)
        assert device.said[-1] == "Waiting for the update, trial or backup that is under way."
        switch.decide(judge)
    asked.join(20)
    assert (device.site().state.current[:5], device.site().state.previous[:5]) == ("1.0.2", "1.0.1")
    assert "came to run in place of 1.0.3" in device.said[-1]


def test_who_looks_on_while_it_is_uninstalled_is_told(device, tmp_path, monkeypatch):
    here = device.site()
    update.update(here, str(pack(tmp_path, "1.0.3")))
    monkeypatch.setattr(here.machine, "hand_over", lambda unit: True)
    monkeypatch.setattr(here.machine, "sleep", lambda seconds: uninstall.uninstall(device.site()))
    with pytest.raises(OnboardError, match="there is no verdict, since Platewatch was uninstalled meanwhile"):
        update.settle(here)


def test_folders_at_which_something_is_mounted_are_emptied_and_stay(device, monkeypatch):
    """As with a root that can only be read: what changes lies on a partition of its own."""
    kept = {str(device.layout.opt), str(device.layout.var), str(device.layout.own)}
    monkeypatch.setattr("os.path.ismount", lambda path: str(path) in kept)
    assert main(["uninstall"], device.site()) == 0
    assert [sorted(os.listdir(path)) for path in sorted(kept)] == [[], [], []]


def test_locks_that_a_cut_left_do_not_keep_it_from_going(device, monkeypatch):
    lock, here = device.root / "etc/passwd.lock", device.site()
    lock.write_text("1")
    run = here.machine.run

    def refusing(words, **options):
        if lock.exists():
            raise OnboardError("userdel: cannot lock /etc/passwd; try again later.")
        return run(words, **options)

    monkeypatch.setattr(here.machine, "run", refusing)
    assert main(["uninstall"], here) == 0


def test_names_of_people_in_other_letters_are_read(device):
    (device.root / "etc/passwd").write_bytes(b"platewatch:x:990:990::/:/bin/false\nj:x:1000:1000:J\xfcrgen:/:/bin/sh\n")
    assert set(ground.names(device.site(), "etc/passwd")) == {"platewatch", "j"}
    with pytest.raises(UnicodeDecodeError):  # which is what reading it as text came to
        (device.root / "etc/passwd").read_text(encoding="utf-8")


def test_a_report_that_is_damaged_stops_no_status(device, capsys):
    device.layout.report.write_bytes(b"\xff\xfe")
    assert main(["status"], device.site()) == 0
    assert capsys.readouterr().out.startswith("runs:      1.0.2-")


def test_without_root_the_status_claims_nothing_of_what_it_cannot_see(device, monkeypatch, capsys):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert main(["status"], device.site()) == 0
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["runs", "before it", "free", "last"]
    assert "sudo tells more: how daemon and page are" in said.err
    assert any(line.startswith("daemon:") for line in told.words(told.as_json(device.site())))


@pytest.mark.parametrize("raw", [b"\x15\x03\x01\x00\x02\x02\x0a", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b""], ids=["TLS", "cut off", "nothing"])
def test_a_page_that_speaks_something_else_is_one_that_does_not_answer(raw):
    """A judge that falls over it would never come to its verdict."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            caller, _ = server.accept()
            caller.recv(1000)
            caller.sendall(raw)
            caller.close()

        threading.Thread(target=answer, daemon=True).start()
        assert Machine().page(f"http://127.0.0.1:{server.getsockname()[1]}/healthz") is None


@pytest.mark.parametrize("web", [{"host": "a b"}, {"port": 99_999_999}, {"host": "x" * 80}, {"host": "[::"}])
def test_an_address_of_the_page_that_is_none_is_one_that_does_not_answer(web):
    assert Machine().page(trial.page_address({"web": web}) + "/healthz") is None


def test_a_pipe_in_the_place_of_the_status_is_not_waited_for(tmp_path):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run/status.json")
    assert trial.status(Device.bare(tmp_path / "device").layout, {"runtime": {"directory": "/../run"}}) == {}


def test_what_a_read_or_a_write_met_with_names_the_file(tmp_path):
    """The system names a file only where it is opened. /proc/self/mem is an input/output error from its beginning on, /dev/full a full disk."""
    with pytest.raises(OSError, match="Input/output") as error, open("/proc/self/mem", "rb") as stream:
        disk.read(stream, tmp_path / "x")
    assert str(disk.plainly(error.value)).startswith(f"{tmp_path / 'x'}: cannot be read or written any more (Input/output error)")
    with pytest.raises(OnboardError, match="y: the disk is full; nothing that runs was changed"), disk.in_words(tmp_path / "y"):
        Path("/dev/full").write_bytes(b"x")


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_a_terminal_of_other_letters_is_told_all_the_same(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    site.tell("größer als \u2615")
    assert b"\\u2615" in written.getvalue()


def test_the_command_goes_on_with_the_judges_program_where_no_release_is_left(device, tmp_path):
    (device.layout.judge).write_text("print('the judge', __import__('sys').argv[1:])")
    text = ground.TOOL.replace("/opt/", f"{device.root}/opt/").replace("/var/", f"{device.root}/var/").replace("/usr/bin/python3", sys.executable)
    shutil.rmtree(device.layout.opt)
    run = lambda: subprocess.run(["sh", "-c", text, "tool", "status"], capture_output=True, text=True, check=False)  # noqa: E731
    assert run().stdout == "the judge ['status']\n"
    device.layout.judge.unlink()
    assert (run().returncode, run().stderr) == (1, "platewatch-deploy: its program is gone or may not be read; run it with sudo, or install again\n")


def test_what_is_remembered_is_read_back_as_it_was(device):
    """Also by who is stricter with it: every field has the type that it was written with."""
    full = state.State(
        serial=7, trial=state.Trial("1.0.9-x", "1.0.2-x", frames=False, boots=2, boot="b", failed="no"), pending="p", works={"frames": True},
        failed={"id": "i", "words": "w"}, firstboot="done", trouble="t", configured="c", bundles={"reader": 3}, restoring=True, removing="all",
    )  # fmt: skip
    state.save(device.layout, full)
    found = state.load(device.layout)
    assert found.but(current="", previous="") == full
