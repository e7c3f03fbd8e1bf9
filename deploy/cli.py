"""`python -m deploy`: what a Raspberry Pi needs around the daemon. Commands' modules are light; what is heavy they load when they run."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from edge.errors import PlatewatchError, plain

COMMANDS = (
    "keys",
    "wheelhouse",
    "release",
    "card",
    "flash",
    "prepare-sd",
    "disks",
    "device",
    "install",
    "here",
    "update",
    "rollback",
    "trust",
    "status",
    "broker",
    "os-list",
    "units",
)
"""Modules of `deploy.commands` (`prepare-sd` is `prepare_sd`), in the order in which --help names them. Each has `add(subparsers)` and `run(args) -> int`."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one sentence on stderr, 2 for wrong usage, 130 for Ctrl-C, whenever that comes."""
    command = "deploy"
    try:
        parser = argparse.ArgumentParser(prog="python -m deploy", description="Put Platewatch on a Raspberry Pi, and keep it up to date there.")
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        modules = {name: importlib.import_module(f"deploy.commands.{name.replace('-', '_')}") for name in COMMANDS}
        for module in modules.values():
            module.add(commands)
        options = parser.parse_args(arguments)
        command = options.command
        return int(modules[command].run(options) or 0)
    except PlatewatchError as error:
        print(f"deploy: {plain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"deploy: {command} was stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe had enough, as in `python -m deploy device --table | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
