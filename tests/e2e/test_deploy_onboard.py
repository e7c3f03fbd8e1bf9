"""A device's whole life with nothing pretended but the daemon: the real zipapp's code, real signatures, a real virtual environment, real wheels, real pip.

Only root's own acts (users, owners, systemd) are left out, so that it runs as anybody; the stand-in daemon is started from the installed release.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.keys import make_key
from deploy.onboard import firstboot, trial, update, watch
from deploy.onboard.machine import Machine
from deploy.onboard.site import Site
from deploy.release import archive, minisign, pyz
from tests.onboard import UNITS, Device, Fake, make_kit

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

CLI = """
import json, sys
def main(words=None):
    words = words or sys.argv[1:]
    if words[0] == "doctor":
        import tiny_golden
        for what in ("machine", "runtime", "detector", "reader"):
            print(json.dumps({"what": what, "state": tiny_golden.STATE, "words": "as measured"}))
    if words[:2] == ["config", "--check"]:
        print(open(words[2]).read()[:0] + "good")
"""
DAEMON = """
import json, os, sys, time
from importlib.metadata import version
FRAMES = {frames}
count = 0
while True:
    count += FRAMES
    told = {{"v": 1, "version": version("platewatch"), "pid": os.getpid(), "updated_at": str(time.monotonic()), "state": "watching",
            "camera": {{"frames": count}}, "bundles": {{"detector": {{"name": "d"}}, "reader": {{"name": "r"}}}}}}
    with open(sys.argv[1] + ".new", "w") as file:
        json.dump(told, file)
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    time.sleep(0.02)
"""


def pip_wheel() -> Path | None:
    """pip as one file, which Python itself brings for ensurepip, or Debian for its own."""
    import ensurepip

    places = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]
    return next((path for place in places for path in sorted(place.glob("pip-*.whl"))), None)


def wheel(name: str, version: str, files: dict[str, str], needs: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """A wheel as PEP 427 has it."""
    info = f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {need}\n" for need in needs)
    contents = files | {f"{info}/METADATA": head, f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},\n" for path, text in contents.items()
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for path, text in (contents | {f"{info}/RECORD": record + f"{info}/RECORD,,\n"}).items():
            file.writestr(path, text)
    return f"wheels/{name}-{version}-py3-none-any.whl", packed.getvalue()


def release(folder: Path, secret: Path, version: str, serial: int, *, frames: int = 3, golden: str = "good") -> Path:
    """Built and signed as releases are."""
    pip = pip_wheel()
    assert pip is not None
    ours = {
        "edge/__init__.py": "",
        "edge/cli.py": CLI,
        "edge/__main__.py": "from edge.cli import main\nmain()\n",
        "edge/daemon.py": DAEMON.format(frames=frames),
    }
    files: dict[str, Path | bytes] = dict(
        [wheel("platewatch", version, ours, ("tiny-golden>=1",)), wheel("tiny_golden", "1.0", {"tiny_golden.py": f"STATE = {golden!r}\n"})]
    )
    files |= {f"wheels/{pip.name}": pip, "onboard.pyz": pyz.packed(Path(__file__).parents[2])} | {name: text.encode() for name, text in UNITS.items()}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = archive.build(folder, files, version=version, serial=serial, commit="d" * 40, pythons=(python,))
    minisign.sign(made, secret, "a test")
    return made


class Bench(Machine):
    """The real machine, but for root's acts; its services are processes of the release that runs."""

    architecture, python = archive.MACHINE, sys.executable

    def __init__(self, root: Path) -> None:
        self.users, self.layout = Fake(root), Device(root).layout
        self.daemon: subprocess.Popen[bytes] | None = None

    def run(self, words, *, user="", feed=b"", timeout_s=1800.0):
        if str(words[0]) in ("groupadd", "useradd", "usermod"):
            return self.users.run(words)
        return super().run(words, feed=feed, timeout_s=timeout_s)

    def systemctl(self, *words):
        pass

    def stop(self, *units):
        if self.daemon is not None and "platewatch.service" in units:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait()
            self.daemon = None

    def start(self, *units):
        if self.daemon is None and "platewatch.service" in units:
            self.layout.run.mkdir(parents=True, exist_ok=True)
            python = self.layout.current.resolve() / ".venv/bin/python"
            self.daemon = subprocess.Popen([python, "-m", "edge.daemon", self.layout.run / "status.json"], cwd="/")

    def hand_over(self, unit):
        return False

    def give(self, path):
        pass

    def share(self, path):
        pass

    def page(self, address, timeout_s=5.0):
        return {"ok": self.daemon is not None}


@pytest.fixture
def patient(monkeypatch):
    """The same rules in shorter times; what they are measured in is not what this is about."""
    for name, seconds in {"EVERY_S": 0.1, "WATCH_S": 1.0, "STALL_S": 20.0, "LIMIT_S": 300.0}.items():
        monkeypatch.setattr(watch, name, seconds)
    monkeypatch.setattr(trial, "EVERY_S", 0.1)
    monkeypatch.setattr(os, "sync", lambda: None)  # this machine has other disks, and other people


@pytest.mark.skipif(pip_wheel() is None, reason="no wheel of pip is on this machine")
def test_first_start_update_bad_update_and_back(tmp_path, patient, monkeypatch):
    """From a signed kit to a daemon of its virtual environment that reports, without a network."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    secret, public = tmp_path / "secret.pem", tmp_path / "public.pub"
    make_key(secret, public)
    first, second = release(tmp_path, secret, "1.0.1", 1_700_000_000), release(tmp_path, secret, "1.0.2", 1_700_001_000)
    device = Device.bare(tmp_path / "device")
    folder = make_kit(device.root / "boot/firmware", first, trusted=public.read_text())
    machine = Bench(device.root)
    site = Site(device.layout, machine, say=device.said.append)
    try:
        firstboot.first_start(site, folder)
        assert site.state.current.startswith("1.0.1-")
        installed = device.layout.current / ".venv"
        assert not list(installed.rglob("pip")), "pip came to install, not to stay"
        assert not (device.layout.current / "wheels").exists()
        told = trial.look(site)
        assert (told.version, told.state, told.models) == ("1.0.1", "watching", True)
        version = [str(machine.python), str(device.layout.current / "onboard.pyz"), "--root", str(device.root), "status", "--json"]
        assert '"version": "1.0.1"' in machine.run(version), "the zipapp runs by itself"

        update.update(site, str(second))
        assert update.settle(site) == 0
        assert trial.look(site).version == "1.0.2"

        monkeypatch.setattr(watch, "LIMIT_S", 8.0)  # it gives no picture however long one waits
        bad = release(tmp_path, secret, "1.0.3", 1_700_002_000, frames=0)
        update.update(site, str(bad))
        assert update.settle(site) == 1
        assert site.state.failed["id"].startswith("1.0.3-")
        assert machine.daemon is not None
        assert site.state.current.startswith("1.0.2-")

        assert sorted(path.name[:5] for path in device.layout.releases.iterdir()) == ["1.0.1", "1.0.2"]
    finally:
        machine.stop("platewatch.service")
