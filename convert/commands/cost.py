"""Counts what a run costs on the processors of the Raspberry Pi 3, 4 and 5, emulated, and holds it to the budgets; estimates milliseconds from it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.commands.shared import add_bundles

if TYPE_CHECKING:
    from convert.cost.budgets import Verdict
    from convert.cost.cpus import Cpu
    from convert.cost.measure import Bench, Cost

HELP = "instructions a frame on an emulated Pi 3, 4 and 5, held to budgets; and whether they compute bit for bit what was measured"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_bundles(parser)
    parser.add_argument("--cpu", default="cortex-a53,cortex-a72,cortex-a76", metavar="NAMES", help="processors: Pi 3, Pi 4, Pi 5 (default: %(default)s)")
    parser.add_argument("--golden", action="store_true", help="only compare the int8 outputs with the bundles' goldens, bit for bit")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--update-budgets", action="store_true", help="write what was measured into convert/cost/budgets.toml")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of the emulated system and of what was measured (default: ~/.cache/platewatch/arm64)")


def run(options: argparse.Namespace) -> int:
    """0 when every budget and every golden is kept."""
    import json

    from convert.cost import budgets
    from convert.cost.cpus import choose
    from convert.cost.measure import Bench, as_json
    from convert.cost.tools import default_cache
    from edge.errors import ConfigError
    from edge.model.manifest import SHIPPED, load_manifest

    cpus = choose(options.cpu)
    bundles = {kind: Path(getattr(options, kind) or SHIPPED / kind) for kind in ("detector", "reader")}
    names = {kind: load_manifest(folder, kind)[0].name for kind, folder in bundles.items()}
    known = budgets.read()
    costs, goldens = _measured(Bench(options.cache or default_cache(), counting=not options.golden), bundles, cpus, options.golden)
    if options.update_budgets and costs:
        budgets.write(budgets.updated(known, costs))
        known = budgets.read()
    verdicts = [budgets.judge(cost, known) for cost in costs]
    _tell(costs, verdicts, goldens)
    if options.json:
        report = {"v": 1, "bundles": names, "costs": _told(as_json(costs), costs, verdicts), "goldens": goldens}
        try:
            options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{options.json}: cannot be written ({error.strerror})") from None
    return int(any(verdict.state == "over" for verdict in verdicts) or any(one["state"] not in ("exact", "no golden") for one in goldens))


def _measured(bench: Bench, bundles: dict[str, Path], cpus: Sequence[Cpu], only_goldens: bool) -> tuple[list[Cost], list[dict[str, Any]]]:
    """Everything that was asked for, with a bar on stderr that says what is going on."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from edge.model.manifest import MODEL_FILE

    costs: list[Cost] = []
    goldens: list[dict[str, Any]] = []
    columns = (BarColumn(), TextColumn("{task.completed} of {task.total}"), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("starting", total=len(cpus) * (1 if only_goldens else 4))
        bench.say = lambda words: progress.update(task, description=words)
        for cpu in cpus:
            goldens += [{"cpu": cpu.name} | one for one in bench.goldens(list(bundles.values()), cpu)]
            progress.advance(task)
            if only_goldens:
                continue
            for kind, folder in bundles.items():
                costs.append(bench.network(f"{kind} network", folder / MODEL_FILE, cpu))
                progress.advance(task)
            costs += bench.frames(bundles["detector"], bundles["reader"], cpu)
            progress.advance(task)
    return costs, goldens


def _tell(costs: list[Cost], verdicts: list[Verdict], goldens: list[dict[str, Any]]) -> None:
    """The table, and a sentence for each thing worth one."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if costs:
        console.print(_table(costs, verdicts))
        console.print("The milliseconds are an [b]estimate[/b] for one core, made as docs/cost.md says; nothing was timed on a board.")
    for one in goldens:
        found = "bit for bit what was measured, XNNPACK is on" if one["state"] == "exact" else one["state"]
        console.print(f"{one['cpu']}: {one['name']}: {found}")
    for cost, verdict in zip(costs, verdicts, strict=True):
        if verdict.state in ("over", "under"):
            console.print(f"{cost.cpu}: {cost.what} costs {verdict.words} than its budget")
    unknown = sorted({f"{cost.what} ({cost.of[:16]})" for cost, verdict in zip(costs, verdicts, strict=True) if verdict.state == "none"})
    if unknown:
        console.print(f"No budget for {', '.join(unknown)}: measured only. To hold them from now on: python -m convert cost --update-budgets")


def _told(rows: list[dict[str, Any]], costs: list[Cost], verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """The rows with budget and estimate."""
    from convert.cost.cpus import CPUS
    from convert.cost.estimate import estimate

    for row, cost, verdict in zip(rows, costs, verdicts, strict=True):
        guess = estimate(cost.instructions, CPUS[cost.cpu])
        row |= {"budget": verdict.state, "share_of_budget": verdict.share, "estimate_ms": [round(guess.fast_ms, 2), round(guess.slow_ms, 2)]}
    return rows


def _table(costs: list[Cost], verdicts: list[Verdict]) -> Any:
    from rich.table import Table

    from convert.cost.cpus import CPUS
    from convert.cost.estimate import estimate

    table = Table(title="Instructions a run, one thread (+: how often the detector and the reader are run in it)", title_justify="left")
    table.add_column("run")
    table.add_column("millions", justify="right")
    table.add_column("of budget", justify="right")
    table.add_column("estimate", no_wrap=True)
    for place, (cost, verdict) in enumerate(zip(costs, verdicts, strict=True)):
        cpu = CPUS[cost.cpu]
        if place == 0 or costs[place - 1].cpu != cost.cpu:
            table.add_section()
            table.add_row(f"[b]{cpu.board}[/b] ({cpu.name})")
        share = "none" if verdict.share is None else f"{100 * verdict.share:.2f} %"
        runs = f"  [dim]{cost.runs[0]} + {cost.runs[1]}[/dim]" if cost.runs else ""
        table.add_row(cost.what + runs, f"{cost.instructions / 1e6:.2f}", share, estimate(cost.instructions, cpu).words())
        for part, count in cost.parts.items():
            table.add_row(f"  {part}", f"{count / 1e6:.2f}")
    return table
