"""`python -m deploy`: what a Raspberry Pi needs around the daemon. First edition: the systemd units."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.units import render
from edge.errors import PlatewatchError

CONFIG = Path("/etc/platewatch/platewatch.toml")
"""In a folder of its own, which the page may write."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description="Put Platewatch on a Raspberry Pi.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    units = commands.add_parser("units", help="write the two hardened systemd units, daemon and page")
    units.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write them, e.g. /etc/systemd/system")
    units.add_argument(
        "--root", type=Path, default=Path("/opt/platewatch"), metavar="DIR", help="where Platewatch and its .venv are (default: /opt/platewatch)"
    )
    units.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"the configuration (default: {CONFIG})")
    units.add_argument("--user", default="platewatch", help="the system user that both run as (default: platewatch)")
    options = parser.parse_args(arguments)
    try:
        for path in render(options.out, options.root, options.config, options.user):
            print(path)
    except PlatewatchError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0
