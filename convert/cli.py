"""`python -m convert`: float weights to int8 bundles, and the bundles' figures. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from edge.errors import PlatewatchError

COMMANDS = (
    "quantize",
    "methods",
    "audit",
    "layers",
    "verify",
    "bundle",
    "confidence",
    "evaluate",
    "peers",
    "witnesses",
    "moving",
    "needs",
    "lookalikes",
    "bench",
    "cost",
    "all",
)
"""Modules of `convert.commands`, in the order in which --help names them."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m convert", description="Quantize Platewatch's models and say what they are worth.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"convert.commands.{name}")
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(action=module.run)
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return int(options.action(options))
    except PlatewatchError as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"convert: {options.command} was stopped", file=sys.stderr)
        return 130
