"""`python -m convert peers`: start the sides, ask them, tell."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from convert.peers import PEERS
from convert.peers.comparison import Comparison, compare
from convert.peers.config import make_config, read_peer
from convert.peers.disagreements import write_disagreements
from convert.peers.process import Side, Wanted
from convert.peers.run import Book, ask_all, chosen, photographs
from convert.peers.tables import as_markdown, sheets
from edge.errors import ConfigError
from train.evaluation.output import check_output

SHOWN = 5
"""So many failures of a side are shown as they happen; all are counted."""


def compare_peers(options: argparse.Namespace) -> int:
    """0; 130 when it was stopped, after telling what was measured."""
    _check(options)
    images = photographs(options.data)
    wanted = wanted_sides(options)
    sides: list[Side] = []
    console, errors = Console() if sys.stdout.isatty() else Console(width=150), Console(file=sys.stderr)
    stopped = False
    try:
        for one in wanted:
            sides.append(Side(one, options.patience))
        images = chosen(images, [side.about for side in sides], options.at_most)
        book = Book([side.about for side in sides], options.threads, options.out / "answers.jsonl" if options.out else None)
        shown = dict.fromkeys((side.name for side in sides), 0)

        def warn(name: str, words: str) -> None:
            shown[name] += 1
            if shown[name] <= SHOWN:
                errors.print(f"peers: {name}: {words}" + ("; more are only counted" if shown[name] == SHOWN else ""), highlight=False, markup=False)

        try:
            ask_all(images, sides, book, options.threads, lambda items: _progress(items, errors), warn)
        except KeyboardInterrupt:
            stopped = True
    finally:
        for side in sides:
            side.close()
    pairs = [(image, row) for image in images if (row := book.of(image)) is not None]
    if not pairs:
        raise KeyboardInterrupt
    found = compare([image for image, _ in pairs], [row for _, row in pairs], [side.about for side in sides], options.resamples)
    tell(found, options, console, f"stopped after {len(pairs)} of {len(images)} photographs" if stopped else "")
    return 130 if stopped else 0


def wanted_sides(options: argparse.Namespace) -> list[Wanted]:
    """Platewatch first, then the peers in the order of the command line; two of one name are told apart by a number."""
    named = {key: getattr(options, key) for key in ("detector", "reader", "closer_looks") if getattr(options, key) is not None}
    rows: list[tuple[str, Any]] = [("platewatch", make_config("platewatch", named, "command line")), *(read_peer(words) for words in options.peer)]
    taken: dict[str, int] = {}
    sides = []
    for kind, config in rows:
        taken[config.name] = number = taken.get(config.name, 0) + 1
        name = config.name if number == 1 else f"{config.name} {number}"
        settings = config.model_dump(mode="json") | {"name": name}
        sides.append(Wanted(name, PEERS[kind], settings, options.threads, options.allow_download))
    return sides


def _check(options: argparse.Namespace) -> None:
    check_output(options)
    cores = os.cpu_count() or 1
    if not 1 <= options.threads <= cores:
        raise ConfigError(f"--threads {options.threads}: must be 1 to {cores}, the cores of this machine")
    if options.at_most is not None and options.at_most < 1:
        raise ConfigError(f"--at-most {options.at_most}: must be 1 or more")
    if not options.patience > 0:
        raise ConfigError(f"--patience {options.patience:g}: must be more than 0 seconds")
    if not options.peer:
        raise ConfigError(f"--peer: name at least one of {', '.join(PEERS)}, a TOML file, or a folder with detector and reader in it")


def tell(found: Comparison, options: argparse.Namespace, console: Console, stopped: str = "") -> None:
    """Tables on stdout; the files that were asked for."""
    threads = f"{options.threads} thread{'s' if options.threads > 1 else ''}"
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    said = f"{made}, {found.photographs} photographs, {threads}, {platform.machine()}, Python {platform.python_version()}" + (f"; {stopped}" if stopped else "")
    for sheet in sheets(found):
        table = Table(title=sheet.title, title_justify="left")
        for place, head in enumerate(sheet.heads):
            table.add_column(head, justify="right" if place else "left", overflow="fold")
        for cells in sheet.rows:
            table.add_row(*cells)
        console.print(table, markup=False)
    console.print(said, highlight=False)
    if options.json:
        row = {"v": 1, "made": made, "threads": options.threads, "machine": platform.machine(), "stopped": bool(stopped), **found.as_json()}
        options.json.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    if options.out:
        (options.out / "peers.md").write_text(as_markdown(found, said), encoding="utf-8")
        console.print(*[str(path) for path in (options.out / "peers.md", *write_disagreements(found, Path(options.out)))], sep="\n", highlight=False)
        if stopped:
            console.print("the same command goes on from there", highlight=False)


def _progress(items: Iterable[Any], console: Console) -> Iterator[Any]:
    todo = list(items)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("asking all sides", total=len(todo))
        for one in todo:
            yield one
            bar.advance(task)
