"""The gate: a TFLite file of any variant and the float weights it was made from, on the same photographs, through the device's own code."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import progress

HELP = "compare a file of any variant with float on photographs: may it ship?"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="run folder of python -m train fit, or train/weights/detector or reader")
    parser.add_argument("file", type=Path, metavar="FILE", help="a TFLite file made from it: int8, float16, dynamic...")
    parser.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders, never trained on")
    parser.add_argument("--variant-of", type=Path, metavar="BUNDLE", help="bundle whose threshold, margin and confidence hold (default: the shipped one)")
    parser.add_argument("--float", dest="floats", choices=("tflite", "keras"), default="tflite", help="the float side (default: tflite, checked against Keras)")
    parser.add_argument("--allowed-drop", type=float, default=0.5, metavar="POINTS", help="how much may be lost, in points (default: 0.5)")
    parser.add_argument("--least", type=int, default=500, metavar="N", help="how many labelled plates a verdict takes (default: 500)")
    parser.add_argument("--views", type=int, metavar="N", help="detector: closer looks a photograph (default: as the device)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdict there")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from convert.gate.input import allowance_of, check_json, manifest_of, model_of, write_json
    from convert.gate.words import tell
    from convert.graph.probe import probe
    from convert.verify import verify_run
    from edge.errors import ConfigError
    from edge.model.detector import VIEWS
    from train.data.formats.native import find_folders

    allowance = allowance_of(options.allowed_drop, options.least)
    check_json(options.json)
    views = VIEWS if options.views is None else options.views
    if not 0 <= views <= 100:
        raise ConfigError(f"--views {views}: from 0 to 100 closer looks; the device has {VIEWS}")
    model = model_of(options.file)
    manifest = manifest_of(options.run_folder, model, options.variant_of)
    folders = find_folders(options.validate)
    failure = probe(options.file).failure
    if failure:
        raise ConfigError(f"{options.file}: {failure}; make it anew with python -m convert quantize")
    verdict = verify_run(options.run_folder, manifest, model, folders, allowance, options.floats, progress, views)
    tell(verdict, options.file.name, Console())
    if options.json:
        write_json(options.json, verdict)
    return 0 if verdict.passed else 1
