"""The systemd units, as templates beside this file."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from edge.errors import ConfigError

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
            path.write_text(Template(template.read_text(encoding="utf-8")).substitute(root=root, config=config, user=user), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    return written
