"""Says where int8 hurts: error by layer against the float network, which layer's int8 the outputs suffer from, and the photographs on which they differ."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from convert.commands.shared import add_data, progress

HELP = "where int8 hurts: error by layer, and the photographs on which float and int8 differ"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="run folder with the float weights, such as train/weights/reader")
    parser.add_argument("file", type=Path, metavar="FILE", help="the int8 file made from it, such as edge/bundles/reader/model.tflite")
    add_data(parser, required=False, words="labelled photographs, best such as were not calibrated on (default: drawn pictures)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write layers.html (with examples from the photographs inside), plots, sheets and JSON there")
    parser.add_argument("--float", dest="float_file", type=Path, metavar="FILE", help="the float32 file, if it is there already (default: made from RUN)")
    parser.add_argument("--pictures", type=int, default=32, metavar="N", help="how many pictures the layers are measured on (default: 32)")


def run(options: argparse.Namespace) -> int:
    import tempfile

    from rich.console import Console

    from edge.errors import ConfigError
    from train.evaluation.output import check_folder

    if options.pictures < 1:
        raise ConfigError(f"--pictures {options.pictures}: must be 1 or more; 32 is usual")
    check_folder(options.out)

    from convert.layers.output import write_report
    from convert.layers.run import examine
    from convert.layers.tables import print_report

    with tempfile.TemporaryDirectory() as scratch:
        found = examine(options.run_folder, options.file, options.data, Path(scratch), options.float_file, options.pictures, progress)
        print_report(found, Console() if sys.stdout.isatty() else Console(width=170))
        if options.out is not None:
            print(write_report(found, options.out, progress))
    return 0
