"""Who sits at this computer. Cards are written with sudo, but keys, files and names are those of the one who typed it."""

from __future__ import annotations

import contextlib
import getpass
import os
from pathlib import Path


def sudo_user() -> str:
    """Who typed sudo; '' without it."""
    return os.environ.get("SUDO_USER", "") if hasattr(os, "geteuid") and os.geteuid() == 0 else ""


def expanded(path: str) -> Path:
    """With `~` for the owner's home."""
    user = sudo_user()
    with contextlib.suppress(RuntimeError):
        if user and (path == "~" or path.startswith("~/")):
            return Path(f"~{user}{path[1:]}").expanduser()
        return Path(path).expanduser()
    return Path(path)


def login() -> str:
    """The owner's login name; '' where it cannot be told."""
    try:
        return sudo_user() or getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def give_back(path: Path) -> None:
    """A file that was made with sudo belongs to who typed it."""
    if sudo_user():
        with contextlib.suppress(OSError, ValueError):
            os.chown(path, int(os.environ.get("SUDO_UID", "-1")), int(os.environ.get("SUDO_GID", "-1")))
