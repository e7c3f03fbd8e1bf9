"""From this checkout to an archive for this very machine: the same form as a release, with the wheels that the system's own Python takes."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.here.board import PYTHON, Board, HereError
from deploy.here.source import of_checkout
from deploy.release import archive, own, pip, pyz, wheels
from deploy.release.making import CONFIG, CURRENT
from deploy.release.source import Source
from deploy.release.wheels import Wheel


@dataclass(frozen=True, slots=True)
class Native:
    """This machine, where pip needs no options to know it. In the place of a `wheels.Target`."""

    python: str
    pip: tuple[str, ...] = ()


def build(board: Board, folder: Path, say: Callable[[str], None]) -> Path:
    """The archive in `folder`, where the wheels stay for the next time. Raises ReleaseError or HereError in words."""
    here = ".".join(map(str, sys.version_info[:2]))
    if here != board.python:
        raise HereError(f"{sys.executable} is Python {here}, and {PYTHON}, which runs on the device, is {board.python}; delete .venv and run this again")
    folder.mkdir(parents=True, exist_ok=True)
    with of_checkout() as source:
        chosen = gather(source, folder / "wheels", board.python, say)
        files: dict[str, Path | bytes] = {f"wheels/{wheel.path.name}": wheel.path for wheel in chosen}
        files |= {"onboard.pyz": pyz.packed(source.tree)} | units()
        about = {"version": source.version, "serial": source.serial, "commit": source.commit, "pythons": (board.python,)}
        say("packing")
        for old in folder.glob("platewatch-*.tar"):
            old.unlink()
        made = archive.build(folder, files, machine=platform.machine(), **about)  # type: ignore[arg-type]
    archive.inspect(made)
    return made


def gather(source: Source, folder: Path, python: str, say: Callable[[str], None]) -> list[Wheel]:
    """Our own wheel, pip's, and those of all that ours needs; what lies in `folder` already is not fetched again."""
    say("building our own wheel")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("platewatch-*.whl"):
        old.unlink()
    ours = own.build(source, folder, own.tools(source, folder, say))
    pip.tools([*source.requirements, "pip"], folder, say)
    say("choosing")
    found = pip.resolve([f"{ours.name}=={ours.version}", "pip"], Native(python), folder)  # type: ignore[arg-type]
    fitting = frozenset(wheels.packaging("tags").sys_tags())
    there = {(wheel.name, str(wheel.version)): wheel for wheel in wheels.read_all(folder) if wheel.tags & fitting}
    parse = wheels.packaging("version").Version
    return [there[name, str(parse(version))] for name, version in sorted(found.items())]


def units() -> dict[str, Path | bytes]:
    """Name in the archive -> contents."""
    from deploy.units import render

    with TemporaryDirectory(prefix="platewatch-units-") as folder:
        written = render(Path(folder), Path(CURRENT), Path(CONFIG), "platewatch")
        return {f"units/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in written}
