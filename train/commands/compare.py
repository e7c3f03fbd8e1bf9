"""`python -m train compare`: readers of several architectures, trained on the same samples and measured on the same crops."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.errors import ConfigError

HELP = "train readers of several architectures alike, and put them side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("experiments", type=Path, metavar="DIR", help="folder of reader experiments, such as train/experiments/compare")
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="DIR", help="labelled folders to learn from (default: drawn plates alone)")
    parser.add_argument("--validate", type=Path, action="append", required=True, metavar="DIR", help="labelled crops to measure on, never trained on")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"), metavar="DIR", help="folder of the runs and the report (default: runs/compare)")
    parser.add_argument("--steps", type=int, help="train each in so many steps instead of the experiments' own number; phases keep their shares")
    parser.add_argument("--every", type=int, help="check and save every so many steps (default: ten times a run)")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")


def run(options: argparse.Namespace) -> int:
    """What is trained already is only measured; a comparison that was stopped goes on where it was."""
    for name in ("steps", "every"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            raise ConfigError(f"--{name} {getattr(options, name)}: must be 1 or more")
    from train.compare.plan import load_family

    family = load_family(options.experiments, options.steps)
    from train.machine import prepare_backend

    prepare_backend(options.threads)
    from rich.console import Console

    from train.compare.measure import measure, same_photographs, train_missing
    from train.compare.report import as_table, write_report
    from train.data.formats.native import find_folders, read_folder

    data, validation = find_folders(options.data) if options.data else [], find_folders(options.validate)
    if not any(plate.exact for folder in validation for image in read_folder(folder) if image.crop for plate in image.plates):
        raise ConfigError(f"--validate {' '.join(map(str, options.validate))}: no cut-out plate with a text there; name a folder of labelled crops")
    steps, seed = family[0].steps, family[0].seed
    context = {"steps": steps, "seed": seed, "data": [folder.name for folder in data], "validation": [folder.name for folder in validation]}
    runs, readers, title = [], [], ""
    for experiment in family:
        runs.append(train_missing(experiment, data, validation, options.out, options.every or max(1, steps // 10)))
        same_photographs(runs)
        readers.append(measure(experiment, runs[-1], validation))
        one = readers[0]
        title = f"{one.samples:,} samples each ({steps} steps), seed {seed}; measured in float on {one.plates} plates; shares in percent"
        write_report(readers, title, context, options.out)  # after each: a comparison that is stopped leaves what it has
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(as_table(readers, title))
    print(options.out / "compare.md")
    return 0
