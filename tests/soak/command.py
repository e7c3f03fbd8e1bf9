"""The command line of the soak."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.entry import ended

if TYPE_CHECKING:
    from tests.soak.play import Played
    from tests.soak.scenes import Scenes

FROM_H = 6.0
"""The first simulated hour: the traffic of the day begins."""


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="The daemon over a long time, at speed: is it flat, and does it tell the truth?")
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours (default: %(default)s)")
    parser.add_argument("--empty", action="store_true", help="scenes with everything but plates: there must be no event")
    parser.add_argument("--pictures", type=Path, nargs="+", default=[], metavar="FOLDER", help="with --empty: pictures without plates, moved")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another day (default: %(default)s)")
    parser.add_argument("--traffic", type=float, default=1.0, help="so many times as many vehicles (default: %(default)s)")
    parser.add_argument("--warm-up", type=float, metavar="HOURS", help="growth counts from here on (default: half of the time, at most 4)")
    parser.add_argument("--growth", type=float, default=5.0, metavar="MB", help="memory may grow by so much after the warm-up (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON, too")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw memory and handles over the time as PNG")
    parser.add_argument("--folder", type=Path, help="work there, and leave the daemon's files and log; empty or not there yet")
    parser.add_argument("--spoil", choices=("memory", "handles", "both"), default="", help="let the daemon leak, to see that it is found")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    options = arguments(words)
    return ended(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """0 when all limits are kept, 1 when one is not."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from edge.errors import ConfigError
    from tests.soak.play import Plan, play

    if not 0.05 <= options.hours <= 24 * 14:
        raise ConfigError(f"--hours {options.hours:g}: from 0.05 (three minutes) to {24 * 14} (two weeks)")
    if not 0 < options.traffic <= 20:
        raise ConfigError(f"--traffic {options.traffic:g}: more than 0, at most 20")
    if options.pictures and not options.empty:
        raise ConfigError("--pictures are for --empty; add it")
    if options.folder and options.folder.exists() and any(options.folder.iterdir()):
        raise ConfigError(f"{options.folder}: is not empty; name another --folder")
    console = Console(highlight=False, stderr=True)
    with ExitStack() as open_:
        folder = options.folder or Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="platewatch-soak-")))
        folder.mkdir(parents=True, exist_ok=True)
        scenes = _scenes(options)
        done = TextColumn("{task.completed:.2f} of {task.total:g} h")
        columns = (TextColumn("{task.description}"), BarColumn(), done, TimeElapsedColumn(), TimeRemainingColumn())
        bar = open_.enter_context(Progress(*columns, console=console, transient=True))
        task = bar.add_task("soaking", total=options.hours)
        played = play(
            scenes,
            Plan.of(options.hours, options.spoil),
            folder.resolve(),
            lambda now: bar.update(task, completed=now.hours, description=f"{now.samples[-1].rss_mb:.0f} MB, {now.samples[-1].events} events"),
        )
    return tell(options, scenes, played)


def _scenes(options: argparse.Namespace) -> Scenes:
    if not options.empty:
        from tests.soak.scenes import Day

        return Day(FROM_H, options.hours, options.seed, options.traffic)
    from tests.soak.empty import DrawnHour, PicturedHour

    return PicturedHour(options.pictures, options.hours, options.seed) if options.pictures else DrawnHour(options.hours, options.seed)


def tell(options: argparse.Namespace, scenes: Scenes, played: Played) -> int:
    """The verdict in words and as JSON."""
    from tests.soak.verdict import Limits, judge

    warm_up_h = min(4.0, options.hours / 2) if options.warm_up is None else options.warm_up
    limits = Limits(growth_mb=options.growth)
    figures, wrong = judge(played.samples, warm_up_h, limits)
    truth = _truth(scenes, played)
    if options.empty and (told := played.status["events"] + played.status["totals"]["previews"]):
        wrong.append(f"{told} events and previews where there were no plates")
    if played.stopped:
        wrong.append(f"it was stopped after {played.hours:.2f} h")
    result: dict[str, Any] = {
        "hours": round(played.hours, 4), "seed": options.seed, "traffic": options.traffic, "empty": options.empty, "frames": played.frames,
        "frames_per_simulated_second": round(played.frames / max(1.0, 3600 * played.hours), 3), "took_s": round(played.took_s, 1),
        "daemon_cpu_s": played.samples[-1].cpu_s, "outages_of_the_web_hook": played.outages, "limits": asdict(limits), **figures, "truth": truth,
        "status": {key: played.status.get(key) for key in ("events", "totals", "reasons", "store", "attention", "targets", "detail", "stages_ms")},
        "unread": [{key: one.get(key) for key in ("reason", "text", "width_px", "score", "frames", "reads", "confidence")} for one in played.unread],
        "wrong": wrong, "passed": not wrong, "curve": [one.as_json() for one in played.samples],
    }  # fmt: skip
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        from tests.soak.plot import plot

        plot(played.samples, warm_up_h, options.plot)
    _print(result, played)
    return 1 if wrong else 0


def _truth(scenes: Scenes, played: Played) -> dict[str, Any]:
    from tests.soak.play import MIDNIGHT, events_of

    until_s = 3600 * (played.hours + FROM_H) if not played.stopped else 3600 * (played.hours + FROM_H) - 60
    return scenes.truth(events_of(played), MIDNIGHT.timestamp(), until_s)


def _print(result: dict[str, Any], played: Played) -> None:
    last = played.samples[-1]
    print(f"{result['hours']:.2f} h in {result['took_s']:.0f} s: {result['frames']} frames, {last.cpu_s:.0f} s of the daemon's processor time")
    for name, unit in (("rss_mb", "MB"), ("private_mb", "MB"), ("handles", ""), ("threads", "")):
        if "growth" in result:
            grown = result["growth"][name]
            print(f"  {name:<11} at most {result['most'][name]:7.1f} {unit:<2}  growth {grown['by_slope']:+.2f} (slope) {grown['by_ends']:+.2f} (ends)")
    most_mb = max(one.files_mb for one in played.samples)
    print(f"  files {last.files_mb:.1f} MB (at most {most_mb:.1f}), written {last.written_mb:.1f} MB, log {last.log_mb:.2f} MB")
    for key, value in result["truth"].items():
        if not isinstance(value, list):
            print(f"  {key}: {value}")
    print(f"  passes without an event: {result['status']['reasons']}")
    for words in result["wrong"]:
        print(f"FAILED: {words}")
    if not result["wrong"]:
        print("passed")
