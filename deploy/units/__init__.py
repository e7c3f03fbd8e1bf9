"""The systemd units, as templates beside this file."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from edge.errors import ConfigError

SHARED = tuple(map(Path, ("/", "/etc", "/usr", "/opt", "/var", "/var/lib", "/home", "/root", "/boot", "/boot/firmware", "/srv", "/run", "/tmp")))
"""Folders that are not only ours, or hold what starts the machine."""
TEMPLATES = sorted(Path(__file__).parent.glob("*.service"))


def render(out: Path, root: Path, config: Path, user: str) -> list[Path]:
    """Write each unit into `out`; raises ConfigError when a path or the user cannot stand in a unit file or `out` cannot be written."""
    for value in (root, config):
        if not value.is_absolute() or re.search(r"[\s%\"'\\$]", str(value)):
            raise ConfigError(f"{value}: must be an absolute path without spaces, quotes, % or $")
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*", user):
        raise ConfigError(f"{user}: no user name that systemd takes")
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for template in TEMPLATES:
            path = out / template.name
            text = Template(template.read_text(encoding="utf-8")).substitute(root=root, config=config, user=user, writable=writable(config))
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    return written


def writable(config: Path) -> str:
    """The line that lets the page change the settings and the lists: a file is replaced as a whole, so its folder must be writable, and be its alone."""
    folder = config.parent
    if folder in SHARED:
        return f"# The page cannot change the settings: {config} does not stand in a folder of its own, such as /etc/platewatch."
    return f"# The page changes the settings and the lists, which stand here.\nReadWritePaths=-{folder}"
