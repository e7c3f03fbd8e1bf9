"""`platewatch export-labels`: what people corrected and confirmed, as a set to train on; or how often the device was right."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge.events.arguments import add_filters, wanted_of

if TYPE_CHECKING:
    from edge.labels.report import Report
    from edge.store import Store

ONLY = ("corrected", "confirmed", "not-a-plate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", nargs="?", metavar="OUT", help="a new folder, or a file that ends in .zip")
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--only", dest="labelled", choices=ONLY, help="these labels alone")
    parser.add_argument("--report", action="store_true", help="write no pictures, but say how often the device was right")
    parser.add_argument("--json", action="store_true", help="with --report: print JSON")
    add_filters(parser)
    parser.add_argument("--limit", metavar="N", type=int, help="the newest N of them")


def run(args: argparse.Namespace) -> int:
    """0; raises ConfigError for what cannot be meant or written, StoreError where the store cannot be used."""
    from edge import config
    from edge.errors import ConfigError, StoreError
    from edge.labels.book import labels
    from edge.store import Store

    if bool(args.out) == args.report:
        raise ConfigError("export-labels needs to know where to: name a new folder or a .zip file; or ask for --report alone")
    settings = config.load(args.config)
    path = Path(settings.store.path)
    if not path.is_file():
        raise StoreError(f"{path}: there is no event store yet; the daemon makes it when it first starts")
    wanted = wanted_of(args, -1)
    with Store(path, read_only=not os.access(path, os.W_OK)) as store:
        if args.report:
            return _report(args, store)
        if next((one for one in labels(store, wanted) if one.width), None) is None:
            raise ConfigError("there are no such labels with a picture; confirm or correct events on the page first (store.crops must be on for pictures)")
        from edge.labels.export import write_folder, write_zip

        many = (write_zip if str(args.out).endswith(".zip") else write_folder)(store, labels(store, wanted), Path(args.out))
        from edge.events.access import note

        note(settings, store, "exported labels", many)
    print(f"{many} pictures with their labels in {args.out}")
    return 0


def _report(args: argparse.Namespace, store: Store) -> int:
    import json

    from edge.labels.book import labels
    from edge.labels.report import report

    told = report(labels(store, wanted_of(args, -1)), store.count())
    if args.json:
        print(json.dumps(told.as_json()))
    else:
        _print(told)
    return 0


def _print(told: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    def percent(share: float | None) -> str:
        return "" if share is None else f"{100 * share:.1f} %"

    table = Table("confidence", *(f"[right]{name}" for name in ("events", "right", "share", "95 %", "expected", "no plate")))
    for one in (*told.bands, told.total):
        between = "" if one.share is None else f"{percent(one.at_least)} to {percent(one.at_most)}"
        name = "all" if one is told.total else f"{100 * one.low:.0f} to {100 * one.high:.0f} %"
        table.add_row(name, str(one.events), str(one.right), percent(one.share), between, percent(one.expected), str(one.not_plates))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{told.total.events} labelled events; {told.stored} events are in the store.")
    if told.unread:
        console.print(f"Beside them {told.unread} labelled pictures that gave no event; {told.unread_plates} of them show a plate.")
    console.print("People label what looks wrong: unless every event of some days was labelled, the device is better than this table says.")
