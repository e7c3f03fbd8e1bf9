"""Writes the two hardened systemd units, daemon and page."""

from __future__ import annotations

import argparse
from pathlib import Path

CONFIG = Path("/etc/platewatch/platewatch.toml")
"""In a folder of its own, which the page may write."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("units", help="write the two hardened systemd units, daemon and page", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write them, e.g. /etc/systemd/system")
    parser.add_argument(
        "--root", type=Path, default=Path("/opt/platewatch"), metavar="DIR", help="where Platewatch and its .venv are (default: /opt/platewatch)"
    )
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"the configuration (default: {CONFIG})")
    parser.add_argument("--user", default="platewatch", help="the system user that both run as (default: platewatch)")


def run(options: argparse.Namespace) -> int:
    from deploy.units import render

    for path in render(options.out, options.root, options.config, options.user):
        print(path)
    return 0
