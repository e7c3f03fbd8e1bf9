"""What machine this is, and what of Debian it lacks. Standard library alone: the system's own Python asks this before anything is installed."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.errors import PlatewatchError

PYTHON = Path("/usr/bin/python3")
"""The device's environments are made with it, and it sees Pi OS's picamera2."""
OLDEST = (3, 11)
SENSORS = ("unicam", "rp1-cfe")
"""Kernel drivers that show a video device only where a sensor on the ribbon cable answered."""


class HereError(PlatewatchError):
    """This machine cannot be installed on, or not so."""


@dataclass(frozen=True, slots=True)
class Board:
    model: str
    """As the firmware says it; '' on what has none, such as a PC."""
    machine: str
    """`aarch64`."""
    system: str
    """As /etc/os-release says it."""
    is_debian: bool
    python: str
    """Of the system: `3.13`; '' where there is none."""
    has_pi_camera: bool
    counts_memory: bool
    """Whether the kernel keeps to MemoryMax; Pi OS does not unless it is told."""

    @property
    def is_pi(self) -> bool:
        return "Raspberry Pi" in self.model

    @property
    def words(self) -> str:
        return f"{self.model or 'no Raspberry Pi'}, {self.system or 'an unknown system'}, {self.machine}, Python {self.python or 'missing'}"


def look(root: Path = Path("/"), python: Callable[[], str] | None = None) -> Board:
    release = dict(re.findall(r'^(\w+)="?(.*?)"?$', _text(root / "etc/os-release"), re.MULTILINE))
    drivers = [_text(name) for name in sorted(root.glob("sys/class/video4linux/*/name"))]
    return Board(
        model=_text(root / "proc/device-tree/model").strip("\0\n "),
        machine=platform.machine(),
        system=release.get("PRETTY_NAME", ""),
        is_debian="debian" in (release.get("ID", ""), *release.get("ID_LIKE", "").split()),
        python=(python or system_python)(),
        has_pi_camera=any(name.startswith(SENSORS) for name in drivers),
        counts_memory="memory" in _text(root / "sys/fs/cgroup/cgroup.controllers").split(),
    )


def check(board: Board, *, anyway: bool = False) -> None:
    """Raises HereError for a machine that cannot be installed on, or that is no Pi and nobody said `anyway`."""
    if board.machine not in ("aarch64", "x86_64"):
        raise HereError(f"{board.machine}: the TFLite runtime is for 64 bits; install the 64-bit Raspberry Pi OS")
    if not board.is_debian:
        raise HereError(f"{board.system or 'this system'}: is no Debian; what is installed here are units and packages of Debian and Raspberry Pi OS")
    if not board.python or tuple(map(int, board.python.split("."))) < OLDEST:
        raise HereError(f"{PYTHON}: Python {board.python or 'is missing'}; 3.11 or newer is needed, which Raspberry Pi OS Bookworm and later have")
    if not board.is_pi and not anyway:
        raise HereError(
            f"this is no Raspberry Pi ({board.system}, {board.machine}); --anyway installs here all the same, and ./setup.sh demo shows it without installing"
        )


def lacking(board: Board, is_installed: Callable[[str], bool] | None = None) -> list[str]:
    """Debian packages to install. openssl checks the signatures of later updates."""
    wanted = ["python3-venv", "openssl", "procps"] + (["python3-picamera2"] if board.has_pi_camera else [])
    return [name for name in wanted if not (is_installed or in_dpkg)(name)]


def in_dpkg(name: str) -> bool:
    try:
        done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status}", name], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout == "installed"


def system_python() -> str:
    """Its version, '' where it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([PYTHON, "-I", "-c", code], capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
