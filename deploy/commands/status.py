"""Asks devices over SSH which release they run and how they are. Exit code 1 where one is not well or does not answer."""

from __future__ import annotations

import argparse

from deploy.fleet.command import add_hosts, go


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("status", help="which release devices run and how they are, over SSH", description=__doc__)
    add_hosts(parser, changes=False)


def run(options: argparse.Namespace) -> int:
    from deploy.fleet.acts import ask

    return go("status", ask, options)
