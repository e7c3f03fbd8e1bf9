"""`python -m convert`: float weights to int8 bundles, and the bundles' figures. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edge.errors import PlatewatchError


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one sentence on stderr."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return int(options.action(options))
    except PlatewatchError as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m convert", description="Quantize Platewatch's models and say what they are worth.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    quantize = commands.add_parser("quantize", help="run folder -> full-int8 TFLite file")
    quantize.add_argument("run", type=Path, help="run folder of python -m train fit")
    _data(quantize, required=False, words="labelled folders to calibrate on (default: drawn pictures alone)")
    quantize.add_argument("--out", type=Path, required=True, metavar="FILE.tflite")
    quantize.set_defaults(action=_quantize)

    audit = commands.add_parser("audit", help="refuse float tensors, Flex operations and variables in a TFLite file")
    audit.add_argument("file", type=Path)
    audit.set_defaults(action=_audit)

    bundle = commands.add_parser("bundle", help="audit, compare with float, and make a bundle of it")
    bundle.add_argument("run", type=Path, help="run folder of python -m train fit")
    bundle.add_argument("file", type=Path, help="the int8 file made from it")
    bundle.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders for the gate, never trained on")
    bundle.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    bundle.add_argument("--allowed-drop", type=float, default=0.5, metavar="POINTS", help="how much int8 may lose, in points (default: 0.5)")
    bundle.add_argument("--least", type=int, default=500, metavar="N", help="how many labelled plates it takes (default: 500)")
    bundle.add_argument("--threshold", type=float, help="detector: score from which a detection counts")
    bundle.add_argument("--margin", type=float, help="reader: share of the plate kept around it")
    bundle.add_argument("--detector", type=Path, metavar="DIR", help="reader: the bundle behind which its confidence is fitted (default: the shipped one)")
    bundle.set_defaults(action=_bundle)

    confidence = commands.add_parser("confidence", help="fit a reader bundle's confidence to labelled photographs, those of your own camera perhaps")
    confidence.add_argument("bundle", type=Path, help="the reader's bundle; its manifest is written anew")
    confidence.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled folders, never trained on")
    confidence.add_argument("--detector", type=Path, metavar="DIR", help="another detector bundle than the shipped one")
    confidence.set_defaults(action=_confidence)

    evaluate = commands.add_parser("evaluate", help="the shipped bundles' figures on labelled photographs")
    from train.evaluation.output import add_output_arguments

    add_output_arguments(evaluate)
    evaluate.add_argument("--errors", type=Path, metavar="DIR", help="write a contact sheet of the worst there")
    evaluate.add_argument("--detector", type=Path, metavar="DIR", help="another bundle than the shipped one")
    evaluate.add_argument("--reader", type=Path, metavar="DIR", help="another bundle than the shipped one")
    evaluate.add_argument("--closer-looks", type=int, metavar="N", help="how many closer looks a picture may cost (default: as the device)")
    evaluate.set_defaults(action=_evaluate)

    witnesses = commands.add_parser("witnesses", help="fit how much detector and reader are believed together (edge/telling.py)")
    _data(witnesses, required=True, words="labelled photographs, some without plates; never trained on")
    witnesses.add_argument("--detector", type=Path, metavar="DIR", help="another bundle than the shipped one")
    witnesses.add_argument("--reader", type=Path, metavar="DIR", help="another bundle than the shipped one")
    witnesses.set_defaults(action=_witnesses)
    return parser


def _data(parser: argparse.ArgumentParser, required: bool, words: str) -> None:
    parser.add_argument("--data", type=Path, action="append", default=None if required else [], required=required, metavar="DIR", help=words)


def _progress(items: Iterable[Any]) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description="looking", console=Console(file=sys.stderr), transient=True)


def _quantize(options: argparse.Namespace) -> int:
    from convert.quantize import quantize
    from train.data.formats.native import find_folders

    print(quantize(options.run, find_folders(options.data) if options.data else [], options.out))
    return 0


def _audit(options: argparse.Namespace) -> int:
    from convert.audit import audit

    found = audit(options.file)
    print(f"{options.file}: {found.size / 1024:.0f} KiB, {found.macs / 1e6:.1f} MMAC a run")
    print("operations: " + ", ".join(f"{name} {count}" for name, count in found.operations.most_common()))
    print("tensors: " + ", ".join(f"{name} {count}" for name, count in found.tensor_types.most_common()))
    for complaint in found.complaints:
        print(f"REFUSED: {complaint}")
    print("refused" if found.complaints else "clean: int8 throughout")
    return 1 if found.complaints else 0


def _bundle(options: argparse.Namespace) -> int:
    from convert.bundle import Allowance, make_bundle
    from convert.confidence import in_words
    from edge.model.manifest import SHIPPED
    from train.data.formats.native import find_folders

    settings = {key: getattr(options, key) for key in ("threshold", "margin") if getattr(options, key) is not None}
    allowance = Allowance(options.allowed_drop / 100, options.least)
    manifest, verdict, found = make_bundle(
        options.run, options.file, find_folders(options.validate), options.out, allowance, settings, _progress, options.detector or SHIPPED / "detector"
    )
    low, high = (100 * value for value in verdict.interval)
    print(f"{options.out}: {manifest.name}, {manifest.macs / 1e6:.0f} MMAC")
    what, interval = ("exact plates",) * 2 if manifest.kind == "reader" else ("average precision", f"recall at a score of {manifest.threshold}")
    print(
        f"int8 loses {100 * verdict.drop:.2f} points of {what} on {verdict.evidence} plates; 95 % interval of the drop in {interval}: {low:.2f} to {high:.2f}"
    )
    if manifest.kind == "reader":
        print(in_words(found))
    return 0


def _confidence(options: argparse.Namespace) -> int:
    from convert.confidence import in_words, refit
    from edge.model.manifest import SHIPPED
    from train.data.formats.native import find_folders

    found = refit(options.bundle, find_folders(options.validate), options.detector or SHIPPED / "detector", _progress)
    print(f"{options.bundle}: {in_words(found)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from convert.evaluate import evaluate_bundles

    return evaluate_bundles(options)


def _witnesses(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from convert.witnesses import fit, hear, trade
    from edge.model.detector import Detector
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader
    from edge.telling import belief

    detector, reader = Detector.load(options.detector or SHIPPED / "detector"), Reader.load(options.reader or SHIPPED / "reader")
    hearing = hear(options.data, detector, reader, _progress)
    fitted = fit(hearing.heard)
    console = Console()
    console.print(f"{len(hearing.heard)} detections, {hearing.plates} plates, {hearing.empty} pictures without any\n{fitted}", highlight=False)
    limits = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7)
    for title, beliefs in (
        ("the detector's score alone", [one.detection.score for one in hearing.heard]),
        ("both, as edge/telling.py has them", [belief(one.detection, one.read) for one in hearing.heard]),
        ("both, as fitted here", [belief(one.detection, one.read, fitted) for one in hearing.heard]),
    ):
        table = Table("limit", "recall", "precision", "false a picture without plates", title=title)
        for row in trade(hearing, beliefs, limits):
            table.add_row(f"{row['limit']:.2f}", f"{100 * row['recall']:.1f}", f"{100 * row['precision']:.1f}", f"{row['false_per_empty']:.3f}")
        console.print(table)
    return 0
