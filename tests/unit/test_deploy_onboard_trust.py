"""Whose releases a device takes: keys are added and removed by name, the last one stays, and the owner's remarks too."""

from __future__ import annotations

import pytest

from deploy.onboard.cli import main
from deploy.onboard.errors import BUSY
from deploy.onboard.signature import MOST_TRUSTED, PublicKey
from tests.onboard import Device

pytestmark = pytest.mark.usefixtures("quick")

OLD, NEW, THIRD = (PublicKey(bytes([number]) * 8, bytes([number]) * 32) for number in (0, 1, 2))
"""OLD is that of tests.onboard's releases."""


@pytest.fixture
def device(tmp_path):
    return Device.started(tmp_path)


def a_file(folder, *keys):
    path = folder / "new.pub"
    path.write_text("".join(f"untrusted comment: minisign public key {key.name}\n{key.line}\n" for key in keys))
    return str(path)


def trusted(device, *keys, remark="# of the workshop"):
    device.layout.trusted.write_text("".join(f"{remark}\nuntrusted comment: minisign public key {key.name}\n{key.line}\n" for key in keys))


def test_a_key_is_exchanged_without_a_moment_without_one(device, tmp_path, capsys):
    trusted(device, OLD)
    assert main(["trust", "--add", a_file(tmp_path, NEW)], device.site()) == 0
    assert capsys.readouterr().out == f"{OLD.name} {OLD.line}\n{NEW.name} {NEW.line}\ntrusts {OLD.name}, {NEW.name}\n"
    assert device.said[-1] == f"{NEW.name} is trusted from now on."
    assert main(["trust", "--remove", OLD.name.lower()], device.site()) == 0
    assert device.layout.trusted.read_text() == f"# of the workshop\nuntrusted comment: minisign public key {NEW.name}\n{NEW.line}\n"
    assert capsys.readouterr().out.endswith(f"trusts {NEW.name}\n")
    assert device.layout.report.read_text() == f"{OLD.name} is trusted no more.\n"


def test_both_at_once_and_what_is_known_already_changes_nothing(device, tmp_path):
    trusted(device, OLD)
    assert main(["trust", "--add", a_file(tmp_path, NEW, THIRD, NEW), "--remove", OLD.name], device.site()) == 0
    after = device.layout.trusted.read_bytes()
    assert after.count(NEW.line.encode()) == 1
    before = device.layout.report.read_bytes()
    assert main(["trust", "--add", a_file(tmp_path, THIRD)], device.site()) == 0
    assert (device.layout.trusted.read_bytes(), device.layout.report.read_bytes()) == (after, before)


def test_during_an_update_keys_are_listed_and_not_changed(device, tmp_path, capsys):
    trusted(device, OLD)
    with device.site().alone():
        assert main(["trust"], device.site()) == 0
        assert main(["trust", "--add", a_file(tmp_path, NEW)], device.site()) == BUSY
    assert capsys.readouterr().out == f"{OLD.name} {OLD.line}\ntrusts {OLD.name}\n"


def test_a_device_from_a_checkout_trusts_nobody_until_it_is_told(device, tmp_path, capsys):
    device.layout.trusted.write_text("# None yet.")
    assert main(["trust"], device.site()) == 0
    assert capsys.readouterr().out == "trusts none\n"
    assert main(["trust", "--add", a_file(tmp_path, NEW)], device.site()) == 0
    assert device.layout.trusted.read_text() == f"# None yet.\nuntrusted comment: minisign public key {NEW.name}\n{NEW.line}\n"


def test_a_file_from_windows_loses_what_is_removed(device):
    device.layout.trusted.write_bytes(f"\ufeff{OLD.line}\r\nuntrusted comment: x\r\n{NEW.line}\r\n".encode())
    assert main(["trust", "--remove", OLD.name], device.site()) == 0
    assert device.layout.trusted.read_text() == f"untrusted comment: x\n{NEW.line}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--remove", OLD.name], "would leave no key"),
        (["--remove", THIRD.name], f"no key of that name is trusted here; these are: {OLD.name}"),
        (["--add", "NEW", "--remove", NEW.name], "no key of that name is trusted here"),
        (["--add", "OLD", "--remove", OLD.name], "is to be added and to be removed"),
        (["--add", "/nowhere/a.pub"], "/nowhere/a.pub"),
        (["--add", "EMPTY"], "holds no public key"),
        (["--add", "SECRET"], "is a secret key"),
        (["--add", "WRONG"], "line 1 is no minisign public key"),
        (["--add", "LONG"], "is no file of public keys"),
    ],
)
def test_a_slip_is_one_sentence_and_changes_nothing(device, tmp_path, capsys, words, said):
    trusted(device, OLD)
    before = device.layout.trusted.read_bytes()
    files = {"NEW": a_file(tmp_path, NEW)}
    for name, content in {
        "OLD": OLD.line,
        "EMPTY": "# nothing\n",
        "SECRET": "-----BEGIN PRIVATE KEY-----\n",
        "WRONG": "RWQ\n",
        "LONG": "#" * MOST_TRUSTED + "\n",
    }.items():
        files[name] = str(tmp_path / name)
        (tmp_path / name).write_text(content)
    assert main(["trust", *(files.get(word, word) for word in words)], device.site()) == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert device.layout.trusted.read_bytes() == before


def test_a_line_that_is_no_key_is_named_and_left(device, tmp_path, capsys):
    device.layout.trusted.write_text("what is this\n")
    assert main(["trust", "--add", a_file(tmp_path, NEW)], device.site()) == 1
    assert "trusted.pub: line 1 is no minisign public key" in capsys.readouterr().err
    assert device.layout.trusted.read_text() == "what is this\n"


def test_more_keys_than_a_device_reads_are_refused(device, tmp_path, capsys):
    trusted(device, OLD, remark="# " + "x" * (MOST_TRUSTED - 200))
    assert main(["trust", "--add", a_file(tmp_path, NEW)], device.site()) == 1
    assert f"would be larger than {MOST_TRUSTED} bytes" in capsys.readouterr().err


def test_nothing_installed_has_nobody_to_trust(tmp_path, capsys):
    assert main(["trust"], Device.bare(tmp_path / "bare").site()) == 1
    assert "a first installation makes it" in capsys.readouterr().err
