"""`platewatch bench`: how long each stage of a frame takes on this device, by thread count; and with `--stream` how the whole daemon fares."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.bench.result import Result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch bench`."""
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="pictures to measure on (default: three bundled scenes, in two sizes); of --stream: videos")
    parser.add_argument("--stream", action="store_true", help="the whole daemon on recordings: frames a second, memory, how late events are (minutes)")
    parser.add_argument("--threads", metavar="N,N", help="thread counts (default: 1 up to the machine's cores, at most 4)")
    parser.add_argument("--repeat", type=int, metavar="N", help="runs of each thing, fewer where it is slow (default: 100); of --stream: rounds (default: 3)")
    parser.add_argument("--budget", type=float, metavar="S", help="seconds for each thing and thread count (default: 3); of --stream: a round (default: 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the order in which things take turns (default: 0)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too, for comparing with other machines (docs/benchmarks.md)")
    parser.add_argument("--detector", metavar="DIR", help="another detector bundle than the shipped one")
    parser.add_argument("--reader", metavar="DIR", help="another reader bundle than the shipped one")


def run(args: argparse.Namespace) -> int:
    """`platewatch bench`: a table, advice on threads, and JSON where wanted."""
    if args.stream:
        return run_stream(args)
    counts, repeat, budget = checked(args, least=3, usual=(100, 3.0))
    from rich.console import Console

    from edge.bench.device import Plan, measure_device
    from edge.bench.result import save_result
    from edge.bench.tables import device_table
    from edge.model.manifest import SHIPPED

    folders = (Path(args.detector or SHIPPED / "detector"), Path(args.reader or SHIPPED / "reader"))
    result = measure_device(Plan(args.images, folders, counts, repeat, budget, args.seed))
    Console().print(device_table(result))
    print(summary(result))
    if args.json:
        save_result(result, Path(args.json))
        print(args.json)
    return 0


def run_stream(args: argparse.Namespace) -> int:
    """`--stream`: tables, what is demanded, and JSON where wanted; 0 also where a demand is not met, as no program is at fault on a slow machine."""
    counts, rounds, budget = checked(args, least=1, usual=(3, 5.0))
    if args.threads is not None and len(counts) > 1:
        raise ConfigError(f"--threads {args.threads}: a stream is measured with one count at a time")
    from rich.console import Console

    from edge.bench.result import save_result
    from edge.bench.stream import Plan, measure_stream
    from edge.bench.stream_tables import goal_lines, tables
    from edge.model.manifest import SHIPPED

    folders = (Path(args.detector or SHIPPED / "detector"), Path(args.reader or SHIPPED / "reader"))
    result = measure_stream(Plan(args.images, folders, counts[0], rounds, budget, args.seed))
    console = Console() if sys.stdout.isatty() else Console(width=150)
    if result.stream is not None:
        console.print(*tables(result.stream), sep="\n")
        print("\n".join(goal_lines(result.stream)))
    print(summary(result))
    if args.json:
        save_result(result, Path(args.json))
        print(args.json)
    return 0


def checked(args: argparse.Namespace, least: int, usual: tuple[int, float]) -> tuple[list[int], int, float]:
    """Thread counts, repeats and seconds. Raises ConfigError."""
    counts = thread_counts(args.threads) if args.threads or not args.stream else [1]
    repeat, budget = (chosen if chosen is not None else common for chosen, common in zip((args.repeat, args.budget), usual, strict=True))
    if repeat < least:
        raise ConfigError(f"--repeat {repeat}: at least {least}")
    if not 0 < budget <= 600:
        raise ConfigError(f"--budget {budget:g}: more than 0 and at most 600 seconds")
    if args.json:
        check_writable(Path(args.json))
    return counts, int(repeat), float(budget)


def summary(result: Result) -> str:
    """What the table does not tell, a line each."""
    machine = result.machine
    virtual = ", a virtual machine" if machine.virtual else ""
    lines = [f"{machine.model}, {machine.architecture}, {machine.cores} cores ({' '.join(machine.flags) or 'no vector instructions that matter'}){virtual}"]
    for one in result.loading:
        if one.why is None and one.growth_mb is not None:
            count = f"{one.setting.threads} thread{'s' if one.setting.threads > 1 else ''}"
            lines.append(f"{count}: loaded in {one.load_ms:.0f} ms, the models hold {one.growth_mb:.1f} MiB")
    if result.reading_peak_mb is not None:
        own = f", {result.reading_private_mb:.0f} of them its own" if result.reading_private_mb is not None else ""
        lines.append(f"platewatch read, 1920x1080 with four plates: at most {result.reading_peak_mb:.0f} MiB{own}")
    if result.after.temperature_c is not None:
        before = f"{result.before.temperature_c:.0f} -> " if result.before.temperature_c is not None else ""
        lines.append(f"temperature {before}{result.after.temperature_c:.0f} C")
    lines += [f"{one.work_w:.2f} W at work, {one.rest_w:.2f} W at rest, {one.frame_mj:.1f} mJ a frame ({one.source})" for one in result.power]
    if result.advice:
        lines.append(result.advice)
    return "\n".join([*lines, *(f"WARNING: {words}" for words in result.warnings)])


def thread_counts(words: str | None) -> list[int]:
    """`1,2` in order; None: 1 up to the number of cores, at most 4. Raises ConfigError."""
    if words is None:
        return list(range(1, min(4, os.cpu_count() or 1) + 1))
    try:
        counts = sorted({int(word) for word in words.split(",")})
    except ValueError:
        counts = [0]
    if counts[0] < 1 or counts[-1] > 64:
        raise ConfigError(f"--threads {words}: numbers from 1 to 64, separated by commas")
    return counts


def check_writable(path: Path) -> None:
    """Before minutes of work. Raises ConfigError."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"--json {path}: cannot be written; name a file in a folder that is there and yours")
