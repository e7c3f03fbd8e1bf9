"""Updates on a device: what is refused changes nothing, what does not work is taken back, and a second run changes nothing."""

from __future__ import annotations

import io
import os
import resource
import tarfile

import pytest

from deploy.onboard import archive, resume, sources, switch, told, update
from deploy.onboard.cli import main
from deploy.onboard.errors import BUSY, OnboardError
from deploy.onboard.resume import MOST_STARTS
from tests.onboard import UNITS, Device, make_kit, pack, sign

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def device(tmp_path):
    """It runs 1.0.2, and before that ran 1.0.1."""
    return Device.started(tmp_path, "1.0.2")


def test_a_good_update_runs_and_keeps_two(device, tmp_path):
    assert device.update(pack(tmp_path, "1.0.3")) == 0
    state = device.site().state
    assert (state.current[:5], state.previous[:5], state.trial) == ("1.0.3", "1.0.2", None)
    assert sorted(path.name[:5] for path in device.layout.releases.iterdir()) == ["1.0.2", "1.0.3"]
    assert not device.layout.spool.exists()


def test_the_services_of_the_new_release_run(device, tmp_path):
    site = device.site()
    device.update(pack(tmp_path, "1.0.3"), site)
    assert {"platewatch.service", "platewatch-web.service"} <= site.machine.running
    link = device.layout.units / "platewatch.service"
    assert os.readlink(link) == "/opt/platewatch/current/units/platewatch.service"


def test_what_is_on_trial_is_not_judged_by_itself(device, tmp_path):
    """The zipapp that looks after a start is that of the last release that proved itself."""
    site = device.site()
    update.update(site, str(pack(tmp_path, "1.0.3")))
    assert device.layout.judge.read_text() == "judge 1.0.2"
    update.settle(site)
    assert device.layout.judge.read_text() == "judge 1.0.3"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("no-frames", "no pictures"), ("crashes", "began anew"), ("no-page", "the page does not answer"), ("safe", "safe mode")],
)
def test_a_bad_update_is_rolled_back_by_itself(device, tmp_path, behaviour, words):
    before = device.tree()
    assert device.update(pack(tmp_path, "1.0.3", behaviour=behaviour)) == 1
    state = device.site().state
    assert (state.current[:5], state.previous[:5], state.trial) == ("1.0.2", "1.0.1", None)
    assert words in state.failed["words"]
    assert words in device.layout.report.read_text()
    changed = {name for name in before | device.tree() if before.get(name) != device.tree().get(name)}
    assert changed == {"var/lib/platewatch-deploy/state.json"}


def test_what_was_rolled_back_is_not_tried_again_unasked(device, tmp_path):
    packed = pack(tmp_path, "1.0.3", behaviour="no-frames")
    device.update(packed)
    with pytest.raises(OnboardError, match=r"was rolled back here \(the camera gives no pictures.*--again"):
        device.update(packed)
    assert device.update(packed, again=True) == 1


def test_without_pictures_before_none_are_asked_for(device, tmp_path):
    device.update(pack(tmp_path, "1.0.3"))
    (device.layout.current / ".venv/installed").write_text("1.0.3 no-frames")
    assert device.update(pack(tmp_path, "1.0.4", behaviour="no-frames")) == 0
    assert device.site().state.current[:5] == "1.0.4"


def test_a_release_that_computes_otherwise_never_runs(device, tmp_path):
    refused(device, pack(tmp_path, "1.0.3", behaviour="wrong-golden"), r"does not pass its self-test here \(reader: as measured\)")


def test_a_release_that_cannot_use_the_configuration_never_runs(device, tmp_path):
    device.layout.config.write_text("nonsense = 1\n")
    refused(device, pack(tmp_path, "1.0.3"), "unknown key 'nonsense'")


def test_an_older_one_is_refused_unless_told(device, tmp_path):
    older = pack(tmp_path, "1.0.0")
    refused(device, older, "is older than 1.0.2-.*rollback goes back, --downgrade lets an older one in")
    assert device.update(older, downgrade=True) == 0
    assert device.site().state.current[:5] == "1.0.0"


def test_the_wrong_key_is_refused(device, tmp_path):
    refused(device, pack(tmp_path, "1.0.3", key="EVIL"), "which this device does not trust")


def test_an_archive_that_was_changed_is_refused(device, tmp_path):
    packed = pack(tmp_path, "1.0.3")
    raw = bytearray(packed.read_bytes())
    raw[-2000] ^= 1
    packed.write_bytes(raw)
    refused(device, packed, "does not fit its signature")
    sign(packed, "KEY")
    refused(device, packed, "was changed|holds")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"machine": "x86_64"}, "is for x86_64, and this is aarch64"), ({"pythons": ("3.11",)}, "is for Python 3.11, and this system has 3.13")],
)
def test_what_is_for_another_machine_is_refused(device, tmp_path, changes, words):
    refused(device, pack(tmp_path, "1.0.3", **changes), words)


def test_a_disk_that_is_too_full_is_noticed_beforehand(device, tmp_path, monkeypatch):
    packed = pack(tmp_path, "1.0.3")
    monkeypatch.setattr("deploy.onboard.disk.free_bytes", lambda path: 3_000_000)
    refused(device, packed, "MB are needed and 3 MB are free; nothing was changed")


def test_a_disk_that_fills_up_midway_leaves_what_runs(device, tmp_path):
    """A file may not grow beyond so many bytes, as on a full disk: the kernel itself refuses."""
    packed = pack(tmp_path, "1.0.3", units=UNITS | {f"units/extra-{number}.service": "#" * 4000 for number in range(40)})
    before = device.tree()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (packed.stat().st_size - 1000, hard))
    try:
        assert main(["update", str(packed)], device.site()) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    device.power_on()
    assert device.tree() == before
    assert device.update(packed) == 0


def test_a_second_run_changes_nothing(device, tmp_path):
    packed = pack(tmp_path, "1.0.3")
    device.update(packed)
    before = stamps(device)
    assert device.update(packed) == 0
    device.power_on()
    assert stamps(device) == before


def test_the_owner_goes_back_and_forth(device):
    assert main(["rollback"], device.site()) == 0
    assert device.site().state.current[:5] == "1.0.1"
    assert main(["rollback"], device.site()) == 0
    assert device.site().state.current[:5] == "1.0.2"


def test_there_is_no_way_back_from_the_first(tmp_path, capsys):
    device = Device.bare(tmp_path / "device")
    make_kit(device.root / "boot/firmware", pack(tmp_path, "1.0.1"))
    device.first_start()
    assert main(["rollback"], device.site()) == 1
    assert "no release of before" in capsys.readouterr().err


def test_a_release_that_brings_the_machine_down_is_taken_back(device, tmp_path):
    """It never comes to a verdict, since the machine starts again and again; the starts are counted."""
    update.update(device.site(), str(pack(tmp_path, "1.0.3")))
    for _ in range(MOST_STARTS - 1):
        resume.order(device.site())
        assert device.site().state.current[:5] == "1.0.3"
    resume.order(device.site())
    state = device.site().state
    assert (state.current[:5], state.previous[:5]) == ("1.0.2", "1.0.1")
    assert "the machine started 3 times" in state.failed["words"]


def test_a_start_with_nothing_left_over_does_not_have_systemd_read_everything_again(device):
    site = device.site()
    resume.order(site)
    calls = len(site.machine.calls)
    resume.order(site)
    assert site.machine.calls[calls:] == []
    (site.layout.units / "platewatch.service").unlink()
    resume.order(site)
    assert ["systemctl", "daemon-reload"] in site.machine.calls[calls:]


def test_what_cannot_even_be_started_is_taken_back_at_once(device, tmp_path, monkeypatch):
    site = device.site()
    start, calls = site.machine.start, []

    def fails_once(*units):
        calls.append(units)
        if len(calls) == 1:
            raise OnboardError("systemctl start: unit not found")
        start(*units)

    monkeypatch.setattr(site.machine, "start", fails_once)
    with pytest.raises(OnboardError, match=r"could not be started \(systemctl start: unit not found\); 1\.0\.2-\S+ runs again"):
        update.update(site, str(pack(tmp_path, "1.0.3")))
    assert (site.state.current[:5], site.state.trial) == ("1.0.2", None)
    assert "platewatch.service" in site.machine.running


def test_a_disk_that_the_new_release_has_filled_does_not_keep_it(device, tmp_path, monkeypatch):
    """Nothing can be noted until it is gone."""
    from deploy.onboard import disk

    site = device.site()
    update.update(site, str(pack(tmp_path, "1.0.3", behaviour="no-frames")))
    new, write = device.layout.release(site.state.current), disk.write_whole

    def full(path, *rest):
        if new.is_dir():
            raise OSError(28, "No space left on device", str(path))
        write(path, *rest)

    monkeypatch.setattr(disk, "write_whole", full)
    assert update.settle(site) == 1
    state = site.state
    assert (state.current[:5], state.trial) == ("1.0.2", None)
    assert "no pictures" in state.failed["words"]


def test_an_undecided_update_is_not_built_upon(device, tmp_path):
    update.update(device.site(), str(pack(tmp_path, "1.0.3")))
    with pytest.raises(OnboardError, match="something is not finished yet"):
        device.update(pack(tmp_path, "1.0.4"))


def test_the_owner_may_take_a_trial_back(device, tmp_path):
    update.update(device.site(), str(pack(tmp_path, "1.0.3")))
    switch.back(device.site())
    assert device.site().state.current[:5] == "1.0.2"


def test_the_unit_judges_while_the_terminal_only_looks_on(device, tmp_path, monkeypatch):
    """A connection that breaks in the middle of the trial leaves nothing undecided."""
    site = device.site()
    asked = []
    monkeypatch.setattr(site.machine, "hand_over", lambda unit: asked.append(unit) or True)
    sleep = site.machine.sleep

    def elsewhere(seconds):
        sleep(seconds)
        if asked:
            monkeypatch.setattr(site.machine, "sleep", sleep)
            assert main(["resume"], site) == 0

    update.update(site, str(pack(tmp_path, "1.0.3")))
    monkeypatch.setattr(site.machine, "sleep", elsewhere)
    assert update.settle(site) == 0
    assert asked == ["platewatch-resume.service"]


def test_only_one_at_a_time(device, tmp_path, capsys):
    with device.site().alone():
        assert main(["update", str(pack(tmp_path, "1.0.3"))], device.site()) == BUSY, "so that who comes by SSH can tell it from a failure"
    assert "another update, rollback or trial is under way" in capsys.readouterr().err


def test_from_a_folder_the_newest_that_is_signed(device, tmp_path):
    pack(tmp_path / "stick", "1.0.3")
    pack(tmp_path / "stick", "1.0.4")
    archive.beside(pack(tmp_path / "stick", "1.0.5")).unlink()
    assert device.update(tmp_path / "stick") == 0
    assert device.site().state.current[:5] == "1.0.4"
    with pytest.raises(OnboardError, match=r"holds no platewatch-\*\.tar with its \.minisig"):
        sources.newest(tmp_path)


def test_from_a_pipe(device, tmp_path):
    packed = pack(tmp_path, "1.0.3")
    sent = io.BytesIO()
    with tarfile.open(fileobj=sent, mode="w") as roll:
        for path in (packed, archive.beside(packed)):
            roll.add(path, path.name)
    site = device.site()
    with pytest.raises(OnboardError, match=r"the pipe broke off|was no tar"):
        update.update(site, "-", stream=io.BytesIO(sent.getvalue()[:3000]))
    sent.seek(0)
    update.update(site, "-", stream=sent)
    assert update.settle(site) == 0
    assert site.state.current[:5] == "1.0.3"


def test_a_pipe_of_something_else_is_refused(device):
    sent = io.BytesIO()
    with tarfile.open(fileobj=sent, mode="w") as roll:
        link = tarfile.TarInfo("platewatch-1.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        roll.addfile(link)
    sent.seek(0)
    with pytest.raises(OnboardError, match=r"send a tar of the archive and its \.minisig, nothing else"):
        update.update(device.site(), "-", stream=sent)


@pytest.mark.parametrize("source", ["nowhere.tar", "usb"])
def test_a_source_that_is_not_there_is_said(device, source):
    with pytest.raises(OnboardError, match=r"there is no such file|no USB stick"):
        update.update(device.site(), source)


def test_the_status_tells_what_runs(device, tmp_path, capsys):
    device.update(pack(tmp_path, "1.0.3", behaviour="no-frames"))
    site = device.site()
    site.machine.sleep(2)
    lines = told.words(told.as_json(site))
    assert lines[0].startswith("runs:      1.0.2-")
    assert any(line.startswith("refused:   1.0.3-") and "no pictures" in line for line in lines)
    assert main(["status", "--json"], site) == 0
    assert '"current": "1.0.2-' in capsys.readouterr().out


def refused(device, packed, words):
    """And nothing was changed by it."""
    before = device.tree()
    with pytest.raises(OnboardError, match=words):
        device.update(packed)
    assert device.tree() == before


def stamps(device):
    return {name: os.lstat(device.root / name).st_mtime_ns for name in device.tree() if (device.root / name).is_file()}
