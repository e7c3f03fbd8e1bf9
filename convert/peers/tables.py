"""The comparison as tables: for the console, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from convert.peers.comparison import COMPARED, Comparison, McNemar
from train.evaluation.bootstrap import Interval
from train.evaluation.tables import cell

SCENES = ("scenes", "plates", "recall", "precision", "ap50", "false_per_empty", "texts", "exact", "exact_given_found", "characters")
CROPS = ("crops", "read_exact", "read_characters")
PLAIN = {"false_per_empty"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its title, heads and rows of cells; the first column is text, the others are numbers."""

    title: str
    heads: tuple[str, ...]
    rows: list[list[str]]


def sheets(found: Comparison) -> Iterator[Sheet]:
    """All that is told, most telling first."""
    for title, needs, columns in (
        ("Whole photographs (recall, precision and average precision at IoU 0.5; exact: found and read exactly)", "scenes", SCENES),
        ("Cut-out plates", "crops", CROPS),
    ):
        sides = [(one.about.name, one.groups["all"]["all"]) for one in found.sides]
        used = [column for column in columns if any(column in row for _, row in sides)]
        if needs in used:
            yield Sheet(title, _heads("", used), [[name, *(cell(column, row.get(column)) for column in used)] for name, row in sides])
    first = found.sides[0].about.name
    for one in found.against:
        rows = [[name.replace("_", " "), _points(name, one.differences[name])] for name in COMPARED if name in one.differences]
        if rows:
            yield Sheet(f"{first} less {one.name}, with 95 % intervals over the photographs", ("figure", "points"), rows)
    yield Sheet(
        "The same plates, read exactly by (McNemar's exact test, on photographs that both answered)",
        ("", "both", f"{first} alone", "the other alone", "none", "p"),
        [[one.name, *_counts(one.mcnemar)] for one in found.against],
    )
    yield from _costs(found)
    yield from _by_source(found)
    failures = [[side.about.name, reason, str(number)] for side in found.sides for reason, number in side.failures.items()]
    if failures:
        yield Sheet("Photographs on which a side failed (they count as not found and not read)", ("", "why", "how often"), failures)


def _costs(found: Comparison) -> Iterator[Sheet]:
    rows = []
    ratios = {one.name: one.ratios for one in found.against}
    for side in found.sides:
        name = side.about.name
        cells = [name, f"{side.about.bytes / 1e6:.2f}", f"{side.peak_mb:.0f}" if side.peak_mb else ""]
        for kind in ("scenes", "crops"):
            times, ratio = side.times.get(kind), ratios.get(name, {}).get(kind)
            cells.append(f"{times['median']:.2f} / {times['p95']:.2f}" if times else "")
            cells.append(f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})" if ratio else "")
        rows.append(cells)
    heads = ["", "models MB", "peak MiB", "scene ms", f"x {found.sides[0].about.name}", "crop ms", f"x {found.sides[0].about.name}"]
    kept = [place for place in range(len(heads)) if place < 3 or any(row[place] for row in rows)]
    title = "Cost (time: median / 95th percentile of a photograph; x: ratio of medians on the same photographs, with its 95 % interval)"
    yield Sheet(title, tuple(heads[place] for place in kept), [[row[place] for place in kept] for row in rows])


def _by_source(found: Comparison) -> Iterator[Sheet]:
    sources = sorted({name for side in found.sides for name in side.groups["source"]})
    if len(sources) < 2:
        return
    columns = ("plates", "recall", "precision", "ap50", "false_per_empty", "texts", "exact", "crops", "read_exact", "read_characters")
    groups = [(source, side.about.name, side.groups["source"].get(source, {})) for source in sources for side in found.sides]
    used = [column for column in columns if any(column in row for _, _, row in groups)]
    rows = [[f"{source}, {name}", *(cell(column, row.get(column)) for column in used)] for source, name, row in groups]
    yield Sheet("By source", _heads("", used), rows)


def _heads(first: str, columns: list[str]) -> tuple[str, ...]:
    return (first, *(column.replace("_", " ") for column in columns))


def _points(name: str, one: Interval) -> str:
    by = 1.0 if name in PLAIN else 100.0
    value, low, high = (f"{by * number:+.2f}" if name in PLAIN else f"{by * number:+.1f}" for number in (one.value, one.low, one.high))
    return f"{value} ({low} to {high})"


def _counts(one: McNemar) -> list[str]:
    return [str(one.both), str(one.ours), str(one.theirs), str(one.neither), f"{one.p:.2g}"]


def as_markdown(found: Comparison, said: str) -> str:
    """All tables under each other."""
    parts = [f"# {' and '.join(side.about.name for side in found.sides)}, side by side", said]
    for side in found.sides:
        models = ", ".join(f"{model.name} ({model.bytes:,} bytes, sha256 {model.sha256[:12]})" for model in side.about.models)
        packages = ", ".join(f"{name} {number}" for name, number in side.about.versions.items())
        parts.append(f"* **{side.about.name}**: {models}; reports from score {side.about.threshold:g}" + (f"; {packages}" if packages else ""))
    for sheet in sheets(found):
        ruler = ["---", *["---:"] * (len(sheet.heads) - 1)]
        lines = ["| " + " | ".join(part.replace("|", "/") for part in row) + " |" for row in (sheet.heads, ruler, *sheet.rows)]
        parts.append("\n".join([f"## {sheet.title}", "", *lines]))
    return "\n\n".join(parts) + "\n"
