"""`./setup.sh pi`: what machine it is, what it lacks, what would be done, and an installation that nobody signed, on real folders."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.cli import main
from deploy.here import board, install, source
from deploy.onboard import update
from deploy.onboard.errors import OnboardError
from tests import onboard
from tests.onboard import Device

ROOT = Path(__file__).parents[2]
PI = board.Board("Raspberry Pi 5 Model B Rev 1.0", "aarch64", "Debian GNU/Linux 13 (trixie)", True, "3.13", True, True)


def machine(root, *, model="Raspberry Pi 5 Model B Rev 1.0\0", ids="ID=debian", sensors=(), controllers="cpu memory pids"):
    files = {"etc/os-release": f'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n{ids}\n', "sys/fs/cgroup/cgroup.controllers": controllers}
    files |= {f"sys/class/video4linux/video{at}/name": f"{name}\n" for at, name in enumerate(sensors)}
    files |= {"proc/device-tree/model": model} if model else {}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return board.look(root, lambda: "3.13")


def test_a_pi_is_known_by_what_its_firmware_says(tmp_path):
    found = machine(tmp_path, sensors=("bcm2835-codec-decode", "rp1-cfe-csi2_ch0"))
    assert (found.model, found.is_pi, found.is_debian, found.has_pi_camera, found.counts_memory) == ("Raspberry Pi 5 Model B Rev 1.0", True, True, True, True)
    board.check(replace(found, machine="aarch64"))


def test_a_usb_camera_and_the_codec_are_no_pi_camera_and_pi_os_counts_no_memory(tmp_path):
    found = machine(tmp_path, sensors=("bcm2835-isp", "HD Webcam: HD Webcam"), controllers="cpu io pids")
    assert not found.has_pi_camera
    assert not found.counts_memory


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"machine": "armv7l"}, "64-bit"),
        ({"is_debian": False, "system": "Fedora"}, "no Debian"),
        ({"python": "3.9"}, "3.11 or newer"),
        ({"python": ""}, "is missing"),
        ({"model": ""}, "--anyway"),
    ],
)
def test_what_cannot_be_installed_on_is_one_sentence(changed, words):
    with pytest.raises(board.HereError, match=words):
        board.check(replace(PI, **changed))


def test_anyway_is_for_what_is_no_pi_and_for_nothing_else():
    board.check(replace(PI, model="", machine="x86_64"), anyway=True)
    with pytest.raises(board.HereError):
        board.check(replace(PI, machine="armv7l"), anyway=True)


def test_picamera2_is_asked_for_where_a_pi_camera_is():
    assert board.lacking(PI, lambda name: name != "python3-picamera2") == ["python3-picamera2"]
    assert board.lacking(replace(PI, has_pi_camera=False), lambda name: name != "python3-picamera2") == []
    assert board.lacking(PI, lambda name: True) == []


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(onboard.signature, "verify", onboard.verify)
    device = Device.bare(tmp_path / "root")
    return device, onboard.pack(tmp_path / "made", "1.0.1"), device.site()


def test_a_first_time_makes_user_folders_config_and_units_without_any_signature(here):
    device, packed, site = here
    packed.with_name(packed.name + ".minisig").unlink()
    assert install.install(packed, site=site, camera='\n[camera]\nkind = "pi"\n') == 0
    assert site.state.current.startswith("1.0.1-")
    assert "not signed" in " ".join(device.said)
    assert device.layout.config.read_text().endswith('kind = "pi"\n')
    assert (device.layout.units / "platewatch.service").is_symlink()
    assert any(call[0] == "useradd" for call in site.machine.calls)


def test_the_next_time_it_trusts_nobody_whose_key_was_not_given(here, tmp_path):
    device, packed, site = here
    install.install(packed, site=site)
    assert "Public keys" in device.layout.trusted.read_text()
    later = onboard.pack(tmp_path / "later", "1.0.2")
    with pytest.raises(OnboardError, match="signed with the key KEY, which this device does not trust"):
        update.update(site, str(later))


def test_the_real_check_of_signatures_finds_no_key_in_that_file(tmp_path):
    from deploy.onboard.signature import parse_trusted

    with pytest.raises(OnboardError, match="holds no public key"):
        parse_trusted(install.NOBODY)


def test_a_second_time_mends_what_was_taken_away_and_keeps_the_owners_settings(here):
    device, packed, site = here
    install.install(packed, b"[web]\nport = 8081\n", b"KEY\n", site=site)
    device.layout.config.write_text("[web]\nport = 8082\n")
    before = device.tree()
    (device.layout.units / "platewatch.service").unlink()
    assert install.install(packed, b"[web]\nport = 8083\n", site=site) == 0
    assert device.tree() == before
    assert device.said[-1].endswith("is installed already.")


def test_an_older_checkout_is_installed_too_since_the_owner_sits_before_it(here, tmp_path):
    _, packed, site = here
    install.install(packed, site=site)
    assert install.install(onboard.pack(tmp_path / "older", "1.0.0"), site=site) == 0
    assert site.state.current.startswith("1.0.0-")


def test_an_archive_that_was_changed_meanwhile_is_refused(here):
    _, packed, site = here
    raw = bytearray(packed.read_bytes())
    raw[raw.index(b"judge 1.0.1")] ^= 1
    packed.write_bytes(raw)
    with pytest.raises(OnboardError, match="was changed"):
        install.install(packed, site=site)
    assert site.state.current == ""


def test_how_to_go_on_names_the_page_and_its_code_until_it_has_an_owner(here):
    device, packed, site = here
    install.install(packed, site=site)
    (device.layout.etc / "setup-code").write_text("ABCDE-FGHIJ\n")
    first, other = install.where(device.layout)[:2]
    assert first.endswith(" http://gate.local:8080/setup?code=ABCDE-FGHIJ")
    assert other == "On another device: http://gate.local:8080/, where it asks for the code ABCDE-FGHIJ"
    (device.layout.etc / "access.json").write_text("{}")
    assert "ABCDE-FGHIJ" not in " ".join(install.where(device.layout))


def test_a_folder_without_git_is_a_source_too_and_the_same_files_are_the_same_release(tmp_path):
    for part, text in {"pyproject.toml": None, "README.md": "x", "LICENSE": "x", "edge/a.py": "1", "edge/__pycache__/a.pyc": "1", "deploy/b.py": "2"}.items():
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).write_text((ROOT / "pyproject.toml").read_text() if text is None else text)
    with source.of_checkout(tmp_path) as one, source.of_checkout(tmp_path) as other:
        assert one.commit == other.commit
        assert sorted(path.name for path in one.tree.rglob("*") if path.is_file()) == ["LICENSE", "README.md", "a.py", "b.py", "pyproject.toml"]
    (tmp_path / "edge/a.py").write_text("3")
    with source.of_checkout(tmp_path) as changed:
        assert changed.commit != one.commit
    assert "no git checkout" in source.told(tmp_path)


def test_a_dry_run_tells_each_step_and_does_nothing(monkeypatch, capsys):
    monkeypatch.setattr(board, "look", lambda: replace(PI, counts_memory=False))
    monkeypatch.setattr(board, "in_dpkg", lambda name: name != "python3-picamera2")
    assert main(["here", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "install python3-picamera2" in said
    assert "without a signature" in said
    assert "cgroup_enable=memory" in said
    assert said.endswith("Nothing was changed.\n")
    assert main(["here", "--packages"]) == 0
    assert capsys.readouterr().out == "python3-picamera2\n"


@pytest.mark.parametrize("option", ["--config", "--trusted"])
def test_a_file_that_is_not_there_is_one_sentence_before_anything_is_done(monkeypatch, capsys, option):
    monkeypatch.setattr(board, "look", lambda: PI)
    assert main(["here", option, "/nowhere/x"]) == 1
    assert capsys.readouterr().err == "deploy: /nowhere/x: there is no such file\n"


@pytest.mark.skipif(not board.PYTHON.exists(), reason="this machine has no Python of its own")
def test_it_is_asked_with_the_bare_python_of_the_system_before_anything_is_installed():
    done = subprocess.run([board.PYTHON, "-S", "-B", "-m", "deploy", "here", "--help"], cwd=ROOT, capture_output=True, text=True, env={}, check=False)
    if "required" in done.stderr or board.system_python() < "3.11":
        pytest.skip("its Python is too old")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not on this machine")
def test_shellcheck_has_nothing_to_say_about_setup_sh():
    done = subprocess.run(["shellcheck", "--severity=warning", ROOT / "setup.sh"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
