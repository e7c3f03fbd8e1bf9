"""`python -m train prepare`: from anybody's photographs and labels to a checked set in the native format, split into train, validation and test."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from train.data.formats import FORMATS

HELP = "turn photographs and labels of many formats into checked training sets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="DIR", help="folder with pictures and their labels, or one label file; several are merged")
    parser.add_argument("--out", type=Path, metavar="DIR", help="new folder for train/NAME, validation/NAME, test/NAME and the reports")
    parser.add_argument("--check", action="store_true", help="only look and tell; write nothing")
    parser.add_argument("--format", choices=("auto", *FORMATS), default="auto", metavar="NAME", help=f"auto (the default) or one of {', '.join(FORMATS)}")
    parser.add_argument("--split", default="80/10/10", metavar="A/B/C", help="per cent of train/validation/test (default: 80/10/10)")
    parser.add_argument("--seed", type=int, default=1, help="of the split and of the contact sheet (default: 1)")
    parser.add_argument("--source", metavar="NAME", help="name of the set, where the labels have none (default: the folder's name)")
    parser.add_argument("--licence", metavar="TEXT", help="under which the photographs may be used; noted in every row that has none")
    parser.add_argument("--country", metavar="CC", help="ISO 3166 code, where the labels have none and one holds for all plates")
    parser.add_argument("--plate-class", action="append", default=[], metavar="NAME", help="class that is the plate, where its name does not say so")
    parser.add_argument(
        "--session", default="keep", metavar="REGEX", help="what in a picture's path names its camera run; keep (the default): as the labels say; none"
    )
    parser.add_argument(
        "--exif", choices=("upright", "stored"), default="upright", help="on which side up labels of turned photographs were drawn, where nothing tells"
    )
    parser.add_argument("--link", action="store_true", help="hard links instead of copies, where a picture need not be written anew")
    parser.add_argument(
        "--crops", action=argparse.BooleanOptionalAction, default=True, help="cut plates with a text out of photographs, for the reader (default: yes)"
    )
    parser.add_argument("--drop-near-duplicates", action="store_true", help="keep one of pictures that look alike, instead of keeping them on one side")
    parser.add_argument("--strict", action="store_true", help="exit 1 when anything was dropped")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")


def run(options: argparse.Namespace) -> int:
    """A run that was stopped goes on where it was; one that is done says so."""
    from rich.console import Console

    from train.data.formats.raw import FormatError
    from train.data.prepare.run import Plan, prepare

    if (options.out is None) != options.check:
        raise FormatError("--out DIR or --check: one of the two, where to write or that nothing is to be written")
    plan = Plan(
        tuple(options.inputs),
        options.out,
        options.format,
        options.split,
        options.seed,
        options.source,
        options.licence,
        options.country,
        tuple(options.plate_class),
        options.session,
        options.exif,
        options.link,
        options.crops,
        options.drop_near_duplicates,
        options.strict,
        options.threads or os.cpu_count() or 1,
    )
    prepare(plan, Console())
    return 0
