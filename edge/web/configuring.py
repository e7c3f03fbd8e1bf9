"""The config file behind the screens that change it: written, put in force, and told how that went."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app, render_template
from flask.typing import ResponseReturnValue

from edge.errors import ConfigError, PlatewatchError
from edge.settings_file.effect import put_in_force
from edge.settings_file.settings import Saved, SettingsFile
from edge.web.api.given import files
from edge.web.scopes import caller
from edge.web.words import closed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`restart` and `page` are keys that wait for a restart; `in_force` and `sentence` are what the daemon said of the rest."""

    etag: str
    changed: tuple[str, ...]
    restart: tuple[str, ...]
    page: tuple[str, ...]
    in_force: bool
    sentence: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def has_file() -> bool:
    return current_app.extensions.get("config_file") is not None


def path() -> Path:
    """Raises ConfigError for a page that was started without one, as a test's."""
    found = current_app.extensions.get("config_file")
    if found is None:
        raise ConfigError("this page was started without a config file, so that there is nothing to change")
    assert isinstance(found, Path)
    return found


def settings_file() -> SettingsFile:
    return SettingsFile(path())


def saved(write: Callable[[SettingsFile], Saved]) -> Outcome:
    """Writes, and has the daemon read it. Raises what `write` raises; then nothing was written."""
    done = write(settings_file())
    if not done.changed:
        return Outcome(done.etag, (), (), (), True, "nothing changed")
    who = caller().name
    log.info("%s changed %s", who, ", ".join(done.changed))
    answer = put_in_force(_runtime(), who)
    return Outcome(done.etag, done.changed, done.restart, done.page, answer.ok, answer.sentence)


def in_words(error: PlatewatchError) -> str:
    """Its sentence for a person; a key at its beginning stays as it is written in the file."""
    said = str(error)
    return closed(said) if re.match(r"\w+ ", said) else f"{said.rstrip('.')}."


def nothing(error: ConfigError) -> ResponseReturnValue:
    """The page of a room that cannot work: there is no config file, or it cannot be read."""
    return render_template("settings_none.html", problem=in_words(error) if has_file() else ""), 503 if has_file() else 200


def _runtime() -> Path:
    return Path(files().config.runtime.directory)
