"""`python -m train fit`: train one experiment."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "train one experiment, or go on with it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("experiment", type=Path, metavar="EXPERIMENT.toml", help="one of train/experiments, or your own")
    parser.add_argument(
        "--data", type=Path, action="append", required=True, metavar="DIR", help="labelled folder, or a folder of them; may be given several times"
    )
    parser.add_argument("--validate", type=Path, action="append", default=[], metavar="DIR", help="labelled folders to look at, never trained on")
    parser.add_argument("--out", type=Path, help="run folder (default: runs/NAME of the experiment's file)")
    parser.add_argument("--steps", type=int, help="train so many steps in all instead of the experiment's own number")
    parser.add_argument("--every", type=int, default=1000, help="check and save every so many steps (default: 1000)")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")


def run(options: argparse.Namespace) -> int:
    """A run that was stopped goes on where it was."""
    from train.machine import prepare_backend

    prepare_backend(options.threads)
    from train.data.formats.native import find_folders
    from train.fit import fit

    out = options.out or Path("runs") / options.experiment.stem
    print(fit(options.experiment, find_folders(options.data), find_folders(options.validate) if options.validate else [], out, options.steps, options.every))
    return 0
