"""Fits the confidence of a reader bundle to labelled photographs."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import progress

HELP = "fit a reader bundle's confidence to labelled photographs, those of your own camera perhaps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, help="the reader's bundle; its manifest is written anew")
    parser.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders, never trained on")
    parser.add_argument("--detector", type=Path, metavar="DIR", help="another detector bundle than the shipped one")


def run(options: argparse.Namespace) -> int:
    from convert.confidence import in_words, refit
    from edge.model.manifest import SHIPPED
    from train.data.formats.native import find_folders

    found = refit(options.bundle, find_folders(options.validate), options.detector or SHIPPED / "detector", progress)
    print(f"{options.bundle}: {in_words(found)}")
    return 0
