"""The lists that the config names, for the request at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import abort, current_app

from edge.errors import ConfigError
from edge.lists.book import stamp_of
from edge.lists.edit import ListFile, Opened
from edge.lists.entry import PlateList
from edge.lists.settings import KINDS, Kind
from edge.web.api.given import files, settings_file
from edge.web.config_now import config_now

if TYPE_CHECKING:
    from edge.settings_file.settings import SettingsFile


@dataclass(frozen=True, slots=True)
class Known:
    """A list of the config. `opened` is None where its file cannot be used, and `problem` says why. `id` is its place in addresses."""

    id: str
    kind: Kind
    file: ListFile
    opened: Opened | None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.opened.plates.name if self.opened else self.file.path.stem


def settings() -> SettingsFile:
    """The config file, to name lists in. Raises ConfigError where the page was started without one."""
    if current_app.extensions.get("config_file") is None:
        raise ConfigError("the page was started without a config file, so that no list can be named in it")
    return settings_file()


def listed() -> Iterator[tuple[str, Kind, ListFile]]:
    """In the order of the config. Two files of one name, in two folders, have a number."""
    config = config_now().lists
    seen: dict[str, int] = {}
    for kind in KINDS:
        for path in map(Path, getattr(config, kind)):
            seen[path.name] = count = seen.get(path.name, 0) + 1
            yield (path.name if count == 1 else f"{path.name}~{count}"), kind, ListFile(path, kind, config)


def all_lists() -> list[Known]:
    return [_opened(*one) for one in listed()]


def the_list(id: str) -> Known:
    """404 where the config names none of that id."""
    for one in listed():
        if one[0] == id:
            return _opened(*one)
    abort(404, "The config names no such list.")


def opened(one: Known) -> Opened:
    """Raises ConfigError where its file cannot be used."""
    if one.opened is None:
        raise ConfigError(one.problem)
    return one.opened


def plates(lists: list[Known]) -> list[PlateList]:
    """Of those that can be used."""
    return [one.opened.plates for one in lists if one.opened is not None]


def _opened(id: str, kind: Kind, file: ListFile) -> Known:
    try:
        return Known(id, kind, file, file.open())
    except ConfigError as error:
        return Known(id, kind, file, None, str(error))


@dataclass(frozen=True, slots=True)
class Taken:
    """What the daemon says of the lists. `trouble` is its own sentence; `lives` is False where nobody takes anything."""

    lives: bool
    trouble: str
    stamps: dict[str, tuple[int, ...]]

    def has(self, path: Path) -> bool:
        """Whether it has read the file as it stands now."""
        return self.lives and self.stamps.get(str(path.resolve())) == stamp_of(path)


def taken() -> Taken:
    found = files().status()
    told = (found or {}).get("lists") or {}
    stamps = {str(Path(name).resolve()): tuple(stamp) for name, stamp in (told.get("files") or {}).items()}
    return Taken(files().is_alive(found), str(told.get("trouble") or ""), stamps)
