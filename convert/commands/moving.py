"""Makes short drives of single pictures and tells what the vote over their frames is worth, and the country's rules on top of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from convert.commands.shared import add_bundles, add_data, progress

HELP = "what the vote over several frames is worth, on drives made of photographs or of drawn scenes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser, required=False, words="labelled photographs, never trained on; without any, scenes are drawn")
    add_bundles(parser)
    parser.add_argument("--drives", type=int, default=200, metavar="N", help="so many at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other drives (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON, too")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from convert.moving import FRAMES, WAYS, drives, interval, measure
    from edge.errors import ConfigError
    from edge.model.detector import Detector
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader

    if options.drives < 1:
        raise ConfigError(f"--drives {options.drives}: must be 1 or more")
    detector = Detector.load(options.detector or SHIPPED / "detector", views=2)
    reader = Reader.load(options.reader or SHIPPED / "reader", careful=False)
    tally = measure(drives(options.data, options.drives, options.seed), detector, reader, progress)
    table = Table("what", "exact", "95 %", "wrong text", "of", title=f"{tally.drives} drives of {FRAMES} frames")
    for way in WAYS:
        if tally.tried[way]:
            low, high = interval(tally.right[way], tally.tried[way])
            # Frames of one drive stand and fall together: of them no interval is told.
            sure = f"{100 * low:.1f} to {100 * high:.1f}" if way.startswith("vote") else ""
            wrong = 100 * tally.wrong[way] / tally.tried[way]
            table.add_row(way, f"{100 * tally.share(way):.1f} %", sure, f"{wrong:.1f} %", str(tally.tried[way]))
    console = Console(highlight=False)
    console.print(table)
    gain = 100 * (tally.share("vote, auto") - tally.share("one frame, auto"))
    console.print(f"The vote gains {gain:.1f} points over a single frame; {tally.doubles} drives gave more than one event.")
    if options.out:
        told = {way: {"right": tally.right[way], "wrong": tally.wrong[way], "of": tally.tried[way]} for way in WAYS if tally.tried[way]}
        rows = {"drives": tally.drives, "doubles": tally.doubles, "seed": options.seed, "ways": told}
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0
