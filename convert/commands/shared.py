"""What several commands have in common: folders of photographs, bundles to take instead of the shipped ones, and progress shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def add_data(parser: argparse.ArgumentParser, required: bool, words: str) -> None:
    """`--data DIR`, as often as wanted."""
    parser.add_argument("--data", type=Path, action="append", default=None if required else [], required=required, metavar="DIR", help=words)


def add_bundles(parser: argparse.ArgumentParser) -> None:
    """`--detector DIR` and `--reader DIR`."""
    for kind in ("detector", "reader"):
        parser.add_argument(f"--{kind}", type=Path, metavar="DIR", help="another bundle than the shipped one")


def progress(items: Iterable[Any]) -> Iterator[Any]:
    """The items, with a bar on stderr that vanishes at the end."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description="looking", console=Console(file=sys.stderr), transient=True)
