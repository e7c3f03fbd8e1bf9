"""The evaluation as tables on the console."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from train.evaluation.confusion import worst
from train.evaluation.evaluation import Evaluation, confidence_figures
from train.evaluation.figures import Figures
from train.evaluation.slices import TRAITS, label

FINDING = ("scenes", "plates", "precision", "recall", "found_f1", "recall75", "ap50", "ap75", "map", "false_per_empty")
WHOLE = ("scenes", "texts", "exact", "exact_auto", "exact_told", "exact_given_found", "whole_precision", "f1")
READING = ("crops", "read_exact", "read_exact_auto", "read_exact_told", "read_characters", "ms")
CONFIDENCE = ("claims", "ece", "auc", "coverage")
TITLES = {
    "Finding (precision, recall, F1 at IoU 0.5; map = mean over IoU 0.50-0.95)": FINDING,
    "Found and read, whole photographs (auto, told: under the country rules of all countries, of the label's country)": WHOLE,
    "Reading cut-out plates": READING,
    "Confidence (ece = expected calibration error; coverage = read right and accepted, 0.5 % wrong among the accepted)": CONFIDENCE,
}
COUNTS = {"scenes", "plates", "texts", "crops", "claims"}
NEEDS = {FINDING: "plates", WHOLE: "texts", READING: "crops", CONFIDENCE: "claims"}
Rows = list[list[str]]


def cell(column: str, value: float | int | None) -> str:
    """A figure as it stands in a table: per cent, but for counts, milliseconds and false reports a picture."""
    if value is None:
        return ""
    if column in COUNTS:
        return str(value)
    return f"{value:.2f}" if column in ("ms", "false_per_empty") else f"{100 * value:.1f}"


def group_rows(groups: dict[str, dict[str, Figures]], columns: tuple[str, ...]) -> tuple[list[str], list[Rows]]:
    """Columns that hold anything, and the rows by kind of group: source, country, all."""
    kept = [[(name, row) for name, row in groups[kind].items() if row.get(NEEDS[columns])] for kind in ("source", "country", "all")]
    used = [column for column in columns if any(column in row for rows in kept for _, row in rows)]
    return used, [[[name, *(cell(column, row.get(column)) for column in used)] for name, row in rows] for rows in kept]


def interval_rows(found: Evaluation) -> Rows:
    """Figure, value, 95 % interval; mean, spread, least and most over the sets."""
    rows = []
    for name, one in found.intervals.items():
        spread = found.sets.get(name)
        over = (
            ["", "", ""]
            if spread is None
            else [cell(name, spread["mean"]), cell(name, spread["spread"]), f"{cell(name, spread['least'])} to {cell(name, spread['most'])}"]
        )
        rows.append([name.replace("_", " "), cell(name, one.value), f"{cell(name, one.low)} to {cell(name, one.high)}", *over])
    return rows


INTERVAL_HEADS = ("figure", "%", "95 % interval", "mean of sets", "spread", "least to most")


def confidence_rows(found: Evaluation) -> Rows:
    """Of plates and of characters: how true the confidence is."""
    rows = []
    for name, said in (("plates", found.plates), ("plates, rules auto", found.ruled), ("characters", found.characters)):
        row = confidence_figures(said)
        if row["claims"]:
            rows.append(
                [
                    name,
                    str(row["claims"]),
                    *(_share(row.get(key)) for key in ("right", "mean", "ece")),
                    *(_plain(row.get(key)) for key in ("brier", "nll", "auc")),
                ]
            )
    return rows


CONFIDENCE_HEADS = ("", "reads", "right %", "claimed %", "ECE %", "Brier", "NLL", "AUC")


def coverage_rows(found: Evaluation) -> Rows:
    """Wrong among the accepted, coverage, confidence from which is accepted."""
    return [
        [f"{100 * one.wrong:.1f}", f"{100 * one.share:.1f}", f"{one.threshold:.6f}" if one.share else "none is so sure"]
        for one in found.coverages
        if not math.isnan(one.share)
    ]


COVERAGE_HEADS = ("wrong among accepted %", "coverage %", "accept from confidence")


def slice_rows(found: Evaluation) -> Rows:
    """By trait and bin: plates, found, texts, exact with its interval."""
    units = {trait.name: trait.unit for trait in TRAITS}
    rows = []
    for name, bins in found.slices.items():
        for one in bins:
            recall = f"{100 * one.found / one.plates:.1f}" if one.plates else ""
            exact = f"{100 * one.right / one.texts:.1f}" if one.texts else ""
            low, high = one.interval
            reach = f"{100 * low:.0f} to {100 * high:.0f}" if one.texts else ""
            title = f"{name}, {units[name]}" if units[name] else name
            rows.append([title, label(one), str(one.plates), recall, str(one.texts), exact, reach])
    return rows


SLICE_HEADS = ("trait", "bin", "plates in scenes", "found %", "texts", "exact %", "95 % interval")


def study_rows(found: Evaluation) -> Rows:
    """What calibration would do, on plates that it was not fitted on."""
    if found.study is None:
        return []
    columns = ("nll", "ece", "ece_other_sources")
    return [
        [f"{name} *" if name == found.study.name else name, f"{row['nll']:.4f}", *(f"{100 * row[key]:.1f}" for key in columns[1:])]
        for name, row in found.study.rows.items()
    ]


STUDY_HEADS = ("calibration", "NLL", "ECE %", "ECE %, other sources")
STUDY_TITLE = "What calibration would do, cross-validated (* is chosen; other sources: fitted without the source it is asked on)"


def confusion_line(found: Evaluation, at_most: int = 12) -> str:
    """The most frequent mistakes in one line."""
    return "  ".join(f"{there or '+'}>{said or '-'} {number}" for there, said, number in worst(found.confusions, at_most))


def print_tables(found: Evaluation, console: Console) -> None:
    """One table a question, a row a source, a country, and all."""
    for title, columns in TITLES.items():
        used, kinds = group_rows(found.groups, columns)
        if any(kinds):
            _print(console, title, ("", *(column.replace("_", " ") for column in used)), kinds)
    for title, heads, rows in (
        ("All pictures, with bootstrap intervals", INTERVAL_HEADS, interval_rows(found)),
        ("How true the confidence is", CONFIDENCE_HEADS, confidence_rows(found)),
        ("Accepting by confidence (coverage: of all plates, read right and accepted)", COVERAGE_HEADS, coverage_rows(found)),
        ("How the plate looks", SLICE_HEADS, slice_rows(found)),
        (STUDY_TITLE, STUDY_HEADS, study_rows(found)),
    ):
        if rows:
            _print(console, title, heads, [rows])
    if line := confusion_line(found):
        console.print(f"Most frequent mistakes (there>read, + invented, - lost): {line}", highlight=False)


def _print(console: Console, title: str, heads: Sequence[str], sections: Sequence[Rows]) -> None:
    table = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for rows in sections:
        for row in rows:
            table.add_row(*row)
        if rows:
            table.add_section()
    console.print(table)


def _share(value: float | int | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _plain(value: float | int | None) -> str:
    return "" if value is None else f"{value:.3f}"
