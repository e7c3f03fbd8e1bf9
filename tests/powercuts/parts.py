"""What a life needs, made once: three signed releases for this machine, a card as `prepare-sd` leaves it, and later a card that is installed."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import nspawn
from tests.powercuts.card import Card
from tests.powercuts.errors import CutsError

SIZES_MIB = (2048, 512)
"""Of the root and of the boot partition; sparse."""
NAMES = ("first", "newer", "bad")
CLOUD = """#!/usr/bin/python3
'''In the place of cloud-init: what stands under bootcmd at each start, what stands under runcmd once. As there, the mark that it was run comes before the
run, and nobody waits for it to be on the disk.'''
import pathlib, re, shlex, subprocess
text = pathlib.Path('/boot/firmware/user-data').read_text()
mark = pathlib.Path('/var/lib/cloud/instance/sem/config_scripts_user')
def commands(name):
    found = re.search(rf'(?m)^{name}:\\n((?:[ \\t]*(?:#.*|- .*)?\\n)*)', text)
    return [re.findall(r'"[^"]*"|[^\\s,]+', item) for item in re.findall(r'(?m)^\\s*- \\[(.*)\\]', found[1])] if found else []
def run(name):
    for words in commands(name):
        if any('platewatch' in word for word in words):
            subprocess.run([word.strip('"') for word in words], check=False)
run('bootcmd')
if not mark.exists():
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text('')
    run('runcmd')
"""
UNIT = """[Unit]
Description=What stands in user-data (a stand-in for cloud-init)
RequiresMountsFor=/boot/firmware

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /usr/local/lib/user-data-line

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """Below one folder, which another run takes up."""

    folder: Path

    @property
    def bare(self) -> Card:
        """A card that was never in a device."""
        return Card(self.folder / "bare")

    @property
    def installed(self) -> Card:
        """The same after a first start, the releases beside it in /srv."""
        return Card(self.folder / "installed")

    @property
    def mark(self) -> Path:
        """Everything before the first life is made."""
        return self.folder / "parts.made"

    def archive(self, name: str) -> Path:
        return next((self.folder / "releases" / name).glob("platewatch-*.tar"))

    def id(self, name: str) -> str:
        return self.archive(name).stem.removeprefix("platewatch-")


def make(parts: Parts, say: Callable[[str], None]) -> None:
    """Releases and the bare card. Raises CutsError or ReleaseError."""
    if parts.mark.is_file():
        return
    for made in (parts.folder / "releases", parts.bare.folder, parts.installed.folder):
        shutil.rmtree(made, ignore_errors=True)
    _releases(parts, say)
    say("making the card")
    with TemporaryDirectory(prefix="powercuts-", dir=parts.folder) as folder:
        root, boot = Path(folder, "root"), Path(folder, "boot")
        subprocess.run(["cp", "-a", str(nspawn.cached_root()), str(root)], check=True)
        _dress(root)
        _kit(parts, boot, Path(folder))
        parts.bare.make(SIZES_MIB, (root, boot))
    parts.mark.touch()


def _releases(parts: Parts, say: Callable[[str], None]) -> None:
    """This tree, the same with a later number, and one whose camera is blind: as the emulated Raspberry Pi gets them, but for this machine's processor."""
    from deploy.emulate.releases import changed_source
    from deploy.release.minisign import make_key, sign
    from deploy.release.source import of_working_tree

    folder = parts.folder / "releases"
    folder.mkdir(parents=True)
    key, public = folder / "release.key", folder / "release.pub"
    make_key(key, public)
    with of_working_tree() as source:
        for number, name in enumerate(NAMES):
            changed = changed_source(source, number, bad=name == "bad")
            say(f"making the release {name}, {changed.version}")
            sign(native(changed, parts.folder / "wheels", folder / name, say), key, f"release {name} of the power cuts")


def native(source: object, wheels: Path, out: Path, say: Callable[[str], None]) -> Path:
    """A release as `deploy release build` makes it, of wheels for this machine."""
    from deploy.here.build import units
    from deploy.release import archive, own, pyz
    from deploy.release.closure import close
    from deploy.release.source import Source
    from deploy.release.wheels import Target, read_all

    assert isinstance(source, Source)
    cached = nspawn.cached_wheels()
    place = wheels / own.TOOLS / "newest"
    place.mkdir(parents=True, exist_ok=True)
    for tool in (path for name in ("setuptools", "wheel", "packaging") for path in cached.glob(f"{name}-*.whl")):
        shutil.copy(tool, place)
    ours = own.build(source, wheels, own.tools(source, wheels, say, offline=True))
    platforms = tuple(word.removeprefix("--platform=") for word in nspawn.PLATFORMS)
    closure = close(
        [ours, *(wheel for wheel in read_all(cached) if wheel.name != ours.name)], [f"{ours.name}=={ours.version}", "pip"], Target(nspawn.PYTHON, platforms)
    )
    if closure.missing:
        raise CutsError(f"{cached}: {closure.sentence}; delete that folder and run again")
    files: dict[str, Path | bytes] = {f"wheels/{wheel.path.name}": wheel.path for wheel in closure.chosen}
    files |= {"onboard.pyz": pyz.packed(source.tree)} | units()
    about = {"version": source.version, "serial": source.serial, "commit": source.commit, "pythons": (nspawn.PYTHON,)}
    return archive.build(out, files, machine=platform.machine(), **about)  # type: ignore[arg-type]


def _dress(root: Path) -> None:
    """A Debian in which something runs the line of user-data."""
    from deploy.emulate.stand_in import ROOT

    for name in ("etc/hostname", "etc/hosts"):
        (root / name).write_text(ROOT[name])
    (root / "boot/firmware").mkdir(parents=True, exist_ok=True)
    line = root / "usr/local/lib/user-data-line"
    line.write_text(CLOUD)
    unit = root / "etc/systemd/system/user-data-line.service"
    unit.write_text(UNIT)
    wants = unit.parent / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / unit.name).symlink_to(f"/etc/systemd/system/{unit.name}")


def _kit(parts: Parts, boot: Path, room: Path) -> None:
    """The boot folder of a stock image after the owner's own command."""
    from deploy.emulate import device
    from deploy.emulate.suites import TRIXIE

    boot.mkdir()
    for name, text in TRIXIE.boot.items():
        (boot / name).write_text(text)
    public = room / "login.pub"
    public.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f owner@desk\n")
    told = room / "device.toml"
    told.write_text(device.text(public, nspawn.PYTHON))
    told.chmod(0o600)
    words = [sys.executable, "-m", "deploy", "prepare-sd", boot, told, "--release", parts.archive("first"), "--trusted", parts.folder / "releases/release.pub"]
    done = subprocess.run([str(word) for word in words], cwd=nspawn.ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise CutsError(f"prepare-sd: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    secrets = device.secrets((boot / "user-data").read_bytes(), (boot / "platewatch/platewatch.toml").read_bytes())
    (parts.folder / "secrets.txt").write_bytes(b"\n".join(secrets.values()))
