"""A comparison of methods as a table, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from convert.gate.verdict import LARGE
from convert.methods.choice import ALLOWED, Row
from convert.methods.comparing import Comparison

GREEN, RED, GREY = "#2c7a4b", "#b3372f", "#8a8f98"
METRIC = {"reader": "plates read exactly", "detector": "average precision at IoU 0.5"}


def table_of(found: Comparison) -> Table:
    """Drops in points; a negative one is a gain."""
    title = f"{METRIC[found.kind]}: float {100 * found.floats.value:.2f} % on {found.floats.plates} plates"
    table = Table("recipe", "int8, %", "drop", "95 % (plates)", f"worst source (≥ {LARGE} plates)", "output error", "KiB", "verdict", title=title)
    for row in found.rows:
        source, drop = row.worst
        low, high = (100 * end for end in row.interval)
        verdict = "take" if row is found.chosen else "passes" if row.passes else "loses too much"
        cells = (f"{100 * row.value:.2f}", f"{100 * row.drop:+.2f}", f"{low:+.2f} to {high:+.2f}", f"{source} {100 * drop:+.2f}")
        table.add_row(row.name, *cells, f"{row.error:.4f}", f"{row.size / 1024:.0f}", verdict, style="bold" if row is found.chosen else None)
    return table


def write(found: Comparison, out: Path) -> None:
    """`methods.json` and `methods.png` in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "methods.json").write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    plot(found, out / "methods.png")


def show(found: Comparison, console: Console) -> None:
    console.print(table_of(found))
    console.print(f"take {found.chosen.name}: {found.why}", highlight=False)
    if not found.chosen.passes:
        source, drop = found.chosen.worst
        console.print(f"but it loses {100 * drop:.2f} points on {source}, more than {100 * ALLOWED:.1f}: calibrate on more pictures, or train on")


def plot(found: Comparison, path: Path) -> None:
    """Left the drop, over all a bar and for each large source a dot; right the error of the outputs. White ground."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = list(reversed(found.rows))
    figure, (drops, errors) = plt.subplots(1, 2, figsize=(10, 1.4 + 0.34 * len(rows)), width_ratios=(3, 2), sharey=True, layout="constrained")
    colours = [GREEN if row.passes else RED for row in rows]
    drops.barh(range(len(rows)), [100 * row.drop for row in rows], color=colours, height=0.55)
    _dots(drops, rows)
    drops.axvline(100 * ALLOWED, color=RED, linestyle=":", linewidth=1)
    drops.axvline(0, color=GREY, linewidth=0.8)
    drops.set_yticks(range(len(rows)), [("→ " if row is found.chosen else "") + row.name for row in rows])
    drops.set(xlabel=f"points lost to float (dots: sources of {LARGE} plates or more)", title=METRIC[found.kind])
    errors.barh(range(len(rows)), [row.error for row in rows], color=GREY, height=0.55)
    errors.set(xlabel="standard deviations", title="error of the outputs")
    for axes in (drops, errors):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _dots(axes: Any, rows: list[Row]) -> None:
    places = [(place, 100 * drop) for place, row in enumerate(rows) for plates, drop in row.by_source.values() if plates >= LARGE]
    axes.scatter([drop for _, drop in places], [place for place, _ in places], s=14, color="black", zorder=3)
