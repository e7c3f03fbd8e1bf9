"""All lists together: which known plate a text is, and the same again when a file has changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.keeping.belief import UNSET
from edge.lists.entry import ALWAYS, Entry, PlateList
from edge.lists.files import read_list
from edge.lists.index import Index
from edge.lists.settings import KINDS, ListsConfig
from edge.plates.lookalike import HAIR
from edge.records import Match

LOOK_EVERY_S = 2.0
PRECEDENCE = {"ignore": 0, "deny": 1, "allow": 2}
"""Who wants no record gets none; and what is refused by one list is welcome by none."""
log = logging.getLogger(__name__)
Stamp = tuple[tuple[int, int, int], ...]


class Book:
    """Lists that never change."""

    def __init__(self, lists: Sequence[PlateList]) -> None:
        self.lists = tuple(lists)
        self._exact: dict[str, list[tuple[PlateList, Entry]]] = {}
        for one in self.lists:
            for entry in one.entries:
                self._exact.setdefault(entry.plate, []).append((one, entry))
        self._index = Index(self._exact, max((one.tolerance for one in self.lists), default=0.0))
        self._near = lru_cache(maxsize=1024)(self._within)

    def match(self, text: str, at: datetime) -> Match | None:
        """The plate that `text` is taken for at a time that knows its zone; None for a stranger.

        Of several: one that counts at this time before one that does not, ignore before deny before allow, then the nearest.
        """
        found = [Match(one.name, one.kind, entry.plate, entry.label, entry.group, away, is_due(one, entry, at)) for away, one, entry in self._near(text)]
        # What counts as refused or ignored only at other times is no news now; of a welcome one it is told that it came at the wrong time.
        found = [match for match in found if match.due or match.kind == "allow"]
        return min(found, key=lambda match: (not match.due, PRECEDENCE[match.kind], match.distance, match.list, match.plate), default=None)

    def _within(self, text: str) -> tuple[tuple[float, PlateList, Entry], ...]:
        """Everything in reach of `text`, with its distance."""
        if not text:
            return ()
        near = self._index.near(text)
        return tuple((away, one, entry) for plate, away in near for one, entry in self._exact[plate] if away <= one.tolerance + HAIR)


def is_due(one: PlateList, entry: Entry, at: datetime) -> bool:
    """Whether an entry counts. By a clock that was never set who is welcome at times is not, and who is not welcome, or ignored, at times is."""
    if at < UNSET and entry.schedule != ALWAYS:
        return one.kind != "allow"
    return entry.schedule.covers(at, one.where)


class Lists:
    """The lists of a config. A changed file is read again; one that cannot be used leaves all lists as they were, and `trouble` says why."""

    def __init__(self, config: ListsConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config, self._clock = config, clock
        self._files = [(Path(name), kind) for kind in KINDS for name in getattr(config, kind)]
        self._stamp, self.book = self._state(), self._read()
        self._looked_at = clock()
        self.trouble = ""

    def adopt(self, fresh: Lists) -> None:
        """From now on the files, the settings and the plates of another."""
        self._config, self._files, self._stamp, self._looked_at = fresh._config, fresh._files, fresh._stamp, fresh._looked_at
        self.book, self.trouble = fresh.book, fresh.trouble

    def match(self, text: str, at: datetime) -> Match | None:
        """As `Book.match`, by the newest lists."""
        self.refresh()
        return self.book.match(text, at)

    def refresh(self) -> None:
        """Read the files again if one has changed; cheap enough for every frame."""
        now = self._clock()
        if not self._files or now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        stamp = self._state()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.book, self.trouble = self._read(), ""
            log.info("the lists were read again: %d plates", sum(len(one.entries) for one in self.book.lists))
        except ConfigError as error:
            self.trouble = f"{error}; until then the lists are those of before, and the gate stays closed"
            log.error("%s", self.trouble)

    def as_json(self) -> dict[str, Any]:
        """For the status, and with it the files are looked at even while no plate comes: {file: (inode, size, time)} as it was when it was last read."""
        self.refresh()
        files = {str(path): list(stamp) for (path, _), stamp in zip(self._files, self._stamp, strict=True)}
        return {"plates": sum(len(one.entries) for one in self.book.lists), "trouble": self.trouble, "files": files}

    def _read(self) -> Book:
        return Book([read_list(path, kind, self._config) for path, kind in self._files])

    def _state(self) -> Stamp:
        return tuple(stamp_of(path) for path, _ in self._files)


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Of a list's file; as long as it is the same, so is the list."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)
