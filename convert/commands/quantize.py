"""Keras weights of a run folder to a full-int8 TFLite file, and how it was made as JSON beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import add_data

HELP = "run folder -> full-int8 TFLite file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="run folder of python -m train fit")
    add_data(parser, required=False, words="labelled folders to calibrate on (default: drawn pictures alone)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.tflite")
    parser.add_argument(
        "--method",
        metavar="NAME",
        help="how ranges are chosen: converter (TensorFlow's own), min-max, percentile (99.99 %%; or percentile-99.9), mse, entropy "
        "(default: what measured best on the shipped network of that kind; python -m convert methods measures them on yours)",
    )
    parser.add_argument(
        "--win-back", metavar="STEPS", help="equalise, round, bias, with commas between, or none (default: what measured best, none with --method)"
    )
    parser.add_argument("--timeout", type=float, default=1800.0, metavar="S", help="seconds after which the converter is given up (default: 1800)")


def run(options: argparse.Namespace) -> int:
    from convert.methods.recipes import recipe_for
    from convert.quantize import quantize, record_file
    from edge.errors import ConfigError
    from train.config import load_experiment
    from train.data.formats.native import find_folders

    if options.out.suffix != ".tflite":
        raise ConfigError(f"--out: {options.out} does not end in .tflite")
    if options.timeout <= 0:
        raise ConfigError(f"--timeout: {options.timeout} is not more than 0")
    recipe = recipe_for(load_experiment(options.run_folder / "experiment.toml").kind, options.method, options.win_back)
    file = quantize(options.run_folder, find_folders(options.data) if options.data else [], options.out, timeout_s=options.timeout, recipe=recipe)
    print(f"{file}: int8, {recipe.name}; how it was made stands in {record_file(file).name}")
    return 0
