"""The systemd units, and the settings of the system around them, as templates beside this file, in folders as systemd has them."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from edge.errors import ConfigError

SHARED = tuple(map(Path, ("/", "/etc", "/usr", "/opt", "/var", "/var/lib", "/home", "/root", "/boot", "/boot/firmware", "/srv", "/run", "/tmp")))
"""Folders that are not only ours, or hold what starts the machine."""
FOLDER = Path(__file__).parent
SERVICES = tuple(FOLDER / name for name in ("platewatch-web.service", "platewatch.service"))
"""The page and the daemon."""
TEMPLATES = (*sorted(FOLDER.glob("*.service")), *sorted(FOLDER.glob("*.timer")), *sorted(FOLDER.glob("*.conf.d/*.conf")))
"""All of a release; deploy/onboard/units.py says where on the device each belongs."""


def render(out: Path, root: Path, config: Path, user: str, templates: tuple[Path, ...] = TEMPLATES) -> list[Path]:
    """Write each unit into `out`; raises ConfigError when a path or the user cannot stand in a unit file or `out` cannot be written."""
    for value in (root, config):
        if not value.is_absolute() or re.search(r"[\s%\"'\\$]", str(value)):
            raise ConfigError(f"{value}: must be an absolute path without spaces, quotes, % or $")
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*", user):
        raise ConfigError(f"{user}: no user name that systemd takes")
    words = {"root": root, "config": config, "user": user, "writable": writable(config)}
    return write(out, {str(path.relative_to(FOLDER)): Template(path.read_text(encoding="utf-8")).substitute(words) for path in templates})


def write(out: Path, files: dict[str, str]) -> list[Path]:
    """Name below `out` -> text; raises ConfigError where they cannot be written."""
    try:
        for name, text in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    return [out / name for name in files]


def writable(config: Path) -> str:
    """The line that lets the page change the settings and the lists: a file is replaced as a whole, so its folder must be writable, and be its alone."""
    folder = config.parent
    if folder in SHARED:
        return f"# The page cannot change the settings: {config} does not stand in a folder of its own, such as /etc/platewatch."
    return f"# The page changes the settings and the lists, which stand here.\nReadWritePaths=-{folder}"
