"""`python -m train`: from photographs to float models. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import importlib
import sys

from edge.errors import PlatewatchError

COMMANDS = ("draw", "prepare", "fit", "compare", "finetune", "average", "search", "evaluate")
"""Modules of `train.commands`, in the order in which --help names them."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m train", description="From photographs to Platewatch's float models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"train.commands.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(action=module.run)
    options = parser.parse_args(arguments)
    try:
        return int(options.action(options))
    except PlatewatchError as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"train: {options.command} was stopped; the same command goes on from what was saved", file=sys.stderr)
        return 130
