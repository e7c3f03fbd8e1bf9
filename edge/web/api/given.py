"""What the daemon left, for the request at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import abort, current_app

from edge.errands import Answer
from edge.web.daemon_files import DaemonFiles
from edge.web.errands import Errands
from edge.web.scopes import caller

if TYPE_CHECKING:
    from edge.settings_file.settings import SettingsFile


def files() -> DaemonFiles:
    return cast(DaemonFiles, current_app.extensions["daemon_files"])


def settings_file() -> SettingsFile:
    """The config file that the page was started with; 503 where it was started without one."""
    path = current_app.extensions.get("config_file")
    if path is None:
        abort(503, "The page was started without a config file, so that there is nothing to change.")
    from edge.settings_file.settings import SettingsFile  # its parsers are not needed to look at anything

    return SettingsFile(Path(path))


def errand(kind: str, args: dict[str, Any] | None = None) -> Answer:
    """What the daemon answers whoever makes this request; 409 with its sentence where it does not do it."""
    from edge.web.words import closed

    answer = Errands(Path(files().config.runtime.directory)).ask(kind, args, who=caller().name)
    if not answer.ok:
        abort(409, closed(answer.sentence))
    return answer
