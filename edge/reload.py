"""SIGHUP: read the config again. What can change while the daemon runs changes; the rest is named."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.config import Config, load, sections
from edge.errors import ConfigError

LIVE: dict[str, tuple[str, ...]] = {
    "store": ("retention_days", "known_days", "max_events", "keep_at_least_mb_free"),
    "privacy": ("known_only", "pseudonyms", "key_file", "access_log_rows"),
    "tracking": ("min_reads", "min_characters", "min_confidence", "min_sharpness", "preview_reads"),
}
"""Section -> the keys that need no restart."""
log = logging.getLogger(__name__)


class Reload:
    """`adopt` is handed the config of before with the changes that it may make; `words` says what was refused or waits for a restart."""

    def __init__(self, path: Path, config: Config, adopt: Callable[[Config], None]) -> None:
        self._path, self._started, self._current, self._adopt = path, config, config, adopt
        self._asked = False
        self._refused, self._waits = "", ""

    def ask(self) -> None:
        """Safe to call from a signal handler."""
        self._asked = True

    def tend(self) -> None:
        """To be called at every turn."""
        if not self._asked:
            return
        self._asked = False
        try:
            wanted = load(self._path)
            mixed = taken(self._current, wanted)
            self._adopt(mixed)
        except ConfigError as error:
            self._refused = f"the new config was not taken: {error}; the one of before stays in force"
            log.error("%s", self._refused)
            return
        self._current = mixed
        waits = changes(mixed, wanted)
        self._refused, self._waits = "", f"restart Platewatch for the changes of {', '.join(waits)}" if waits else ""
        log.info("the config was read again%s", f"; {self._waits}" if waits else "")

    def words(self) -> str:
        """For the status; empty where there is nothing to say."""
        return "; ".join(part for part in (self._refused, self._waits) if part)


def taken(before: Config, wanted: Config) -> Config:
    """The config of before with the keys of LIVE as they are wanted."""
    update: dict[str, Any] = {
        section: getattr(before, section).model_copy(update={key: getattr(getattr(wanted, section), key) for key in keys}) for section, keys in LIVE.items()
    }
    return before.model_copy(update=update)


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
