"""SIGHUP: read the config again, and the bundles where their files have changed. What can change while the daemon runs changes; the rest is named."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

from edge.apart import Apart, Steps
from edge.config import Config, load, sections
from edge.errors import PlatewatchError
from edge.live import needs_restart

log = logging.getLogger(__name__)


class Adopter(Protocol):
    """What a reload asks of the running daemon; each raises PlatewatchError, and then all is as it was."""

    def adopt(self, before: Config, wanted: Config) -> Steps:
        """Go on by another config, which differs in live keys alone."""

    def renew(self) -> Steps:
        """Take the bundles whose files have changed."""

    def changed(self) -> bool:
        """Have they? Cheap enough for every turn."""


class Reload:
    """`words` says what was refused or waits for a restart. `taken` and `refused` count configs since the start."""

    def __init__(self, path: Path, config: Config, adopter: Adopter) -> None:
        self._path, self._current, self._adopter = path, config, adopter
        self._apart = Apart()
        self._asked = self._reading = False
        self._refusal, self._waits = "", ""
        self.waiting: list[str] = []
        """Keys whose change waits for a restart."""
        self.taken = self.refused = 0

    def ask(self) -> None:
        """Safe to call from a signal handler. However often it is asked, the newest file counts."""
        self._asked = True

    @property
    def busy(self) -> bool:
        """Something is asked for or under way."""
        return self._asked or self._apart.busy

    def tend(self) -> None:
        """To be called at every turn."""
        if self._apart.busy:
            self._apart.tend()
        elif self._asked:
            self._asked = False
            self._apart.begin(self._read())
        elif self._adopter.changed():
            self._apart.begin(self._adopter.renew())

    def close(self, within_s: float = 2.0) -> None:
        """The daemon ends."""
        self._apart.close(within_s)

    def words(self) -> str:
        """For the status; empty where there is nothing to say."""
        under_way = "a new config is being taken" if self._reading else ""
        return "; ".join(part for part in (under_way, self._refusal, self._waits) if part)

    def as_json(self) -> dict[str, Any]:
        """For the status: configs taken and refused since the start, and what of the last one waits for a restart."""
        return {"taken": self.taken, "refused": self.refused, "busy": self.busy, "words": self.words(), "waiting": self.waiting}

    def _read(self) -> Steps:
        self._reading = True
        try:
            wanted = load(self._path)
            mixed = taken(self._current, wanted)
            yield from self._adopter.adopt(self._current, mixed)
        except Exception as error:
            self.refused += 1
            why = str(error) if isinstance(error, PlatewatchError) else f"{type(error).__name__}: {error}"
            self._refusal = f"the new config was not taken: {why}; the one of before stays in force"
            log.error("%s", self._refusal, exc_info=None if isinstance(error, PlatewatchError) else error)
            return
        finally:
            self._reading = False
        self._current = mixed
        self.taken += 1
        self.waiting = waits = changes(mixed, wanted)
        self._refusal, self._waits = "", f"restart Platewatch for the changes of {', '.join(waits)}" if waits else ""
        log.info("the config was read again%s", f"; {self._waits}" if waits else "")


def taken(before: Config, wanted: Config) -> Config:
    """The wanted config, but for the keys that wait for a restart: those as before."""
    update: dict[str, Any] = {}
    for section, kind in sections().items():
        old, new = getattr(before, section), getattr(wanted, section)
        kept = {key: getattr(old, key) for key in kind.model_fields if needs_restart(section, key)} if isinstance(old, kind) else {}
        update[section] = new.model_copy(update=kept) if kept else new
    return wanted.model_copy(update=update)


def changes(before: Config, after: Config) -> list[str]:
    """`section.key` of what differs; `targets` as a whole."""
    found = []
    for section, kind in sections().items():
        old, new = getattr(before, section), getattr(after, section)
        if isinstance(old, kind):
            found += [f"{section}.{key}" for key in kind.model_fields if getattr(old, key) != getattr(new, key)]
        elif old != new:
            found.append(section)
    return found
