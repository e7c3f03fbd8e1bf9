"""What a search found: tables for people and programs, a picture, and the best experiment as a file to train."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from train.search.space import Search, changed, rebased
from train.toml import write_toml


@dataclass(frozen=True, slots=True)
class Trial:
    """`state` is complete, pruned (given up as worse than others), burst (its loss was no number), running or fail; `value` is the last check's figure."""

    number: int
    state: str
    value: float | None
    steps: int
    seconds: float | None
    values: dict[str, Any]


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Complete ones first, best first; then those that were given up, best first; then the rest."""
    order = {"complete": 0, "pruned": 1}
    return sorted(trials, key=lambda one: (order.get(one.state, 2), -one.value if one.value is not None else 0.0, one.number))


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """None while no trial has come to its end."""
    first = next(iter(ranked(trials)), None)
    return first if first and first.state == "complete" else None


def write_reports(out: Path, search: Search, trials: Sequence[Trial]) -> None:
    """`trials.json`, `trials.md`, `search.png`, and `best.toml` once there is a best."""
    best = best_of(trials)
    summary = {"v": 1, "base": search.experiment.name, "metric": search.metric, "steps": search.steps, "best": best and best.number}
    (out / "trials.json").write_text(json.dumps(summary | {"trials": [asdict(one) for one in trials]}, indent=1) + "\n", encoding="utf-8")
    head, rows = table_of(trials, search)
    lines = [head, ["---"] * len(head), *rows]
    words = f"Base {search.experiment.name}, {search.steps} steps a trial, judged by {search.metric} on the validation photographs, best first.\n\n"
    (out / "trials.md").write_text(words + "".join(f"| {' | '.join(line)} |\n" for line in lines), encoding="utf-8")
    plot_trials(out / "search.png", search, trials)
    if best:
        write_best(out, search, best, len(trials))


def write_best(out: Path, search: Search, best: Trial, trials: int) -> None:
    """The base experiment at its full length with the best trial's settings."""
    told = f"{search.metric} {best.value:.4f} after {best.steps} steps on the photographs that the search chose on; on others expect less"
    table = rebased(changed(search.table, best.values), search.base, out) | {"name": f"{search.experiment.name}-searched", "expected": told}
    comment = f"Best of {trials} trials of the search {search.path.name} (trial {best.number}); train it with python -m train fit."
    (out / "best.toml").write_text(write_toml(table, comment), encoding="utf-8")


def table_of(trials: Sequence[Trial], search: Search) -> tuple[list[str], list[list[str]]]:
    """Head and rows, best first."""
    names = [one.name for one in search.ranges]
    rows = []
    for one in ranked(trials):
        seconds = "-" if one.seconds is None else f"{one.seconds:.0f}"
        figure = "-" if one.value is None else f"{one.value:.4f}"
        rows.append([str(one.number), one.state, figure, str(one.steps), seconds, *(_short(one.values.get(name, "-")) for name in names)])
    return ["trial", "state", search.metric, "steps", "s", *names], rows


def print_trials(trials: Sequence[Trial], search: Search, console: Console, at_most: int = 15) -> None:
    """The best ones on the console."""
    head, rows = table_of(trials, search)
    table = Table(*head, title=f"{len(trials)} trials, best first")
    for row in rows[:at_most]:
        table.add_row(*row)
    console.print(table)


def plot_trials(file: Path, search: Search, trials: Sequence[Trial]) -> None:
    """The figure over the trials, and over every setting: where it rises is where to look closer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    columns = min(4, 1 + len(search.ranges))
    rows = -(-(1 + len(search.ranges)) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.4 * columns, 3.0 * rows), layout="constrained", squeeze=False)
    panels = list(grid.flat)
    shown = [one for one in trials if one.value is not None]
    colours = {"complete": "tab:blue", "pruned": "tab:grey"}
    for state, colour in colours.items():
        some = [one for one in shown if one.state == state]
        panels[0].scatter([one.number for one in some], [one.value for one in some], c=colour, s=14, label=state)
        for panel, one_range in zip(panels[1:], search.ranges, strict=False):
            where = [_place(one.values.get(one_range.name), one_range.choices) for one in some]
            panel.scatter(where, [one.value for one in some], c=colour, s=14)
    panels[0].set(xlabel="trial", ylabel=search.metric)
    panels[0].xaxis.get_major_locator().set_params(integer=True)
    panels[0].legend(fontsize=7)
    for panel, one_range in zip(panels[1:], search.ranges, strict=False):
        panel.set(xlabel=one_range.name, ylabel=search.metric, xscale="log" if one_range.log else "linear")
        if one_range.choices:
            panel.set_xticks(range(len(one_range.choices)), [_short(choice) for choice in one_range.choices], fontsize=6)
            panel.set_xlim(-0.5, len(one_range.choices) - 0.5)
            continue
        low, high = one_range.low, one_range.high
        places = [low, (low * high) ** 0.5 if one_range.log else (low + high) / 2, high]
        panel.set_xticks(places, [_short(place) for place in places])
        panel.set_xticks([], minor=True)
        panel.set_xlim(_beyond(low, high, one_range.log))
    for panel in panels[1 + len(search.ranges) :]:
        panel.set_axis_off()
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _place(value: Any, choices: tuple[Any, ...]) -> float:
    return float(choices.index(value)) if choices else float(value)


def _beyond(low: float, high: float, log: bool) -> tuple[float, float]:
    """A little more than the range, so that points at its ends are whole."""
    if log:
        factor = (high / low) ** 0.04
        return low / factor, high * factor
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
