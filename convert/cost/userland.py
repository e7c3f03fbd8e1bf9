"""A small arm64 system in a cache folder: Debian's Python and C library, the runtime dependencies in the versions installed here, and a board's face.

Nothing of the host's package system is touched and no root is needed: apt works in a state folder of its own, packages are unpacked, not installed.
QEMU looks for every absolute path under the folder first, so that a `proc/cpuinfo` there is the one that the runtime sees.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from convert.cost.cpus import CORES, CPUS, Cpu
from convert.cost.tools import CostError, command

PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
WHEELS = ("ai-edge-litert", "numpy", "opencv-python-headless", "pydantic")
"""What the code measured here imports; each in the version installed here, so that goldens compare."""
PLATFORMS = tuple(f"manylinux{flavour}_aarch64" for flavour in ("_2_28", "_2_27", "_2_17", "2014"))
REPOSITORY = Path(__file__).resolve().parents[2]
COMPLETE = "complete.json"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Userland:
    """A finished one. `python` is its version, such as 3.11; `wheels` are package and version."""

    root: Path
    python: str
    wheels: dict[str, str]

    def face(self, cpu: Cpu) -> Path:
        """What QEMU is given as the root: this system with the board's processor in its /proc and /sys."""
        return self.root / "cpus" / cpu.name

    @property
    def interpreter(self) -> Path:
        return self.root / "usr/bin" / f"python{self.python}"


def place(cache: Path) -> tuple[Path, dict[str, str]]:
    """Where the system for the versions installed here stands, or will stand, and those versions."""
    wheels = {name: version(name) for name in WHEELS}
    key = hashlib.sha256(json.dumps([PACKAGES, wheels, [cpu.cpuinfo() for cpu in CPUS.values()]]).encode()).hexdigest()[:12]
    return cache / f"root-{key}", wheels


def is_made(cache: Path) -> bool:
    """Whether `userland` needs no network any more."""
    return (place(cache)[0] / COMPLETE).is_file()


def userland(cache: Path, say: Say = lambda words: None) -> Userland:
    """The arm64 system, made at the first call (about 40 s and 80 MB from the network). Raises CostError in one sentence."""
    root, wheels = place(cache)
    if not is_made(cache):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as scratch:
            made = Path(scratch) / "root"
            made.mkdir()
            python = _debian(Path(scratch), made, say)
            _wheels(made, python, wheels, say)
            for cpu in CPUS.values():
                _face(made, cpu)
            (made / COMPLETE).write_text(json.dumps({"python": python, "wheels": wheels}) + "\n")
            if root.exists():  # left over, or another process was quicker
                shutil.rmtree(root)
            os.replace(made, root)
    facts = json.loads((root / COMPLETE).read_text())
    return Userland(root, facts["python"], facts["wheels"])


def _debian(scratch: Path, root: Path, say: Say) -> str:
    """Downloads and unpacks Debian's arm64 packages; the version of Python that they bring."""
    state, archives = scratch / "state", scratch / "archives"
    for folder in (state / "lists/partial", archives / "partial"):
        folder.mkdir(parents=True)
    (state / "status").touch()
    options = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": scratch,
        "Dir::Cache::archives": archives,
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    offline = "the arm64 system cannot be fetched (is the network there? does /etc/apt name a mirror with arm64?)"
    say("asking Debian for its arm64 packages")
    command([*apt, "update"], offline)
    say("fetching Debian's arm64 Python")
    command([*apt, "install", "--yes", "--download-only", "--no-install-recommends", *PACKAGES], offline)
    for package in sorted(archives.glob("*.deb")):
        command(["dpkg-deb", "--extract", str(package), str(root)], f"{package.name} cannot be unpacked")
    if not (root / "lib").exists():  # from Debian 13 on all libraries are in /usr/lib, and the loader is still asked for in /lib
        (root / "lib").symlink_to("usr/lib")
    found = sorted(path.name for path in (root / "usr/bin").glob("python3.*") if re.fullmatch(r"python3\.\d+", path.name))
    if not found:
        raise CostError(f"Debian's packages {', '.join(PACKAGES)} brought no Python for arm64; look at /etc/apt/sources.list")
    return found[-1].removeprefix("python")


def _wheels(root: Path, python: str, wheels: dict[str, str], say: Say) -> None:
    """The runtime dependencies for that Python, unpacked beside the system."""
    say("fetching the runtime dependencies for arm64")
    tags = [word for platform in PLATFORMS for word in ("--platform", platform)]
    abis = [word for abi in (f"cp{python.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(root / "site")]
    wanted = [f"{name}=={number}" for name, number in wheels.items()]
    command(
        [*pip, *tags, *abis, "--python-version", python, "--implementation", "cp", "--only-binary=:all:", *wanted],
        f"the runtime dependencies ({', '.join(wanted)}) cannot be fetched for arm64 and Python {python}",
    )


def _face(root: Path, cpu: Cpu) -> None:
    """Links to the system, and the few files by which the runtime knows the processor."""
    face = root / "cpus" / cpu.name
    cores = face / "sys/devices/system/cpu"
    (face / "proc").mkdir(parents=True)
    cores.mkdir(parents=True)
    for name in ("usr", "lib", "etc"):
        (face / name).symlink_to(Path("../..") / name)
    (face / "proc/cpuinfo").write_text(cpu.cpuinfo())
    for name in ("possible", "present", "online"):
        (cores / name).write_text(f"0-{CORES - 1}\n")
