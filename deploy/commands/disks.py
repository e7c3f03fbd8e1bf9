"""Shows the disks of this computer, and why one would not be written."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser("disks", help="show which disks there are, and which is your card", description=__doc__)


def run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from deploy.card.amounts import size
    from deploy.card.disks import disks, refusals

    found = disks()
    table = Table("disk", "size", "model", "may be written", box=None)
    for disk in found:
        never, unless_told = refusals(disk, 0)
        said = "; ".join(never or unless_told)
        table.add_row(disk.path, size(disk.size), Text(disk.model), Text(f"no: {said}" if said else "yes"))
    Console(highlight=False).print(table if found else "This computer shows no disk; put the card in and try again.")
    return 0
