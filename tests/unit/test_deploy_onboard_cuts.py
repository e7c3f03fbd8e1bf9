"""Power cuts: after every step there is, and at random ones; what nobody waited for to be on the disk is lost. The device always comes back."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest

from deploy.onboard import resume, switch, uninstall, update
from deploy.onboard.layout import FAILURE, FIRSTBOOT, RESUME
from tests.onboard import UNITS, Device, Power, cut, make_kit, pack, verify

OTHER = {name: text for name, text in UNITS.items() if "journald" not in name} | {"units/platewatch-tidy.timer": "[Install]\nWantedBy=timers.target\n"}
"""A release that brings a timer and has no settings for the journal any more."""


@pytest.fixture(autouse=True)
def _signed(monkeypatch):
    monkeypatch.setattr("deploy.onboard.signature.verify", verify)
    monkeypatch.setattr("os.fsync", lambda file: None)  # what it is worth is reckoned by `Power`; the disk of this machine has other things to do
    monkeypatch.setattr("os.sync", lambda: None)


@pytest.fixture
def room():
    """In memory where there is such a folder: hundreds of devices are made and thrown away."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None, prefix="platewatch-cuts-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Archives, a bare device with a kit, and one that has run 1.0.1 since 1.0.2 was the last good update."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deploy.onboard.signature.verify", verify)
        patch.setattr("os.fsync", lambda file: None)
        patch.setattr("os.sync", lambda: None)
        folder = tmp_path_factory.mktemp("made")
        packs = {version: pack(folder / "packs", version) for version in ("1.0.1", "1.0.2", "1.0.3")} | {
            "bad": pack(folder / "packs", "1.0.4", behaviour="no-frames"),
            "other": pack(folder / "packs", "1.0.5", units=OTHER),
        }
        bare = Device.bare(folder / "bare")
        make_kit(bare.root / "boot/firmware", packs["1.0.1"])
        running = bare.copy(folder / "running")
        running.first_start()
        running.update(packs["1.0.2"])
        return bare, running, packs


def moments(device, act):
    """The steps of `act` on a device that is not cut; of a long watch the first and the last look."""
    power = Power(device.root)
    act(device, device.site(power))
    names = ["", *power.names, ""]
    return [at for at in range(1, len(names) - 1) if not names[at - 1] == names[at] == names[at + 1] == "watched"]


def every_cut(base, room, act, again):
    """Cut after the n-th step, switch on, say again what was wanted: the same in the end as without a cut. How many cuts that were."""
    uncut = base.copy(room / "uncut")
    at_all = moments(uncut, act)
    for at in at_all:
        device = base.copy(room / str(at))
        assert cut(device.root, at, lambda power, device=device: act(device, device.site(power)))
        comes_back(device, device.power_on())
        again(device)
        assert device.tree() == uncut.tree(), f"cut at step {at}"
        shutil.rmtree(device.root)
    return len(at_all)


def comes_back(device, site):
    """A whole release runs, page and daemon, whatever was cut."""
    assert device.layout.is_complete(site.state.current)
    assert site.state.trial is None
    assert {"platewatch.service"} <= site.machine.running


def test_a_first_start_may_be_cut_anywhere(made, room):
    """It is begun once by the system's own first start; from then on our unit goes on, and nobody has to ask again."""
    bare, _, _ = made
    uncut = bare.copy(room / "uncut")
    at_all = moments(uncut, lambda device, site: device.first_start(site))
    for at in at_all:
        device = bare.copy(room / str(at))
        assert cut(device.root, at, lambda power, device=device: device.first_start(device.site(power)))
        if not (device.layout.units / "multi-user.target.wants" / FIRSTBOOT).is_symlink() and device.site().state.firstboot != "done":
            device.first_start()  # the system had not yet noted that it had begun
        else:
            device.power_on()
            device.power_on()  # whoever looks later finds nothing left over
        assert device.tree() == uncut.tree(), f"cut at step {at}"
        assert not (device.root / "boot/firmware/platewatch/secrets.json").exists()
        assert not (device.layout.units / FAILURE).exists()
        shutil.rmtree(device.root)
    assert len(at_all) > 40


@pytest.mark.parametrize("to", ["1.0.3", "other"])
def test_an_update_may_be_cut_anywhere(made, room, to):
    _, running, packs = made
    assert every_cut(running, room, lambda device, site: device.update(packs[to], site), lambda device: device.update(packs[to])) > 20
    state = Device(room / "uncut").site().state
    assert (state.current[:5], state.previous[:5]) == (packs[to].name[11:16], "1.0.2")


def test_an_update_that_was_staged_goes_on_by_itself(made, room):
    """Nobody has to ask a second time once the new release stands whole and was asked for."""
    _, running, packs = made
    device = running.copy(room / "uncut")
    power = Power(device.root)
    device.update(packs["1.0.3"], device.site(power))
    at = power.names.index("pending") + 1
    device = running.copy(room / "cut")
    assert cut(device.root, at, lambda power: device.update(packs["1.0.3"], device.site(power)))
    assert device.site().state.current.startswith("1.0.2-")
    assert device.power_on().state.current.startswith("1.0.3-")


def test_a_bad_update_that_was_only_asked_for_is_judged_by_what_worked_when_it_was(made, room):
    """At the next start the services wait until the updater has put the disk in order: nothing works then, and that is no reason to ask for nothing."""
    _, running, packs = made
    power = Power(running.copy(room / "uncut").root)
    Device(room / "uncut").update(packs["bad"], Device(room / "uncut").site(power))
    device = running.copy(room / "cut")
    assert cut(device.root, power.names.index("pending") + 1, lambda power: device.update(packs["bad"], device.site(power)))
    site = device.site()
    site.machine.running.clear()
    begun = site.machine.now()
    resume.order(site)
    assert site.machine.now() == begun, "and the start does not wait for pictures that cannot come"
    assert site.state.trial is not None
    assert (site.state.trial.frames, site.state.trial.page) == (True, True)
    assert not switch.decide(site).good
    assert site.state.current.startswith("1.0.2-")


def test_what_did_not_work_when_an_update_was_asked_for_is_not_asked_of_it_after_a_cut_either(made, room):
    _, running, packs = made
    device = running.copy(room / "cut")

    def ask(power):
        site = device.site(power)
        site.machine.running.clear()
        device.update(packs["1.0.3"], site)

    power = Power(running.copy(room / "uncut").root)
    Device(room / "uncut").update(packs["1.0.3"], Device(room / "uncut").site(power))
    assert cut(device.root, power.names.index("pending") + 1, ask)
    site = device.site()
    resume.order(site)
    assert site.state.trial is not None
    assert (site.state.trial.frames, site.state.trial.page) == (False, False)


def test_a_bad_update_may_be_cut_anywhere_and_is_taken_back(made, room):
    """Also in the middle of the trial and of the way back."""
    _, running, packs = made

    def again(device):
        if not device.site().state.failed:
            assert device.update(packs["bad"]) == 1

    assert every_cut(running, room, lambda device, site: device.update(packs["bad"], site), again) > 20
    state = Device(room / "uncut").site().state
    assert (state.current[:5], state.previous[:5]) == ("1.0.2", "1.0.1")
    assert state.failed["words"].startswith("the camera gives no pictures")


def test_a_rollback_may_be_cut_anywhere(made, room):
    _, running, _ = made

    def act(device, site):
        switch.back(site)
        update.settle(site)

    def again(device):
        if device.site().state.current.startswith("1.0.2-"):
            act(device, device.site())

    assert every_cut(running, room, act, again) > 8
    assert Device(room / "uncut").site().state.current.startswith("1.0.1-")


@pytest.mark.parametrize("keep_data", [False, True])
def test_an_uninstallation_may_be_cut_anywhere(made, room, keep_data):
    """And what it leaves is what was there before it was installed, or that and the owner's own."""
    bare, running, _ = made
    uncut = running.copy(room / "uncut")

    def act(device, site):
        uninstall.uninstall(site, keep_data=keep_data)

    at_all = moments(uncut, act)
    wanted = uncut.tree()
    left = {name for name in wanted if name not in bare.tree()}
    assert all(name.startswith(("etc/platewatch", "var/lib/platewatch") if keep_data else ()) for name in left)
    assert ("etc/platewatch/platewatch.toml" in wanted) == keep_data
    for at in at_all:
        device = running.copy(room / str(at))
        assert cut(device.root, at, lambda power, device=device: act(device, device.site(power)))
        device.power_on()
        if at < at_all[-2]:
            assert device.tree() == wanted, f"cut at step {at}"
        else:  # of two last names one goes first: a unit that nothing starts any more
            assert set(device.tree()) - set(wanted) <= {f"etc/systemd/system/{RESUME}"}
        shutil.rmtree(device.root)
    assert len(at_all) > 15


def test_a_hundred_cuts_at_random_moments_of_a_whole_life(made, room):
    """First start, update, bad update, rollback, each cut again and again while it tries to come back: no device is left that does not."""
    bare, _, packs = made
    dice = random.Random(7)
    wishes = {
        "1.0.1": lambda device, site: device.first_start(site),
        "1.0.2": lambda device, site: device.update(packs["1.0.2"], site, again=True),
        "1.0.2 ": lambda device, site: device.update(packs["bad"], site, again=True),
        "1.0.1 ": lambda device, site: (switch.back(site), update.settle(site)),
    }
    cuts, life = 0, 0
    while cuts < 100:
        life += 1
        device = bare.copy(room / str(life))
        for goal, wish in wishes.items():
            act = wish
            while cut(device.root, dice.randint(1, 60), lambda power, device=device, act=act: act(device, device.site(power))):
                cuts += 1
                if (device.layout.units / "multi-user.target.wants" / FIRSTBOOT).is_symlink() or device.layout.judge.is_file():
                    act = lambda device, site: device.power_on(site.step)  # noqa: E731
            site = device.power_on()
            comes_back(device, site)
            if site.state.current[:5] != goal.strip():  # cut before it was written down: its owner says it again
                wish(device, device.site())
            state = device.power_on().state
            assert (state.current[:5], state.trial, state.pending) == (goal.strip(), None, "")
        shutil.rmtree(device.root)
    assert life < 40, "a life without a cut proves nothing"
