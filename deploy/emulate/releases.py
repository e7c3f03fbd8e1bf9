"""The archives that the emulated devices get: this tree, later ones of the same code, and one whose camera gives no pictures.

They are made as every release is, signed with a key of their own that is thrown away.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

from deploy.emulate.errors import EmulateError
from deploy.emulate.suites import BOOKWORM, TRIXIE, Suite
from deploy.release import making
from deploy.release.minisign import make_key, sign
from deploy.release.pip import Say
from deploy.release.source import Source, of_working_tree
from deploy.release.wheelhouse import make as gather

PLAN: dict[str, tuple[int, Suite]] = {"first": (0, TRIXIE), "bookworm": (0, BOOKWORM), "newer": (1, TRIXIE), "newest": (2, TRIXIE), "bad": (3, TRIXIE)}
"""{name: (its number behind the version, for which system)}; "bookworm" is "first" for the other system."""
APART_S = 60
BLIND = '''

def _blind(self: FilesCamera) -> Iterator[Frame]:
    """A fault made on purpose by deploy/emulate: no picture ever comes."""
    while True:
        time.sleep(3600)
    yield


FilesCamera.frames = _blind  # type: ignore[method-assign]
'''
CAMERA = "edge/camera/files.py"


def paths(folder: Path) -> dict[str, Path]:
    """{name: archive} of those that are there."""
    return {name: found[0] for name in PLAN if (found := sorted((folder / name).glob("platewatch-*.tar")))}


def make(folder: Path, wheels: Path, say: Say) -> dict[str, Path]:
    """Signed archives in folders of their names, and `release.pub`; raises ReleaseError. The network is asked for wheels that are not there yet."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    key, public = folder / "release.key", folder / "release.pub"
    make_key(key, public)
    with of_working_tree() as source:  # one copy for all: others may be at work in the tree
        for name, (number, suite) in PLAN.items():
            changed = changed_source(source, number, bad=name == "bad")
            say(f"making the release {name}, {changed.version}")
            made = making.application(changed, gather(changed, [suite.python], wheels, say, offline=number > 0), folder / name)
            sign(made, key, f"platewatch release {name}, emulated")
            shutil.copyfile(public, folder / name / public.name)
    return paths(folder)


def changed_source(source: Source, number: int, *, bad: bool = False) -> Source:
    """The same code with NUMBER behind its version, and so much later; with `bad` its camera is blind. Changes the copy that `source` is."""
    if bad:
        camera = source.tree / CAMERA
        text = camera.read_text(encoding="utf-8")
        if "class FilesCamera" not in text:
            raise EmulateError(f"{CAMERA} has no FilesCamera any more, which the bad release is made from; mend deploy/emulate/releases.py")
        camera.write_text(text + BLIND, encoding="utf-8")
    if number == 0:
        return source
    version = f"{source.version}.{number}"
    project = source.tree / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    return dataclasses.replace(source, version=version, serial=source.serial + APART_S * number, commit=f"{number:x}" * 8 + source.commit[8:])
