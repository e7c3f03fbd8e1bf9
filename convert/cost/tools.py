"""The Debian packages that counting needs, and the counter itself: a plugin for QEMU, compiled once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge.errors import PlatewatchError

QEMU = "qemu-aarch64"
PROGRAMS = {QEMU: "qemu-user", "apt-get": "apt", "dpkg-deb": "dpkg"}
COMPILER = {"gcc": "gcc"}
"""Program -> the Debian package that brings it."""
SOURCE = Path(__file__).parent / "counter.c"


class NoEmulator(PlatewatchError, OSError):
    """What counting needs is not there."""


class CostError(PlatewatchError, RuntimeError):
    """The emulated program, or what prepares it, gave up."""


def missing(counting: bool = True) -> str:
    """Why nothing can be emulated, or nothing counted, here, in one sentence; empty where it can."""
    programs = PROGRAMS | (COMPILER if counting else {})
    packages = [package for program, package in programs.items() if shutil.which(program) is None]
    if counting and "gcc" not in packages and not _finds("stdio.h"):
        packages.append("libc6-dev")
    if "apt" in packages or "dpkg" in packages:
        return "no apt-get here: the boards are emulated on Debian and what derives from it"
    if packages:
        return f"{', '.join(packages)} {'is' if len(packages) == 1 else 'are'} missing: sudo apt-get install -y {' '.join(packages)}"
    if counting and "-plugin" not in _said([QEMU, "--help"]):
        return (
            f"this {QEMU} takes no plugins, so nothing can be counted: Debian 12's qemu-user does, what is linked statically (Debian 13's, qemu-user-static) "
            "does not; python -m convert cost --golden works with both"
        )
    return ""


def default_cache() -> Path:
    """Where the emulated system and what was measured in it are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "platewatch" / "arm64"


def qemu_version() -> tuple[int, int]:
    """Major and minor."""
    found = re.search(r"version (\d+)\.(\d+)", _said([QEMU, "--version"]))
    if found is None:
        raise NoEmulator(f"{QEMU} does not tell its version: sudo apt-get install --reinstall -y qemu-user")
    return int(found[1]), int(found[2])


def plugin(cache: Path) -> Path:
    """The compiled counter, made at the first call."""
    interface = 1 if qemu_version() < (9, 0) else 2
    made = cache / f"counter-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}-{interface}.so"
    if not made.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        scratch = made.with_suffix(f".{os.getpid()}")
        command(["gcc", "-O2", "-shared", "-fPIC", f"-DINTERFACE={interface}", "-o", str(scratch), str(SOURCE)], "the counter does not compile")
        scratch.replace(made)
    return made


def command(words: Sequence[str], complaint: str, folder: Path | None = None) -> str:
    """What the program says on stdout. Raises CostError: `complaint` and its last word."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=folder)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()] or ["no word"]
        raise CostError(f"{complaint}: {words[0]} ended with code {done.returncode}: {said[-1].strip()}")
    return done.stdout


def _said(words: Sequence[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def _finds(header: str) -> bool:
    return not subprocess.run(["gcc", "-E", "-x", "c", "-"], input=f"#include <{header}>\n", capture_output=True, text=True, check=False).returncode
