"""The command line. A command's module is imported when that command is asked for, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from edge.errors import PlatewatchError, plain

COMMANDS: dict[str, tuple[str, str]] = {
    "read": ("edge.reading", "read the plates in pictures"),
    "run": ("edge.wiring", "watch a camera and keep what was read: the daemon"),
    "demo": ("edge.demo", "watch a bundled clip and show it on the status page"),
    "web": ("edge.web.app", "serve the status page"),
    "doctor": ("edge.doctor", "check this device and say what to mend"),
    "replay": ("edge.replay.command", "say what would have been events in a recording, and compare configurations on it"),
    "bench": ("edge.bench.command", "measure the models' speed on this device"),
    "targets": ("edge.publish.command", "list who is told of events, and try one"),
    "lists": ("edge.lists.command", "show the known plates, and what else would be taken for them"),
    "events": ("edge.events.command", "look events up, count, export and delete them"),
    "export-labels": ("edge.labels.command", "what you corrected and confirmed, as a set to train on"),
    "support": ("edge.support", "write a zip for who helps: versions, settings, log, without plates, pictures, lists and secrets"),
    "config": ("edge.settings_file.command", "check a config file, change a key of it, or print an example or the table of all keys"),
}
"""Command -> the module with its `add_arguments(parser)` and `run(args) -> int`, and what it is for."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 when all went well, 1 when something is the user's to mend (one sentence on stderr), 2 for wrong usage, 130 for Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _parser(words).parse_args(words)
        return int(importlib.import_module(COMMANDS[args.command][0]).run(args))
    except PlatewatchError as error:
        print(f"platewatch: {plain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe had enough, as in `platewatch config --table | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that `words` begin with learns its arguments."""
    parser = argparse.ArgumentParser(prog="platewatch", description="Number-plate recognition for the Raspberry Pi, on the device alone.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        if words and words[0] == name:
            importlib.import_module(module).add_arguments(command)
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from edge.status import version

        print(f"platewatch {version()}")
        parser.exit()
