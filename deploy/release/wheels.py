"""Wheels as they lie in a folder: what each is, needs and runs on, read from the wheel itself and never from its name alone."""

from __future__ import annotations

import contextlib
import email.parser
import hashlib
import importlib
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from deploy.release.errors import ReleaseError

SYSTEMS = {"3.11": ("Raspberry Pi OS Bookworm", 36), "3.13": ("Raspberry Pi OS Trixie", 41)}
"""Python -> the system that brings it, and its glibc 2.x."""
MACHINE = "aarch64"
TEXT = re.compile(r"[^/]+\.dist-info/(.*/)?[^/]*(licen[cs]e|copying|copyright|notice|authors|e[dp]l-v)[^/]*$", re.IGNORECASE)
OLDEST_GLIBC = 17
"""manylinux2014, the oldest that was built for aarch64."""


@cache
def packaging(part: str) -> ModuleType:
    """A module of `packaging`: installed, or the copy that pip brings and resolves with."""
    for name in (f"packaging.{part}", f"pip._vendor.packaging.{part}"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    raise ReleaseError(f"{sys.executable} has no pip; sudo apt-get install python3-pip, or make the environment anew")


@dataclass(frozen=True, slots=True)
class Target:
    """A Python on a 64-bit Raspberry Pi OS. Make one with `target`."""

    python: str
    platforms: tuple[str, ...]
    """Newest first."""

    @property
    def abi(self) -> str:
        return "cp" + self.python.replace(".", "")

    @property
    def environment(self) -> dict[str, str]:
        """What markers are judged by; pip judges them by the Python that it runs in, which is another one."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": MACHINE,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @property
    def pip(self) -> list[str]:
        """pip's options that choose wheels for it."""
        words = ["--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}"]
        return [*words, *(f"--abi={abi}" for abi in (self.abi, "abi3", "none")), *(f"--platform={one}" for one in self.platforms)]

    def takes(self, wheel: Wheel) -> bool:
        """Whether it installs there: its tags and its Requires-Python."""
        if wheel.requires_python and not packaging("specifiers").SpecifierSet(wheel.requires_python).contains(f"{self.python}.0"):
            return False
        return bool(_tags(self) & wheel.tags)


def target(python: str) -> Target:
    """Raises ReleaseError where no Raspberry Pi OS brings that Python."""
    if python not in SYSTEMS:
        known = ", ".join(f"{name} ({system})" for name, (system, _) in SYSTEMS.items())
        raise ReleaseError(f"--python {python}: no Raspberry Pi OS that we know brings it; known are {known}")
    glibcs = range(SYSTEMS[python][1], OLDEST_GLIBC - 1, -1)
    return Target(python, (*(f"manylinux_2_{minor}_{MACHINE}" for minor in glibcs), f"manylinux2014_{MACHINE}", f"linux_{MACHINE}"))


@cache
def _tags(wanted: Target) -> frozenset[Any]:
    major, minor = map(int, wanted.python.split("."))
    tags = packaging("tags")
    native = tags.cpython_tags((major, minor), [wanted.abi], wanted.platforms)
    return frozenset(native) | frozenset(tags.compatible_tags((major, minor), wanted.abi, wanted.platforms))


@dataclass(frozen=True, slots=True)
class Wheel:
    path: Path
    name: str
    """Normalised, as in `opencv-python-headless`."""
    version: Any
    """A packaging Version."""
    tags: frozenset[Any]
    requires: tuple[Any, ...]
    """packaging Requirements, with their markers."""
    requires_python: str
    licence: str
    texts: tuple[str, ...]
    """Names in it of the files that hold its licence and those of what it carries; they reach the device as they are."""
    sha256: str
    size: int
    """Bytes."""


def read(path: Path) -> Wheel:
    """Raises ReleaseError where it is no wheel, damaged, or another than its name says."""
    try:
        name, version, _, tags = packaging("utils").parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.namelist() if one.count("/") == 1 and one.endswith(".dist-info/METADATA")]
            if len(inside) != 1:
                raise ReleaseError(f"{path.name}: holds no METADATA, so it is no wheel; delete it and fetch it again")
            about = email.parser.BytesParser().parsebytes(archive.read(inside[0]))
            texts = tuple(sorted(one for one in archive.namelist() if TEXT.match(one)))
        requires = tuple(packaging("requirements").Requirement(line) for line in about.get_all("Requires-Dist", []))
        found = packaging("utils").canonicalize_name(about["Name"]), packaging("version").Version(about["Version"])
    except (ValueError, KeyError, TypeError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        if isinstance(error, ReleaseError):
            raise
        raise ReleaseError(f"{path.name}: is damaged or no wheel ({str(error)[:80]}); delete it and fetch it again") from None
    except OSError as error:
        raise ReleaseError(f"{path}: cannot be read ({error.strerror})") from None
    if found != (name, version):
        raise ReleaseError(f"{path.name}: holds {found[0]} {found[1]}; delete it and fetch it again")
    return Wheel(path, name, version, tags, requires, about.get("Requires-Python", ""), _licence(about), texts, sha256(path), path.stat().st_size)


def read_all(folder: Path) -> list[Wheel]:
    return [read(path) for path in sorted(folder.glob("*.whl"))]


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def total(wheels: Sequence[Wheel]) -> int:
    """Bytes."""
    return sum(wheel.size for wheel in wheels)


def _licence(about: Message) -> str:
    """The SPDX expression, else the classifiers, else the first line of the free text; "not stated" where there is none."""
    if expression := about.get("License-Expression"):
        return str(expression)
    classified = [line.rsplit(" :: ", 1)[1] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    free = str(about.get("License") or "").strip().splitlines()
    return ", ".join(classified) or (free[0][:60] if free else "not stated")
