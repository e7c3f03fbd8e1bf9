"""Says which characters the reader takes for each other, and what that makes them cost in a list of known plates (edge/plates/lookalike.py)."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.shared import progress

HELP = "measure which characters the reader takes for each other (edge/plates/lookalike.py)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plates", type=int, default=4000, metavar="N", help="so many drawn plates (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other plates (default: %(default)s)")
    parser.add_argument("--reader", type=Path, metavar="DIR", help="another bundle than the shipped one")


def run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from convert.lookalikes import confuse
    from edge.errors import ConfigError
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader
    from edge.plates.lookalike import cost

    if options.plates < 1:
        raise ConfigError(f"--plates {options.plates}: must be 1 or more")
    found = confuse(Reader.load(options.reader or SHIPPED / "reader"), options.plates, options.seed, progress)
    table = Table("pair", "taken for each other", "cost", "cost in edge/plates/lookalike.py", title=f"{found.plates} of {options.plates} plates used")
    for a, b, rate, measured in found.pairs():
        table.add_row(f"{a} {b}", f"{100 * rate:.2f} %", f"{measured:.2f}", f"{cost(a, b):.2f}")
    Console().print(table)
    return 0
