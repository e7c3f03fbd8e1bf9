"""A model by itself, taken into the depot by Platewatch's own hand."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from deploy.onboard import bundle, ground, update
from deploy.onboard.errors import OnboardError
from deploy.onboard.firstboot import PAGE_UNIT, UNIT
from deploy.onboard.layout import FAILURE, FIRSTBOOT, RESUME
from edge.config import load
from tests.onboard import Device, Fake, cut, packed

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def device(tmp_path):
    return Device.started(tmp_path)


class Taking(Fake):
    """Platewatch's own hand is another process; here what it was sent is kept, and it may refuse."""

    refuses = ""

    def run(self, words, *, user="", feed=b"", timeout_s=0.0):
        if len(words) > 2 and words[2] is bundle.TAKE:
            if self.refuses:
                raise OnboardError(self.refuses)
            self.sent = (user, [str(word) for word in words[3:]], feed)
            return "reader-2\nThe daemon has taken it.\n"
        return super().run(words, user=user, feed=feed, timeout_s=timeout_s)


def sending(device, step=lambda name: None):
    site = device.site(step)
    return type(site)(site.layout, Taking(device.root), step, site.say)


def model(folder, version, serial):
    files = {"bundle/manifest.json": '{"kind": "reader"}', "bundle/model.tflite": f"model {version}"}
    return packed(folder, files, version=version, serial=serial, kind="bundle", model="reader", pythons=())


def test_it_is_handed_over_with_its_users_rights_alone(device, tmp_path):
    site, sent = sending(device), model(tmp_path, "1.0.2", 2000)
    update.update(site, str(sent))
    user, words, feed = site.machine.sent
    assert user == "platewatch"
    assert words[0] == str(device.layout.config)
    with tarfile.open(fileobj=io.BytesIO(feed)) as roll:
        assert roll.getnames() == ["manifest.json", "model.tflite"]
    assert site.state.bundles == {"reader": 2000}
    assert (site.state.current[:5], site.state.trial) == ("1.0.1", None)
    assert "The reader is reader-2 now: The daemon has taken it." in device.layout.report.read_text()
    assert not device.layout.spool.exists()


def test_an_older_model_is_refused_unless_told(device, tmp_path):
    site = sending(device)
    update.update(site, str(model(tmp_path, "1.0.3", 3000)))
    with pytest.raises(OnboardError, match="is older than the reader that came last"):
        update.update(site, str(model(tmp_path, "1.0.2", 2000)))
    update.update(site, str(model(tmp_path, "1.0.2", 2000)), update.Wish(downgrade=True))


def test_a_signed_archive_without_the_model_is_said(device, tmp_path):
    sent = packed(tmp_path, {"bundle/manifest.json": "{}"}, version="1.0.2", serial=2000, kind="bundle", model="reader", pythons=())
    with pytest.raises(OnboardError, match=r"holds no bundle/model\.tflite; have it made anew"):
        update.update(sending(device), str(sent))
    assert not device.layout.spool.exists()


def test_what_platewatch_refuses_is_said_in_its_words(device, tmp_path):
    site = sending(device)
    site.machine.refuses = "reader-2: computes something else here"
    before = device.tree()
    with pytest.raises(OnboardError, match="computes something else here"):
        update.update(site, str(model(tmp_path, "1.0.2", 2000)))
    assert device.tree() == before


def test_it_may_be_cut_anywhere(device, tmp_path):
    sent = model(tmp_path, "1.0.2", 2000)
    uncut = device.copy(tmp_path / "uncut")
    update.update(sending(uncut), str(sent))
    for at in range(1, 20):
        other = device.copy(tmp_path / str(at))
        if not cut(other.root, at, lambda power, other=other: update.update(sending(other, power), str(sent))):
            break
        other.power_on()
        update.update(sending(other), str(sent))
        assert other.tree() == uncut.tree()
    assert at > 3


def test_the_hand_is_platewatchs_own(tmp_path):
    """The real depot, the real config, a real model: chosen in the end, and a second time nothing changes."""
    config = tmp_path / "platewatch.toml"
    config.write_text('[models]\ndepot = "bundles"\n[runtime]\ndirectory = "run"\n')
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "edge/bundles/reader", folder)
    told = (folder / "manifest.json").read_text()
    assert '"name": "' in told
    (folder / "manifest.json").write_text(told.replace('"name": "', '"name": "mine-', 1))
    rolled = bundle._rolled(folder)
    sha256 = load_sha256(folder)
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", bundle.TAKE, config, "mine.tar", sha256], input=rolled, capture_output=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr.decode()
        name, words = done.stdout.decode().splitlines()
        assert (tmp_path / "bundles" / name / "model.tflite").is_file()
        assert Path(load(config).models.reader) == tmp_path / "bundles" / name
        assert words == "taken when the daemon starts"
    refused = subprocess.run([sys.executable, "-c", bundle.TAKE, config, "mine.tar", "0" * 64], input=b"no tar", capture_output=True, cwd=ROOT, check=False)
    assert refused.returncode == 1
    assert refused.stderr.decode().strip() == "mine.tar: is damaged, or no archive that can be read; pack the bundle again as .zip or .tar.gz"


def load_sha256(folder):
    import json

    return json.loads((folder / "manifest.json").read_text())["sha256"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_has_nothing_to_say_about_the_updaters_own_units(tmp_path):
    texts = {
        RESUME: ground.RESUME_UNIT,
        FIRSTBOOT: UNIT.format(kit="/boot/firmware/platewatch", resume=RESUME),
        FAILURE: PAGE_UNIT.format(program="/var/lib/platewatch-deploy/onboard.pyz", log="/boot/firmware/platewatch-log.txt"),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for name in texts:
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / name], capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if "platewatch-" in line] == []
