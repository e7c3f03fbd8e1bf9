"""Fetch every wheel that a Raspberry Pi needs, build our own, and prove the set complete: what is then installed needs no network.

What is there already is not fetched again; stop it and run it again as you like.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from deploy.release.source import Source
    from deploy.release.wheelhouse import Wheelhouse

PYTHONS = ("3.11", "3.13")
"""Raspberry Pi OS Bookworm's and Trixie's."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("wheelhouse", help="fetch and prove the wheels for an offline installation", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of wheels")
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those that `release build` takes too."""
    parser.add_argument(
        "--python", action="append", metavar="X.Y", help=f"a Python of the devices; may be given more than once (default: {' and '.join(PYTHONS)})"
    )
    parser.add_argument("--commit", default="HEAD", metavar="REV", help="the commit that our own wheel is built from (default: HEAD)")
    parser.add_argument("--working-tree", action="store_true", help="take the files as they lie here instead: for trials, not to be handed out")
    parser.add_argument("--offline", action="store_true", help="fetch nothing; what is missing is named")
    parser.add_argument("--like", type=Path, metavar="FILE", help="take the very wheels of an earlier release: its .wheels.json, or a wheelhouse.json")
    parser.add_argument("--refresh", action="store_true", help="fetch newer versions too where there are some")


def run(options: argparse.Namespace) -> int:
    from deploy.release.errors import in_words

    with in_words(), source_of(options) as source:
        show(gather(options, source, options.out))
    return 0


def source_of(options: argparse.Namespace) -> AbstractContextManager[Source]:
    from deploy.release.source import of_commit, of_working_tree

    return of_working_tree() if options.working_tree else of_commit(options.commit)


def gather(options: argparse.Namespace, source: Source, folder: Path) -> Wheelhouse:
    from rich.console import Console

    from deploy.release.wheelhouse import make

    with Console(stderr=True).status("building our own wheel") as status:
        return make(
            source, options.python or PYTHONS, folder, lambda words: status.update(words), offline=options.offline, refresh=options.refresh, like=options.like
        )


def show(house: Wheelhouse) -> None:
    from rich.console import Console
    from rich.table import Table

    from deploy.release.wheels import total

    table = Table("wheel", "version", "kB", "licence", "Python", title=f"{house.folder}")
    for wheel in house.wheels:
        takers = [python for python, chosen in house.sets.items() if wheel in chosen]
        table.add_row(wheel.name, str(wheel.version), f"{wheel.size / 1000:.0f}", wheel.licence, " ".join(takers))
    console = Console()
    console.print(table)
    for python, chosen in house.sets.items():
        console.print(f"Python {python}: complete, {len(chosen)} wheels, {total(chosen) / 1e6:.1f} MB", highlight=False)
    console.print(f"together: {len(house.wheels)} wheels, {total(house.wheels) / 1e6:.1f} MB", highlight=False)
