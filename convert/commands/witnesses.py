"""Fits how much detector and reader are believed together."""

from __future__ import annotations

import argparse

from convert.commands.shared import add_bundles, add_data, progress

HELP = "fit how much detector and reader are believed together (edge/telling.py)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser, required=True, words="labelled photographs, some without plates; never trained on")
    add_bundles(parser)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from convert.witnesses import fit, hear, trade
    from edge.model.detector import Detector
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader
    from edge.telling import belief

    detector, reader = Detector.load(options.detector or SHIPPED / "detector"), Reader.load(options.reader or SHIPPED / "reader")
    hearing = hear(options.data, detector, reader, progress)
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
