"""Takes devices back to the release before the one in use, over SSH."""

from __future__ import annotations

import argparse

from deploy.fleet.command import add_hosts, go


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("rollback", help="take devices back to the release before, over SSH", description=__doc__)
    add_hosts(parser)


def run(options: argparse.Namespace) -> int:
    from deploy.fleet.acts import roll_back

    return go("rollback", roll_back, options)
