"""Checks a device file, and prints what may stand in one."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("device", help="check a device file, or show what may stand in one", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", type=Path, metavar="DEVICE.toml", help="read it, with all that it names, and make the config of it")
    what.add_argument("--config", type=Path, metavar="DEVICE.toml", help="print the platewatch.toml that is made of it, secrets masked")
    what.add_argument("--table", action="store_true", help="print the table of all keys (markdown)")
    what.add_argument("--schema", action="store_true", help="print the JSON Schema, for editors")


def run(options: argparse.Namespace) -> int:
    if options.table or options.schema:
        from deploy.device import schema

        print(schema.table() if options.table else schema.schema(), end="")
        return 0
    from deploy.card.plan import masked
    from deploy.card.prepare import prepared

    made = prepared(options.check or options.config, None)
    if options.config:
        print(masked(made.config.text, made.secrets), end="")
        return 0
    print(f"{options.check}: good; the page will be at {made.address()}")
    return 0
