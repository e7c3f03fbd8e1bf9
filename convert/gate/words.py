"""The verdict for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from convert.gate.verdict import LARGE, Verdict

FIGURES = {
    "read_exact": "exact plates, %",
    "read_characters": "characters right, %",
    "ece": "calibration error (ECE), %",
    "ap50": "AP50, %",
    "ap75": "AP75, %",
    "recall": "recall at the threshold, %",
    "precision": "precision at the threshold, %",
    "false_per_empty": "false reports a photograph without a plate",
}
"""Figure -> what it is called; shares in per cent."""


def tell(verdict: Verdict, name: str, console: Console) -> None:
    """Two tables and the verdict in a sentence or two."""
    table = Table("", verdict.float_side, name, title=f"{verdict.kind}: {verdict.evidence} plates")
    for key, words in FIGURES.items():
        if key in verdict.float_figures and key in verdict.int8_figures:
            table.add_row(words, *(_figure(key, figures[key]) for figures in (verdict.float_figures, verdict.int8_figures)))
    console.print(table)
    if verdict.by_source:
        console.print(_sources(verdict))
    for line in in_words(verdict):
        console.print(line, highlight=False, markup=False)


def in_words(verdict: Verdict) -> list[str]:
    """What was lost, how sure that is, and whether it may ship."""
    if not verdict.evidence:
        return [f"refused: {reason}" for reason in verdict.reasons]
    one = verdict.differing
    seen = "read exactly" if verdict.kind == "reader" else "found at the threshold"
    lines = [
        f"loses {100 * verdict.drop:.2f} points of {verdict.what} on {verdict.evidence} plates{_between(verdict.interval)}",
        f"{one.lost} plates are {seen} in float alone, {one.won} in {verdict.variant} alone (McNemar's test, mid-p {one.p:.2f})",
    ]
    if verdict.recall_interval:
        lines.append(f"drop in recall at the threshold{_between(verdict.recall_interval)}")
    return [*lines, *(f"refused: {reason}" for reason in verdict.reasons), *(["passed"] if verdict.passed else [])]


def _sources(verdict: Verdict) -> Table:
    headings = ("plates", "float", "variant", "drop", "lost/won", "mid-p", "verdict")
    table = Table(
        Column("source", no_wrap=True), *headings, title=f"{verdict.what} by source, %", caption=f"few: fewer than {LARGE} plates, shown and not judged"
    )
    for one in verdict.by_source:
        ruling = ("passed" if one.passed else "REFUSED") if one.judged else "few"
        shares = [f"{100 * value:.1f}" for value in (one.floats, one.variant)]
        table.add_row(
            one.name, str(one.plates), *shares, f"{100 * one.drop:.2f}", f"{one.differing.lost}/{one.differing.won}", f"{one.differing.p:.2f}", ruling
        )
    return table


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f", 95 % interval {100 * interval[0]:.2f} to {100 * interval[1]:.2f}"


def _figure(key: str, value: float) -> str:
    return f"{value:.3f}" if key == "false_per_empty" else f"{100 * value:.2f}"
