"""Where an evaluation goes: console, JSON, a folder with the page and its plots."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.errors import ConfigError


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """What both commands take."""
    parser.add_argument(
        "--data", type=Path, action="append", required=True, metavar="DIR", help="labelled folder, or a folder of them; may be given several times"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write report.html (with examples from the photographs inside), its plots and contact sheets there"
    )
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples for the intervals (default: 1000)")


def check_output(options: argparse.Namespace) -> None:
    """Before minutes of work: raises ConfigError in one sentence when the results could not be written."""
    if options.resamples < 1:
        raise ConfigError(f"--resamples {options.resamples}: must be 1 or more; 1000 is usual")
    if options.json is not None and (options.json.is_dir() or not options.json.parent.is_dir()):
        raise ConfigError(f"--json {options.json}: name a file in a folder that is there")
    check_folder(options.out)


def check_folder(out: Path | None) -> None:
    """Makes the folder of `--out`. Raises ConfigError in one sentence when nothing could be written there."""
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be made ({error.strerror}); name a folder that can be written") from None
    if not os.access(out, os.W_OK):
        raise ConfigError(f"--out {out}: cannot be written; name another folder")


def progress(items: Iterable[Any]) -> Iterator[Any]:
    """A bar on stderr."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description="looking", console=Console(file=sys.stderr), transient=True)


def tell(found: Any, options: argparse.Namespace, key: str, reads: bool = True) -> None:
    """Tables on stdout; the files that were asked for. `key` is where the JSON names the models."""
    from rich.console import Console

    from train.evaluation.tables import print_tables

    print_tables(found, Console() if sys.stdout.isatty() else Console(width=130))
    if options.json:
        options.json.write_text(json.dumps({"v": 1, key: found.models, **found.as_json()}, indent=1) + "\n", encoding="utf-8")
    if options.out:
        print(write_report(found, options.out, reads))


def write_report(found: Any, folder: Path, reads: bool = True) -> Path:
    """`folder/report.html`, whole in itself, and beside it the plots as PNG and the contact sheets wrong.jpg and right.jpg."""
    from train.evaluation.page import make_page
    from train.evaluation.plots import draw_plots
    from train.evaluation.sheets import mistakes, rights, write_sheet

    folder.mkdir(parents=True, exist_ok=True)
    plots = draw_plots(found)
    for name, content in plots.items():
        (folder / f"{name}.png").write_bytes(content)
    write_sheet(mistakes(found.cases, reads=reads), folder / "wrong.jpg", progress)
    if reads:
        write_sheet(rights(found.cases, 48), folder / "right.jpg", progress)
    page = folder / "report.html"
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    page.write_text(make_page(found, plots, "Platewatch: what the models are worth", made, progress, reads), encoding="utf-8")
    return page
