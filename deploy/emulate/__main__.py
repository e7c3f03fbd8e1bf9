"""`./setup.sh emulate`: the card that `deploy flash` writes boots in QEMU, and lives through what a device goes through."""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import PlatewatchError, plain

if TYPE_CHECKING:
    from deploy.emulate.bench import Bench
    from deploy.emulate.record import Result
    from deploy.emulate.stages import Stage


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="./setup.sh emulate", description=__doc__)
    made.add_argument("--list", action="store_true", help="name the stages, and what each does")
    made.add_argument("--only", action="append", default=[], metavar="NAME", help="this stage, and what it needs; may be given more than once")
    made.add_argument("--keep", action="store_true", help="keep cards and releases: a later --only goes on with them")
    made.add_argument("--cuts", type=int, default=2, metavar="N", help="power cuts of each stage that cuts (default: %(default)s)")
    made.add_argument("--seed", type=int, metavar="N", help="of the moments of power cuts (default: another one each time, told at the start)")
    made.add_argument("--no-record", action="store_true", help="write no result into deploy/")
    return made


def main(arguments: list[str] | None = None) -> int:
    """0 where every stage passed, 1 where one failed, with one sentence on stderr for what is wrong with the computer or the arguments."""
    options = parser().parse_args(arguments)
    try:
        return _run(options)
    except PlatewatchError as error:
        print(f"emulate: {plain(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("emulate: stopped", file=sys.stderr)
        return 130


def cache() -> Path:
    """XDG's, so that the repository stays small."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "platewatch/emulate"


def _run(options: argparse.Namespace) -> int:
    from deploy.emulate import program
    from deploy.emulate.errors import EmulateError
    from deploy.emulate.stages import STAGES

    if options.list:
        for stage in STAGES:
            print(f"{stage.name:15} {stage.words}")
        return 0
    if options.cuts < 1:
        raise EmulateError(f"--cuts {options.cuts}: name at least one")
    place = cache()
    folder = place / "run"
    if lacking := program.missing():
        raise EmulateError(f"missing on this computer: {', '.join(lacking)}; sudo apt-get install {' '.join([*lacking, *program.EXTRA])}")
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise EmulateError(f"another one is at work in {place}; wait for it, or name another cache with XDG_CACHE_HOME") from None
        if not options.only:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        return _chosen(options, place, folder)


def _chosen(options: argparse.Namespace, place: Path, folder: Path) -> int:
    """The stages that were asked for, in a folder that is this run's alone."""
    from deploy.emulate.bench import Bench
    from deploy.emulate.stages import STAGES

    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 31)
    bench = Bench(place, folder, seed, options.cuts, lambda words: None)
    chosen = wanted(options.only, STAGES, bench)
    try:
        return _stages(chosen, bench, record=not options.no_record)
    finally:
        bench.cut()
        if not options.keep:
            for card in (*folder.glob("*.img"), *folder.glob("*.new"), *folder.glob("*.sparse")):
                card.unlink()
            shutil.rmtree(folder / "releases", ignore_errors=True)


def wanted(only: list[str], stages: tuple[Stage, ...], bench: Bench) -> list[Stage]:
    """Those that were named with what they need and is not there from a run before, in the stages' order; all without a name. Raises EmulateError."""
    from deploy.emulate.errors import EmulateError

    named = {stage.name: stage for stage in stages}
    for name in only:
        if name not in named:
            raise EmulateError(f"--only {name}: there is no such stage; there are {', '.join(named)}")
    chosen = set(only or named)
    for stage in reversed(stages):
        if stage.name in chosen:
            chosen |= {need for need in stage.after.split() if not named[need].done(bench)}
    return [stage for stage in stages if stage.name in chosen]


def _stages(chosen: list[Stage], bench: Bench, *, record: bool) -> int:
    """One after the other; a stage whose ground another one failed to lay is left out, and said to be."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(f"{len(chosen)} stages, seed {bench.seed}; logs in {bench.folder}")
    failed: set[str] = set()
    for stage in chosen:
        if lost := [need for need in stage.after.split() if need in failed]:
            console.print(f"[yellow]left out[/]  {stage.name}: {', '.join(lost)} failed")
            failed.add(stage.name)
            continue
        with console.status(stage.name) as status:
            bench.stage, bench.say = stage.name, lambda words, name=stage.name, status=status: status.update(escape(f"{name}: {words}"))  # type: ignore[misc]
            result = _one(stage, bench)
        told = escape("; ".join(f"{key}: {value}" for key, value in result.figures.items()) if result.ok else result.words)
        console.print(f"{'[green]passed[/]' if result.ok else '[red]FAILED[/]'}    {stage.name}, {result.seconds} s  {told}", soft_wrap=True)
        if not result.ok:
            logs = [str(log) for log in sorted(bench.folder.glob(f"{stage.name}*")) if log.suffix in (".log", ".txt", ".qemu")]
            console.print(f"          its logs: {', '.join(logs)}", soft_wrap=True)
            failed.add(stage.name)
        if record:
            _record(result)
    console.print(f"{len(chosen) - len(failed)} of {len(chosen)} stages passed")
    return 1 if failed else 0


def _one(stage: Stage, bench: Bench) -> Result:
    from deploy.emulate import record

    begun, words, figures = time.monotonic(), "", {}
    try:
        figures = stage.run(bench)
    except PlatewatchError as error:
        words = plain(str(error))
    except (OSError, ValueError, LookupError) as error:
        words = f"{type(error).__name__}: {error}"
    if words:
        bench.cut()  # a guest in an unknown state is nobody's ground
    took, day = round(time.monotonic() - begun), datetime.now(UTC).strftime("%Y-%m-%d")
    return record.Result(stage.name, not words, took, day, record.commit(), figures, words)


def _record(result: Result) -> None:
    from deploy.emulate import program, record
    from deploy.emulate.stages import STAGES

    version = program.run("qemu-system-aarch64", "--version").decode().splitlines()[0]
    about = {"cpus": os.cpu_count(), "qemu": version.partition(" (")[0]}
    results = record.load() | {result.name: result}
    record.save(results, tuple(stage.name for stage in STAGES), about)
    record.into_readme(record.table(results, {stage.name: stage.words for stage in STAGES}, about))


if __name__ == "__main__":
    sys.exit(main())
