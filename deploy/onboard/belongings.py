"""What on this device is the owner's own, by the name it has in a backup: the one rule by which backups are made and put back."""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Any

from deploy.onboard import disk
from deploy.onboard.errors import OnboardError
from deploy.onboard.layout import Layout

ABOUT, CONFIG = "backup.json", "etc/platewatch.toml"
EVENTS, KEY = "store/events.sqlite", "store/pseudonym.key"
NEVER = ("etc/trusted.pub",)
"""Whom a device trusts is decided where it is installed."""
PLACES = ("etc/platewatch", "var/lib/platewatch", "srv", "mnt", "media", "data")
"""Where the configuration may lead to. Root reads and writes there, and who wrote the configuration, the page or a stranger's backup, is not root."""


def is_secret(name: str) -> bool:
    """Keys, passwords and tokens; the configuration and the users' file hold hashes only."""
    return name.startswith("etc/secrets/") or name.endswith(".key")


def files(layout: Layout, config: dict[str, Any]) -> dict[str, Path]:
    """{name in the backup: path on this device}: the rule by which a backup is made, and by which it is put back."""
    found = {f"etc/{path.relative_to(layout.etc)}": path for path in _below(layout.etc)}
    found |= {f"depot/{path.relative_to(_depot(layout, config))}": path for path in _below(_depot(layout, config))}
    told = {EVENTS: _store(layout, config), KEY: _key(layout, config)} | _lists(layout, config)
    if links := [path for path in (layout.config, *told.values()) if path.is_symlink()]:
        raise OnboardError(f"{links[0]}: is a link, and a backup follows none; let the configuration name the file itself")
    found |= told
    return {name: path for name, path in found.items() if name not in NEVER and path.is_file() and not path.is_symlink()}


def goals(layout: Layout, staged: Path) -> dict[str, Path]:
    """Where each file below `staged` belongs, as the configuration among them says; OnboardError for one that it does not name."""
    config = settings(staged / CONFIG)
    fixed = {EVENTS: _store(layout, config), KEY: _key(layout, config)} | _lists(layout, config)
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
        if found[name] == layout.trusted:
            raise OnboardError(f"the backup holds {name[:80]!r} in the place of {layout.trusted}; whom a device trusts no backup changes")
    return found


def settings(path: Path) -> dict[str, Any]:
    """A configuration as it is written; OnboardError where it is none: it alone tells where all else is."""
    with disk.named(path):
        raw = path.read_bytes()
    try:
        return tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise OnboardError(f"{path}: is no configuration ({error}), and it alone tells where events and lists are; mend it first") from None


def _lists(layout: Layout, config: dict[str, Any]) -> dict[str, Path]:
    """Lists that stand elsewhere than beside the configuration; a list is .toml or .csv, so no other file is ever written."""
    section = _table(config, "lists")
    named = [str(one) for kind in ("allow", "deny", "ignore") if isinstance(section.get(kind), list) for one in section[kind]]
    paths = [layout.at(one) if one.startswith("/") else layout.etc / one for one in named]
    outside = [path for path in paths if path.suffix.lower() in (".toml", ".csv") and not _within(path, layout.etc) and _may(layout, path)]
    return {f"lists/{hashlib.sha256(layout.inside(path).encode()).hexdigest()[:8]}-{path.name}": path for path in outside}


def _place(layout: Layout, config: dict[str, Any], section: str, key: str, default: str) -> Path:
    told = str(_table(config, section).get(key) or default)
    path = layout.at(told) if told.startswith("/") else layout.etc / told
    if not _may(layout, path):
        known = ", ".join(f"/{place}" for place in PLACES)
        raise OnboardError(f"[{section}] {key} = {told[:80]!r} leads where nothing of Platewatch's belongs; backups know what is below {known}")
    return path


def _may(layout: Layout, path: Path) -> bool:
    """Below one of PLACES, without a detour, and nothing hidden such as `.ssh`."""
    parts = path.relative_to(layout.root).parts
    return any(path.is_relative_to(layout.at(place)) for place in PLACES) and not any(part.startswith(".") for part in parts)


def _table(config: dict[str, Any], section: str) -> dict[str, Any]:
    found = config.get(section)
    return found if isinstance(found, dict) else {}


def _store(layout: Layout, config: dict[str, Any]) -> Path:
    return _place(layout, config, "store", "path", "var/events.sqlite")


def _depot(layout: Layout, config: dict[str, Any]) -> Path:
    return _place(layout, config, "models", "depot", "var/bundles")


def _key(layout: Layout, config: dict[str, Any]) -> Path:
    return _place(layout, config, "privacy", "key_file", layout.inside(_store(layout, config).with_name("pseudonym.key")))


def _below(folder: Path) -> list[Path]:
    """Files, without links, what is half written, and what SQLite keeps beside its own."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in found if not path.name.endswith((".new", "-wal", "-shm"))]


def _within(path: Path, folder: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(folder)
