"""`python -m train search`: look for better settings of an experiment, on the validation photographs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "look for better settings of an experiment, or go on looking"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("search", type=Path, metavar="SEARCH.toml", help="base experiment and ranges; examples are in train/experiments/search")
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="DIR", help="labelled folders to learn from (default: drawn pictures alone)")
    parser.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders to choose on, never trained on")
    parser.add_argument("--out", type=Path, help="folder of the search (default: runs/search-NAME of the file)")
    parser.add_argument("--trials", type=int, metavar="N", help="stop after so many trials in all, those of earlier calls included (default: the file's)")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")


def run(options: argparse.Namespace) -> int:
    """A search that was stopped goes on with the trial that it was in."""
    from edge.errors import ConfigError
    from train.data.formats.native import find_folders
    from train.search.space import load_search

    search = load_search(options.search)
    if options.trials is not None and options.trials < 1:
        raise ConfigError(f"--trials: {options.trials} is less than 1")
    data = find_folders(options.data) if options.data else []
    validation = find_folders(options.validate)
    out = options.out or Path("runs") / f"search-{options.search.stem}"

    from train.machine import prepare_backend

    prepare_backend(options.threads)
    from rich.console import Console

    from train.search.report import print_trials
    from train.search.study import run_search

    trials = run_search(search, data, validation, out, options.trials or search.trials, lambda words: print(f"train: {words}", file=sys.stderr))
    print_trials(trials, search, Console() if sys.stdout.isatty() else Console(width=130))
    print(out / "best.toml")
    return 0
