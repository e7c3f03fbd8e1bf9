"""The figures of the shipped bundles, or of others, on labelled photographs."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import add_bundles

HELP = "the shipped bundles' figures on labelled photographs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from train.evaluation.output import add_output_arguments

    add_output_arguments(parser)
    parser.add_argument("--errors", type=Path, metavar="DIR", help="write a contact sheet of the worst there")
    add_bundles(parser)
    parser.add_argument("--closer-looks", type=int, metavar="N", help="how many closer looks a picture may cost (default: as the device)")


def run(options: argparse.Namespace) -> int:
    from convert.evaluate import evaluate_bundles

    return evaluate_bundles(options)
