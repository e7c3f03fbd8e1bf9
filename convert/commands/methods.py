"""Measures every calibration method, and every step that wins back on top of the best, and says which to take."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from convert.commands.shared import add_data, progress

HELP = "measure the calibration methods on your photographs, and say which to take"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="run folder of python -m train fit")
    add_data(parser, required=True, words="labelled folders to calibrate on")
    parser.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders to measure on, never trained on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for methods.json, methods.png and the int8 files with their records")
    parser.add_argument("--threshold", type=float, help="detector: score from which a detection counts (default: 0.4)")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from convert.methods.comparing import check_folders, compare
    from convert.methods.showing import show, write
    from edge.errors import ConfigError
    from train.config import load_experiment
    from train.data.formats.native import find_folders

    kind = load_experiment(options.run_folder / "experiment.toml").kind
    if options.threshold is not None and not 0 < options.threshold < 1:
        raise ConfigError(f"--threshold: {options.threshold} is not between 0 and 1")
    data, validation = find_folders(options.data), find_folders(options.validate)
    check_folders(kind, data, validation)
    found = compare(options.run_folder, data, validation, options.out, options.threshold, lambda words: print(f"convert: {words}", file=sys.stderr), progress)
    write(found, options.out)
    show(found, Console() if sys.stdout.isatty() else Console(width=150))
    print(f"{options.out / 'methods.json'}, {options.out / 'methods.png'}; the file to take: {options.out / found.chosen_file}")
    return 0
