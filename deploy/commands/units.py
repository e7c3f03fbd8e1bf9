"""Writes the hardened systemd units, daemon and page, and the settings of the system around them."""

from __future__ import annotations

import argparse
from pathlib import Path

CONFIG = Path("/etc/platewatch/platewatch.toml")
"""In a folder of its own, which the page may write."""
LABEL = "platewatch"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("units", help="write the hardened systemd units, daemon and page", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write them, e.g. /etc/systemd/system")
    parser.add_argument(
        "--root", type=Path, default=Path("/opt/platewatch"), metavar="DIR", help="where Platewatch and its .venv are (default: /opt/platewatch)"
    )
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"the configuration (default: {CONFIG})")
    parser.add_argument("--user", default="platewatch", help="the system user that both run as (default: platewatch)")
    parser.add_argument(
        "--only",
        choices=("services", "mdns", "data"),
        help="services: daemon and page alone; mdns: the page announced, for /etc/avahi/services; data: mount units for a partition of its own",
    )
    parser.add_argument("--label", default=LABEL, help=f"of that partition (default: {LABEL})")


def run(options: argparse.Namespace) -> int:
    from deploy.units import SERVICES, TEMPLATES, optional, render, write

    if options.only == "mdns":
        written = write(options.out, optional.announcement(options.config))
    elif options.only == "data":
        written = write(options.out, optional.partition(options.label))
    else:
        written = render(options.out, options.root, options.config, options.user, SERVICES if options.only else TEMPLATES)
    for path in written:
        print(path)
    return 0
