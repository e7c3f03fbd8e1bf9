"""Audits an int8 file, compares it with float, and makes a bundle of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import progress

HELP = "audit, compare with float, and make a bundle of it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="run folder of python -m train fit")
    parser.add_argument("file", type=Path, help="the int8 file made from it")
    parser.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders for the gate, never trained on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    parser.add_argument("--allowed-drop", type=float, default=0.5, metavar="POINTS", help="how much int8 may lose, in points (default: 0.5)")
    parser.add_argument("--least", type=int, default=500, metavar="N", help="how many labelled plates it takes (default: 500)")
    parser.add_argument("--float", dest="floats", choices=("tflite", "keras"), default="tflite", help="the float side (default: tflite, checked against Keras)")
    parser.add_argument("--threshold", type=float, help="detector: score from which a detection counts")
    parser.add_argument("--margin", type=float, help="reader: share of the plate kept around it")
    parser.add_argument("--detector", type=Path, metavar="DIR", help="reader: the bundle behind which its confidence is fitted (default: the shipped one)")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from convert.bundle import make_bundle
    from convert.confidence import in_words
    from convert.gate.input import allowance_of, check_run
    from convert.gate.words import tell
    from edge.model.manifest import SHIPPED
    from train.data.formats.native import find_folders

    settings = {key: getattr(options, key) for key in ("threshold", "margin") if getattr(options, key) is not None}
    allowance = allowance_of(options.allowed_drop, options.least)
    check_run(options.run_folder)
    manifest, verdict, found = make_bundle(
        options.run_folder,
        options.file,
        find_folders(options.validate),
        options.out,
        allowance,
        settings,
        progress,
        options.detector or SHIPPED / "detector",
        options.floats,
    )
    tell(verdict, manifest.name, Console())
    print(f"{options.out}: {manifest.name}, {manifest.macs / 1e6:.0f} MMAC")
    if manifest.kind == "reader":
        print(in_words(found))
    return 0
