"""The config as it stands in its file now: the daemon takes changes while the page runs."""

from __future__ import annotations

import threading
from pathlib import Path

from flask import current_app

from edge import config
from edge.config import Config
from edge.errors import ConfigError
from edge.lists.book import stamp_of
from edge.web.api.given import files

_lock = threading.Lock()


def config_now() -> Config:
    """The page's own where it was started without a file, or where the file cannot be used just now: the daemon goes on with that too."""
    path = current_app.extensions.get("config_file")
    if path is None:
        return files().config
    stamp = stamp_of(Path(path))
    with _lock:
        known = current_app.extensions.get("config_now")
        if known is None or known[0] != stamp:
            try:
                known = stamp, config.load(path)
            except ConfigError:
                known = stamp, known[1] if known else files().config
            current_app.extensions["config_now"] = known
    found = known[1]
    assert isinstance(found, Config)
    return found
