"""Our own wheel: built from a copy of the sources, and compared with them file by file, since a folder that packaging forgot shows on the device only."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.release import pins, pip, wheels
from deploy.release.errors import ReleaseError
from deploy.release.source import HOUSES, Source
from deploy.release.wheels import Wheel

TOOLS = ".tools"
"""Folder in a wheelhouse for what builds our wheel; it goes to no device."""


def build(source: Source, folder: Path, tools: Path) -> Wheel:
    """Our wheel of `source` in `folder`, in place of an older one; the same source and tools make the same bytes."""
    with TemporaryDirectory(prefix=".own-", dir=folder) as fresh:
        made = pip.build(source.tree, Path(fresh), tools, source.serial)
        differences = compare(made, source.tree)
        if differences:
            raise ReleaseError(f"{made.name} is not what the sources are: {'; '.join(differences[:5])}{' ...' if differences[5:] else ''}")
        made.chmod(0o644)
        os.replace(made, folder / made.name)
    wheel = wheels.read(folder / made.name)
    stated = {str(need) for need in wheel.requires if "extra" not in str(need.marker)}
    wanted = {str(wheels.packaging("requirements").Requirement(line)) for line in source.requirements}
    if stated != wanted:
        raise ReleaseError(f"{made.name} asks for other packages than pyproject.toml: {', '.join(sorted(stated ^ wanted))}")
    return wheel


def tools(source: Source, folder: Path, say: pip.Say, *, offline: bool = False, pinned: Mapping[str, str] | None = None) -> Path:
    """The folder of what builds our wheel, below the wheelhouse; with `pinned` (file name -> sha256) exactly those files, in a folder of their own."""
    wanted = pins.lines(pinned) if pinned else ""
    place = folder / TOOLS / (hashlib.sha256(wanted.encode()).hexdigest()[:12] if pinned else "newest")
    if not offline and _lacking(source.builders, place):
        if pinned:
            pip.download_pinned(wanted, (), place, say)
        else:
            pip.tools(source.builders, place, say)
    if lacking := _lacking(source.builders, place):
        raise ReleaseError(f"{place}: {', '.join(lacking)} is not there to build our wheel with; run once with a network")
    for name, sha256 in (pinned or {}).items():
        if wheels.sha256(place / name) != sha256:
            raise ReleaseError(f"{place / name}: is not what the earlier release was built with; delete it and run with a network")
    return place


def compare(wheel: Path, tree: Path) -> list[str]:
    """What differs, in words: all of `edge` but its READMEs must be in the wheel, every Python file of the others, and nothing that is not in the tree."""
    with zipfile.ZipFile(wheel) as packed:
        inside = {name: packed.read(name) for name in packed.namelist() if not name.endswith("/") and ".dist-info/" not in name}
    present = {path.relative_to(tree).as_posix(): path for house in HOUSES for path in sorted((tree / house).rglob("*")) if path.is_file()}
    needed = [name for name in present if name.endswith(".py") or (name.startswith("edge/") and not name.endswith(".md"))]
    missing = [f"{name} is missing in it" for name in needed if name not in inside]
    strange = [f"{name} is in it and not in the sources" for name in sorted(inside) if name not in present]
    return missing + strange + [f"{name} differs" for name, raw in sorted(inside.items()) if name in present and present[name].read_bytes() != raw]


def _lacking(builders: tuple[str, ...], tools: Path) -> list[str]:
    """Those of `builders` that no wheel in `tools` is."""
    requirement, parse = wheels.packaging("requirements").Requirement, wheels.packaging("utils").parse_wheel_filename
    there = [parse(path.name)[:2] for path in tools.glob("*.whl")]
    canonical = wheels.packaging("utils").canonicalize_name
    return [
        line
        for line in builders
        if not any(name == canonical(requirement(line).name) and requirement(line).specifier.contains(version) for name, version in there)
    ]
