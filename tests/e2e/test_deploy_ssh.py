"""A real OpenSSH on the loopback: the kit is carried and installed, host keys are respected, a lost connection loses nothing."""

from __future__ import annotations

import os
import threading

import pytest

from deploy.fleet.acts import Clock, Install
from deploy.fleet.errors import ConnectionLost, DeviceError
from deploy.fleet.inventory import Device
from deploy.fleet.remote import Remote
from deploy.fleet.ssh import Ssh
from tests.fleets import a_box, a_release, an_installer, an_sshd, key, sshd_missing
from tests.receivers import free_port

pytestmark = pytest.mark.skipif(bool(sshd_missing()), reason=sshd_missing())


@pytest.fixture
def box(tmp_path):
    return a_box(tmp_path / "gate")


@pytest.fixture
def sshd(tmp_path, box):
    with an_sshd(tmp_path / "sshd", box) as running:
        yield running


@pytest.fixture
def install(tmp_path):
    return Install(a_release(tmp_path, size=3_000_000), *an_installer(tmp_path / "kit"), Clock(sleep=lambda seconds: None))


def to(sshd, hear=lambda line: None, port=None):
    return Remote(Ssh(Device("gate", "127.0.0.1", port or sshd.port), sshd.config), hear)


def test_the_kit_is_installed_over_ssh(sshd, box, install):
    heard, told = [], []
    for _ in range(2):
        assert install(to(sshd, heard.append), told.append).release == install.release.id
    assert heard[:2] == ["Checking the signature.", "Done."]
    assert "copying, 100 % of 3 MB" in told
    assert box.staged == []


def test_a_connection_that_is_lost_while_copying_goes_on_there(sshd, box, install):
    """Cut after a part of it; the bytes that have arrived are not sent again."""
    remote, enough = to(sshd), threading.Event()

    def cut(words):
        if words.startswith("copying") and words != "copying, 0 % of 3 MB":
            enough.set()
            remote.stop()

    with pytest.raises(ConnectionLost):
        install(remote, cut)
    assert enough.is_set()
    assert box.calls() == []
    told = []
    assert install(to(sshd), told.append).release == install.release.id


def test_a_host_that_is_not_known_is_not_trusted(sshd, install):
    sshd.known.write_text("")
    with pytest.raises(DeviceError, match="host key is not known here; run `ssh 127"):
        install(to(sshd), lambda words: None)
    assert sshd.known.read_text() == ""


def test_a_host_with_another_key_than_before_is_refused(sshd, install):
    other = key(sshd.folder / "other").with_suffix(".pub").read_text()
    sshd.known.write_text(f"[127.0.0.1]:{sshd.port} {' '.join(other.split()[:2])}\n")
    with pytest.raises(DeviceError, match="not the one of before"):
        install(to(sshd), lambda words: None)


def test_a_login_that_is_refused_and_a_port_where_nobody_is(sshd, install):
    (sshd.folder / "allowed").write_text("")
    with pytest.raises(DeviceError, match="ssh-copy-id"):
        install(to(sshd), lambda words: None)
    with pytest.raises(DeviceError, match="takes no SSH connections"):
        install(to(sshd, port=free_port()), lambda words: None)


def test_nothing_of_this_machine_is_shown_to_the_device(sshd, box, install, monkeypatch):
    """No agent, no environment."""
    monkeypatch.setenv("SSH_AUTH_SOCK", os.devnull)
    monkeypatch.setenv("SECRET_OF_MINE", "x")
    box.program("platewatch-deploy", 'env > "${HOME%/home}/environment"; echo "{}"')
    remote = to(sshd)
    remote.facts()
    assert remote.told() == {}
    environment = (box.folder / "environment").read_text()
    assert "SSH_AUTH_SOCK" not in environment
    assert "SECRET_OF_MINE" not in environment
