"""What the daemon left, for the request at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import abort, current_app

from edge.web.daemon_files import DaemonFiles

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
