"""Makes plates that are read worse in one way at a time (smaller, fainter, brighter, smeared, turned): what a camera must give for them to be read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from convert.commands.shared import add_bundles, add_data, progress

HELP = "what a plate must look like for the reader: the limits of the page's setup aid"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser, required=True, words="labelled photographs, never trained on")
    add_bundles(parser)
    parser.add_argument("--plates", type=int, default=300, metavar="N", help="so many at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other plates (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON, too")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from convert.needs import STEPS, bins, limits, measure, plates
    from edge.errors import ConfigError
    from edge.model.detector import Detector
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader

    if options.plates < 1:
        raise ConfigError(f"--plates {options.plates}: must be 1 or more")
    detector = Detector.load(options.detector or SHIPPED / "detector", views=2)
    reader = Reader.load(options.reader or SHIPPED / "reader", careful=False)
    tally = measure(plates(options.data, options.plates, options.seed), detector, reader, options.seed, progress)
    if not tally.plates:
        raise ConfigError("--data: not one of its plates is read as it is, so that there is nothing to make worse")
    table = Table("what", "still read, of 100, at", title=f"{tally.plates} plates that are read as they are")
    for way in STEPS:
        table.add_row(way, "   ".join(f"{step:g}: {100 * tally.share(way, step):.0f}" for step in STEPS[way]))
    told = {name: list(bins(found)) for name, found in sorted(tally.told.items())}
    for name, parts in told.items():
        table.add_row(name, "   ".join(f"{low:.3g}-{high:.3g}: {100 * share:.0f}" for low, high, share, _ in parts))
    ways = {way: [{"at": step, "right": tally.right[way][step], "of": tally.tried[way][step]} for step in STEPS[way]] for way in STEPS}
    rows = {"plates": tally.plates, "seed": options.seed, "ways": ways, "told": {name: [list(one) for one in parts] for name, parts in told.items()}}
    for name, (good, bad) in limits(rows).items():
        table.add_row(f"{name}, limits", f"good from {good:.3g}, bad beyond {bad:.3g}")
    Console(highlight=False).print(table)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0
