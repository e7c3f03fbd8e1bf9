"""Everything about the shipped bundles once more, from the committed float weights: every variant, what it loses, how fast it is, what it costs a Pi."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import add_data

HELP = "make every variant of the committed weights, verify and measure each: one table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser, required=False, words="labelled folders to calibrate on (default: drawn pictures alone)")
    parser.add_argument("--validate", type=Path, action="append", default=[], metavar="DIR", help="labelled folders to judge on (default: drawn pictures)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for variants.json and variants.md (default: convert/results)")
    parser.add_argument("--work", type=Path, default=Path("runs/variants"), metavar="DIR", help="keeps files and finished steps (default: runs/variants)")
    parser.add_argument("--allowed-drop", type=float, default=0.5, metavar="POINTS", help="how much may be lost, in points (default: 0.5)")
    parser.add_argument("--least", type=int, default=500, metavar="N", help="how many labelled plates a verdict takes (default: 500)")
    parser.add_argument("--views", type=int, metavar="N", help="detector: closer looks a photograph (default: as platewatch read)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="steps at a time, but for what is timed (default: 2)")
    parser.add_argument("--no-cost", action="store_true", help="count no instructions, though an emulator be there")
    parser.add_argument("--table", action="store_true", help="print the table that is in --out, and do nothing else")


def run(options: argparse.Namespace) -> int:
    from convert.reproduce import table

    out = options.out or table.RESULTS
    if options.table:
        print(table.markdown(table.read(out)), end="")
        return 0
    from convert.reproduce.command import reproduce_all

    return reproduce_all(options, out)
