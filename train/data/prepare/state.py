"""Whether a folder to write into is new, half done, done, or somebody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.data.formats.raw import FormatError
from train.data.formats.tree import Tree
from train.data.prepare.write import replace

FILE = "prepare.json"
LOOKS = ".looks.jsonl"


def fingerprint(trees: Sequence[Tree]) -> str:
    """Of all files below the folders: names, sizes, times. It changes when anything there does."""
    told = hashlib.sha256()
    for tree in trees:
        for path in tree.found:
            seen = path.stat()
            told.update(f"{tree.relative(path)} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return told.hexdigest()[:16]


def begin(out: Path, inputs: Sequence[Path], settings: dict[str, Any]) -> bool:
    """True when `out` holds the finished result of these settings already. Raises FormatError where it holds anything else, or lies in an input."""
    for folder in inputs:
        if out.resolve() == folder.resolve() or out.resolve().is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(out.resolve()):
            raise FormatError(f"--out {out}: lies in {folder}, or that lies in it; a run would read what it writes, so name a folder beside it")
    file = out / FILE
    if out.exists() and not out.is_dir():
        raise FormatError(f"--out {out}: is a file; name a folder")
    if not file.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise FormatError(f"--out {out}: holds something already that no `prepare` wrote; name a new folder")
        _write(out, settings, False)
        return False
    try:
        state = json.loads(file.read_text(encoding="utf-8"))
        before, done = dict(state["settings"]), bool(state["done"])
    except (OSError, ValueError, KeyError, TypeError):
        raise FormatError(f"{file}: cannot be read; delete {out} or name a new folder") from None
    changed = [key for key in settings if settings[key] != before.get(key)]
    if changed == ["inputs"]:
        raise FormatError(f"--out {out}: the pictures or labels have changed since it was begun; name a new folder, or delete that one")
    if changed:
        told = ", ".join(f"{key} was {before.get(key)!r} and is {settings[key]!r}" for key in changed if key != "inputs")
        raise FormatError(f"--out {out}: was begun with other settings ({told}); name a new folder, or delete that one")
    return done


def finish(out: Path, settings: dict[str, Any]) -> None:
    """After this a second run has nothing to do."""
    _write(out, settings, True)
    (out / LOOKS).unlink(missing_ok=True)


def _write(out: Path, settings: dict[str, Any], done: bool) -> None:
    replace(out / FILE, (json.dumps({"v": 1, "done": done, "settings": settings}, indent=1, ensure_ascii=False) + "\n").encode())
