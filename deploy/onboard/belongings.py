"""What on this device is the owner's own, by the name it has in a backup: the one rule by which backups are made and put back."""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Any

from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import Layout

ABOUT, CONFIG = "backup.json", "etc/platewatch.toml"
EVENTS, KEY = "store/events.sqlite", "store/pseudonym.key"
NEVER = ("etc/trusted.pub",)
"""Whom a device trusts is decided where it is installed."""


def is_secret(name: str) -> bool:
    """Keys, passwords and tokens; the configuration and the users' file hold hashes only."""
    return name.startswith("etc/secrets/") or name.endswith(".key")


def files(layout: Layout, config: dict[str, Any]) -> dict[str, Path]:
    """{name in the backup: path on this device}: the rule by which a backup is made, and by which it is put back."""
    found = {f"etc/{path.relative_to(layout.etc)}": path for path in _below(layout.etc)}
    found |= {f"depot/{path.relative_to(_depot(layout, config))}": path for path in _below(_depot(layout, config))}
    store = _place(layout, config, "store", "path", "var/events.sqlite")
    found |= {EVENTS: store, KEY: _key(layout, config)} | _lists(layout, config)
    return {name: path for name, path in found.items() if name not in NEVER and path.is_file() and not path.is_symlink()}


def goals(layout: Layout, staged: Path) -> dict[str, Path]:
    """Where each file below `staged` belongs, as the configuration among them says; OnboardError for one that it does not name."""
    config = tomllib.loads((staged / CONFIG).read_text(encoding="utf-8"))
    fixed = {EVENTS: _place(layout, config, "store", "path", "var/events.sqlite"), KEY: _key(layout, config)} | _lists(layout, config)
    found = {}
    for path in _below(staged):
        name = str(path.relative_to(staged))
        head, _, rest = name.partition("/")
        if name in fixed:
            found[name] = fixed[name]
        elif head in ("etc", "depot") and name not in NEVER:
            found[name] = (layout.etc if head == "etc" else _depot(layout, config)) / rest
        else:
            raise OnboardError(f"the backup holds {name[:80]!r}, which its own configuration does not name")
    return found


def _lists(layout: Layout, config: dict[str, Any]) -> dict[str, Path]:
    """Lists that stand elsewhere than beside the configuration; a list is .toml or .csv, so no other file is ever written."""
    section = config.get("lists", {})
    named = [str(one) for kind in ("allow", "deny", "ignore") for one in section.get(kind, [])]
    paths = [layout.at(one) if one.startswith("/") else layout.etc / one for one in named]
    outside = [path for path in paths if path.suffix.lower() in (".toml", ".csv") and not _within(path, layout.etc)]
    return {f"lists/{hashlib.sha256(layout.inside(path).encode()).hexdigest()[:8]}-{path.name}": path for path in outside if ".." not in path.parts}


def _place(layout: Layout, config: dict[str, Any], section: str, key: str, default: str) -> Path:
    told = str(config.get(section, {}).get(key) or default)
    return layout.at(told) if told.startswith("/") else layout.etc / told


def _depot(layout: Layout, config: dict[str, Any]) -> Path:
    return _place(layout, config, "models", "depot", "var/bundles")


def _key(layout: Layout, config: dict[str, Any]) -> Path:
    store = _place(layout, config, "store", "path", "var/events.sqlite")
    return _place(layout, config, "privacy", "key_file", "/" + str(store.with_name("pseudonym.key").relative_to(layout.root)))


def _below(folder: Path) -> list[Path]:
    """Files, without links, what is half written, and what SQLite keeps beside its own."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in found if not path.name.endswith((".new", "-wal", "-shm"))]


def _within(path: Path, folder: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(folder)
