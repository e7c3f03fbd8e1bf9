"""Measures every variant of the shipped models, or bundles, side by side on this machine, and compares the results of several machines."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convert.bench.candidates import Candidate

HELP = "speed, memory and energy of every variant or bundle, side by side"
OUT = Path("runs/bench")
QUICK = ("float32", "int8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"bench.json, report.html and its plots go there (default: {OUT})")
    parser.add_argument("--variants", metavar="NAMES", help="float32,float16,dynamic,int8,int16x8 (default: all, made from train/weights)")
    parser.add_argument("--runtimes", metavar="NAMES", help="litert,tflite-runtime,tensorflow (default: all)")
    parser.add_argument("--threads", metavar="N,N", help="thread counts (default: 1 up to the machine's cores, at most 4)")
    parser.add_argument("--repeat", type=int, metavar="N", help="runs of each cell, fewer where it is slow (default: 100)")
    parser.add_argument("--budget", type=float, metavar="S", help="seconds for each cell, after which it has been run often enough (default: 0.7)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the order in which cells take turns (default: 0)")
    parser.add_argument("--quick", action="store_true", help="float32 and int8 alone, under litert, with one thread, 20 runs")
    for kind in ("detector", "reader"):
        parser.add_argument(f"--{kind}", type=Path, metavar="DIR", help="measure this bundle, not the variants")
    for kind in ("detector", "reader"):
        parser.add_argument(f"--against-{kind}", type=Path, metavar="DIR", help="and this one beside it, in the same rounds")
    parser.add_argument(
        "--compare", type=Path, nargs="+", metavar="FILE", help="measure nothing: compare the results of other runs or machines, the first with each"
    )


def run(options: argparse.Namespace) -> int:
    from edge.bench.command import thread_counts
    from edge.errors import ConfigError

    if options.compare:
        return compare(options)
    quick = options.quick
    repeat = options.repeat if options.repeat is not None else 20 if quick else 100
    seconds = options.budget if options.budget is not None else 0.5 if quick else 0.7
    if repeat < 3:
        raise ConfigError(f"--repeat {repeat}: at least 3")
    if not 0 < seconds <= 600:
        raise ConfigError(f"--budget {seconds:g}: more than 0 and at most 600 seconds")
    counts = [1] if quick and not options.threads else thread_counts(options.threads)
    prepare(options.out)
    return measure(options, counts, repeat, seconds)


def measure(options: argparse.Namespace, counts: list[int], repeat: int, seconds: float) -> int:
    """The benchmark itself; a few seconds until everything is imported."""
    import sys
    import time

    from rich.console import Console

    from convert.bench import measure as bench
    from convert.bench.report import write_report
    from convert.bench.tables import print_result
    from edge.bench.result import save_result

    began = time.monotonic()
    candidates = candidates_of(options, counts)
    budget = bench.Budget(repeat, seconds, 0.0 if options.quick else 3.0, options.seed)
    result = bench.measure(candidates, budget, showing, began)
    save_result(result, options.out / "bench.json")
    print_result(result, Console() if sys.stdout.isatty() else Console(width=150))
    print(write_report(result, options.out))
    print(options.out / "bench.json")
    return 0


def candidates_of(options: argparse.Namespace, counts: list[int]) -> list[Candidate]:
    """Bundles where some are named, else variants. Raises PlatewatchError for a name that is none, and for a bundle that is none."""
    from convert.bench.candidates import of_bundles, of_variants
    from convert.bench.variants import variant_files
    from convert.nets import RUNTIMES
    from convert.quantize import VARIANTS
    from edge.errors import ConfigError
    from edge.model.manifest import SHIPPED, load_manifest

    runtimes = chosen("--runtimes", options.runtimes, RUNTIMES, ("litert",) if options.quick else tuple(RUNTIMES))
    sides = {side: tuple(getattr(options, f"{prefix}{kind}") for kind in ("detector", "reader")) for side, prefix in (("A", ""), ("B", "against_"))}
    named = {side: (one or SHIPPED / "detector", other or SHIPPED / "reader") for side, (one, other) in sides.items() if one or other}
    if not named:
        variants = chosen("--variants", options.variants, VARIANTS, QUICK if options.quick else tuple(VARIANTS))
        return of_variants(variant_files(variants, options.out / "variants", showing("converting")), runtimes, counts)
    if options.variants:
        raise ConfigError("--variants are of the shipped weights, and bundles are what they are: name the one or the other")
    if "B" in named:
        named.setdefault("A", (SHIPPED / "detector", SHIPPED / "reader"))
    else:
        named = {"": named["A"]}
    for pair in named.values():
        for folder, kind in zip(pair, ("detector", "reader"), strict=True):
            load_manifest(folder, kind)
    return of_bundles(dict(sorted(named.items())), runtimes, counts)


def compare(options: argparse.Namespace) -> int:
    """`--compare`."""
    import sys

    from rich.console import Console

    from convert.bench.compare import compared, print_comparison
    from convert.bench.report import write_comparison
    from edge.errors import ConfigError

    if len(options.compare) < 2:
        raise ConfigError(f"--compare {options.compare[0]}: name two files or more")
    found = compared(options.compare)
    prepare(options.out)
    print_comparison(found, Console() if sys.stdout.isatty() else Console(width=150))
    print(write_comparison(found, options.out))
    return 0


def chosen(option: str, words: str | None, known: Iterable[str], usual: Sequence[str]) -> tuple[str, ...]:
    """Names separated by commas. Raises ConfigError for one that is not known."""
    from edge.errors import ConfigError

    if words is None:
        return tuple(usual)
    names = tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
    for name in names:
        if name not in known:
            raise ConfigError(f"{option} {name}: there is none of that name; there are {', '.join(known)}")
    if not names:
        raise ConfigError(f"{option}: name at least one of {', '.join(known)}")
    return names


def prepare(folder: Path) -> None:
    """Before minutes of work. Raises ConfigError when the folder cannot be made or written."""
    import os

    from edge.errors import ConfigError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {folder}: cannot be made ({error.strerror}); name a folder that can be written") from None
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"--out {folder}: cannot be written; name another folder")


def showing(what: str) -> Callable[[Sequence[Any]], Iterator[Any]]:
    """Walks through a sequence, with a bar on stderr that vanishes at the end."""
    import sys

    from rich.console import Console
    from rich.progress import track

    def walk(items: Sequence[Any]) -> Iterator[Any]:
        yield from track(items, description=what, console=Console(file=sys.stderr), transient=True)

    return walk
