"""Keras weights of a run folder to a full-int8 TFLite file."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import add_data

HELP = "run folder -> full-int8 TFLite file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="run folder of python -m train fit")
    add_data(parser, required=False, words="labelled folders to calibrate on (default: drawn pictures alone)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.tflite")


def run(options: argparse.Namespace) -> int:
    from convert.quantize import quantize
    from train.data.formats.native import find_folders

    print(quantize(options.run_folder, find_folders(options.data) if options.data else [], options.out))
    return 0
