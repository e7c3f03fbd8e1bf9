"""Which list files a config names, and naming one more."""

from __future__ import annotations

import os
from pathlib import Path

from edge.errors import ConfigError
from edge.lists.edit import ListFile, Opened, create
from edge.lists.settings import KINDS, Kind
from edge.settings_file.draft import Change
from edge.settings_file.settings import SettingsFile


def lists_of(settings: SettingsFile) -> list[ListFile]:
    """In the order of the config; a file may be missing or broken, which its own `open` says. Raises ConfigError where the config cannot be used."""
    config = settings.open().config
    if config is None:
        raise ConfigError(f"{settings.path}: has errors; mend it first")
    base = settings.path.resolve().parent
    return [ListFile(base / name, kind, config.lists) for kind in KINDS for name in getattr(config.lists, kind)]


def add_list(settings: SettingsFile, name: str, kind: Kind) -> Opened:
    """A new empty file `lists/NAME` beside the config, named in it. One that lies there already is taken as it is."""
    opened = settings.open()
    if opened.config is None:
        raise ConfigError(f"{settings.path}: has errors; mend it first")
    base = settings.path.resolve().parent
    if Path(name).name != name or name.startswith(".") or not name.isprintable():
        raise ConfigError(f"{name[:60]!r} is no name for a file; write one such as family.toml")
    path = base / "lists" / name
    written = os.path.relpath(path, base)
    there = [one for other in KINDS for one in getattr(opened.config.lists, other) if (base / one).resolve() == path.resolve()]
    if there:
        raise ConfigError(f"{name}: the config names it already")
    file = ListFile(path, kind, opened.config.lists)
    made = not path.exists()
    found = create(path, kind, opened.config.lists) if made else file.open()
    try:
        settings.save([Change(f"lists.{kind}", "set", [*getattr(opened.config.lists, kind), written])], opened.etag)
    except Exception:
        if made:
            path.unlink(missing_ok=True)
        raise
    return found


def drop_list(settings: SettingsFile, path: Path) -> None:
    """The config names it no more; the file stays."""
    opened = settings.open()
    if opened.config is None:
        raise ConfigError(f"{settings.path}: has errors; mend it first")
    base = settings.path.resolve().parent
    for kind in KINDS:
        named = getattr(opened.config.lists, kind)
        left = [name for name in named if base / name != path]
        if len(left) < len(named):
            settings.save([Change(f"lists.{kind}", "set", left)], opened.etag)
            return
    raise ConfigError(f"{path.name}: the config does not name it")
