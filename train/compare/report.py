"""One table of all readers, on the console, as JSON and as Markdown, and a plot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from train.compare.measure import Measured

Row = list[str]


def columns(readers: Sequence[Measured]) -> tuple[Row, list[Row]]:
    """Heads and cells. Shares in percent; the sources in alphabetical order after the whole."""
    sources = sorted({source for one in readers for source in one.by_source})
    heads = ["reader", "codec", "parameters", "MMAC", "samples", "seconds", "exact", "95 %", "characters", *sources]
    return heads, [
        [
            one.name,
            one.codec,
            f"{one.parameters:,}",
            f"{one.macs / 1e6:.1f}",
            f"{one.samples:,}",
            f"{one.seconds:,}",
            f"{100 * one.exact:.1f}",
            "{:.1f}-{:.1f}".format(*(100 * end for end in one.exact_95)),
            f"{100 * one.characters:.1f}",
            *(f"{100 * one.by_source[source]:.1f}" if source in one.by_source else "" for source in sources),
        ]
        for one in readers
    ]


def as_table(readers: Sequence[Measured], title: str) -> Table:
    """For the console."""
    heads, rows = columns(readers)
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head.replace("_", " "), justify="left" if head in ("reader", "codec") else "right")
    for row in rows:
        table.add_row(*row)
    return table


def as_markdown(readers: Sequence[Measured], title: str) -> str:
    """The same table."""
    heads, rows = columns(readers)
    ruler = ["---" if head in ("reader", "codec") else "---:" for head in heads]
    return "\n".join([title, "", *("| " + " | ".join(row) + " |" for row in (heads, ruler, *rows))]) + "\n"


def write_report(readers: Sequence[Measured], title: str, context: dict[str, Any], out: Path) -> None:
    """`compare.json`, `compare.md` and `compare.png` in the folder `out`."""
    (out / "compare.json").write_text(json.dumps({"v": 1, **context, "readers": [asdict(one) for one in readers]}, indent=1) + "\n", encoding="utf-8")
    (out / "compare.md").write_text(as_markdown(readers, title), encoding="utf-8")
    _plot(readers, out / "compare.png")


def _plot(readers: Sequence[Measured], file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for one in readers:
        left.plot([step for step, _ in one.curve], [100 * exact for _, exact in one.curve], marker=".", label=one.name)
        low, high = one.exact_95
        right.errorbar(one.macs / 1e6, 100 * one.exact, yerr=[[100 * max(0.0, one.exact - low)], [100 * max(0.0, high - one.exact)]], marker="o", capsize=3)
        right.annotate(one.name, (one.macs / 1e6, 100 * one.exact), xytext=(7, 5), textcoords="offset points")
    left.set(xlabel="step", ylabel="plates read exactly, %")
    left.set_ylim(bottom=0)
    left.legend()
    right.set(xlabel="multiply-accumulates of one read, millions", ylabel="plates read exactly, %")
    right.set_xlim(left=0)
    right.margins(x=0.2)
    right.set_xlim(left=0)
    figure.savefig(file, dpi=110)
    plt.close(figure)
