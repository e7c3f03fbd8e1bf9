"""`python -m convert all`: checks what it is given, shows progress, tells what came out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from convert.gate.input import allowance_of
from convert.reproduce import table
from convert.reproduce.run import Settings, reproduce, shipped_runs, steps_in_all
from edge.errors import ConfigError
from edge.model.detector import VIEWS
from train.data.formats.native import find_folders

DRAWN = {"scenes": 400, "plates": 600}
"""Pictures to draw where there are no photographs: enough plates for a verdict."""
SEED = 20


def reproduce_all(options: argparse.Namespace, out: Path) -> int:
    """0 when both int8 files are clean and lose no more than allowed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    settings = _settings(options, out)
    console = Console(stderr=True)
    if not options.validate:
        console.print("no --validate: judged on drawn pictures, which say nothing about photographs", highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("making variants", total=steps_in_all(settings))
        if not options.validate:
            _draw(settings.work)
        result = reproduce(settings, lambda name: bar.update(task, advance=1, description=f"done: {name}"))
    paths = table.write(result, out)
    print(table.markdown(result))
    for line in in_words(result):
        print(line)
    print(*paths, sep="\n")
    return 0 if all(_sound(network) for network in result["networks"].values()) else 1


def in_words(result: dict[str, Any]) -> list[str]:
    """What the table has no room for."""
    lines = []
    for kind, network in result["networks"].items():
        lines.append(f"{kind}: float32 differs from Keras by {network['keras_difference']:.1g} at most")
        lines += [f"{kind}: audit of int8: {words}" for words in network["complaints"]] or [f"{kind}: audit of int8: clean, {network['macs'] / 1e6:.0f} MMAC"]
        plates = network["variants"]["float32"]["verdict"]["evidence"]
        for variant, one in network["variants"].items():
            seen = one["verdict"]["evidence"]
            ruling = "passed" if one["passed"] else "refused: " + "; ".join(one["reasons"])
            lines.append(f"{kind} {variant}: {ruling if seen == plates else f'shown on {seen} of {plates} plates, not judged'}")
    lines.append(
        f"{result['seconds']:.0f} s now, {result['seconds_of_steps']:.0f} s for all steps one after another; "
        f"the largest process held {result['peak_mb']:.0f} MiB"
    )
    return lines


def _sound(network: dict[str, Any]) -> bool:
    return not network["complaints"] and bool(network["variants"]["int8"]["passed"])


def _settings(options: argparse.Namespace, out: Path) -> Settings:
    """Raises ConfigError in one sentence, before any work."""
    views = VIEWS if options.views is None else options.views
    if not 0 <= views <= 100:
        raise ConfigError(f"--views {views}: from 0 to 100 closer looks; the device has {VIEWS}")
    if not 1 <= options.workers <= 64:
        raise ConfigError(f"--workers {options.workers}: from 1 to 64; two on a machine with two cores")
    allowance = allowance_of(options.allowed_drop, options.least)
    data, validate = (find_folders(folders) if folders else [] for folders in (options.data, options.validate))
    both = sorted({str(folder.resolve()) for folder in data} & {str(folder.resolve()) for folder in validate})
    if both:
        raise ConfigError(f"{both[0]}: calibrated on and judged on; name other photographs with --validate")
    for name, folder in (("--out", out), ("--work", options.work)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{name} {folder}: cannot be made ({error.strerror}); name a folder that can be written") from None
        if not os.access(folder, os.W_OK):
            raise ConfigError(f"{name} {folder}: cannot be written; name another folder")
    work = options.work.resolve()
    drawn = [work / "drawn" / name for name in DRAWN]
    return Settings(shipped_runs(), data, validate or drawn, not validate, work, allowance, views, options.workers, cost=not options.no_cost)


def _draw(work: Path) -> None:
    """Scenes and plates from a seed; what is drawn already is left."""
    from train.data.synth.labelled import draw_crops, draw_scenes

    for draw, (name, number) in zip((draw_scenes, draw_crops), DRAWN.items(), strict=True):
        if not (work / "drawn" / name / "labels.jsonl").is_file():
            print(f"drawing {number} {name}", file=sys.stderr)
            draw(work / "drawn" / name, number, SEED)
