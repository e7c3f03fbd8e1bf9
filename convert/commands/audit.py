"""Says what is in a TFLite file and refuses what must not be: float, Flex and custom operations, state, loops, broken quantization."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HELP = "what is in a TFLite file; refuses float, Flex operations, state"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, each tensor and operation")
    parser.add_argument("--operations", action="store_true", help="print every operation by itself too")
    parser.add_argument("--allow-float", action="store_true", help="let float and 16-bit variants pass; say what they are")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from convert.audit import audit
    from convert.graph.tables import as_json, print_audit
    from edge.errors import ConfigError

    if options.json is not None and (options.json.is_dir() or not options.json.parent.is_dir()):
        raise ConfigError(f"--json {options.json}: name a file in a folder that is there")
    found = audit(options.file, options.allow_float)
    print_audit(found, options.file, Console() if sys.stdout.isatty() else Console(width=130), options.operations)
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(found, options.file), indent=1) + "\n", encoding="utf-8")
    return 1 if found.complaints else 0
