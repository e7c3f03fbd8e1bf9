"""What an earlier release was made of, wheel by wheel with its hash, so that the same archive can be made again on another day."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.release.errors import ReleaseError, in_words
from deploy.release.wheels import packaging


@dataclass(frozen=True, slots=True)
class Pins:
    """File name -> sha256."""

    sets: dict[str, dict[str, str]]
    """By Python; our own wheel is not among them: it follows from the commit and the tools."""
    tools: dict[str, str]
    """What built our own wheel."""


def read(path: Path) -> Pins:
    """Of a wheelhouse.json; raises ReleaseError where it is none."""
    with in_words():
        raw = path.read_bytes()
    try:
        plain = json.loads(raw)
        if plain["format"] != 1:
            raise ValueError("of another format")
        hashes = {_name(name): str(about["sha256"]) for name, about in plain["wheels"].items()}
        sets = {python: {name: hashes[name] for name in names if not name.startswith("platewatch-")} for python, names in plain["pythons"].items()}
        tools = {_name(name): str(one) for name, one in plain["tools"].items()}
        wrong = [one for one in (*hashes.values(), *tools.values()) if not re.fullmatch("[0-9a-f]{64}", one)]
        if wrong:
            raise ValueError("a hash is none")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"{path}: is no record of a wheelhouse ({str(error)[:80]}); a release's own lies beside its archive") from None
    return Pins(sets, tools)


def lines(files: Mapping[str, str]) -> str:
    """A requirements file that pip takes these files by, and no others."""
    found = []
    for name, sha256 in sorted(files.items()):
        project, version, *_ = packaging("utils").parse_wheel_filename(name)
        found.append(f"{project}=={version} --hash=sha256:{sha256}\n")
    return "".join(found)


def _name(name: str) -> str:
    packaging("utils").parse_wheel_filename(name)  # a ValueError where it is none; a wheel's name holds no slash
    if Path(name).name != name:
        raise ValueError("a name leads elsewhere")
    return name
