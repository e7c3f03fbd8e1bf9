"""Results of several runs or machines side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from convert.bench.plots import Point, Series
from convert.bench.tables import NETWORKS, label, machine_rows, ms
from edge.bench.figures import Timing
from edge.bench.result import STAGES, STREAM, Cell, Result, Setting, load_result
from edge.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

Place = tuple[Setting, str, str | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Results by name, what at least two of them measured (the first among them), and what makes the ratios doubtful."""

    results: dict[str, Result]
    places: list[Place]
    warnings: list[str]

    @property
    def names(self) -> list[str]:
        return list(self.results)

    def timing(self, name: str, place: Place) -> Timing | None:
        """Of one result at one place."""
        return next((cell.ms for cell in self.results[name].cells if place_of(cell) == place), None)

    def ratio(self, name: str, place: Place) -> float | None:
        """How many times as long as in the first result."""
        one, base = self.timing(name, place), self.timing(self.names[0], place)
        return one.median / base.median if one and base and base.median > 0 else None

    def series(self) -> Series:
        """Name -> place -> median with quartiles."""
        found: dict[str, dict[str, Point]] = {}
        for name in self.names:
            for place in self.places:
                one = self.timing(name, place)
                if one is not None:
                    found.setdefault(name, {})[words(place)] = (one.median, one.q1, one.q3)
        return found

    def ratio_series(self) -> Series:
        """The same as ratios to the first."""
        found: dict[str, dict[str, Point]] = {}
        for name in self.names[1:]:
            for place in self.places:
                value = self.ratio(name, place)
                if value is not None:
                    found.setdefault(name, {})[words(place)] = (value,) * 3
        return found


def place_of(cell: Cell) -> Place:
    """What two results must have in common for their cells to be compared."""
    return cell.setting, cell.what, cell.scene


def words(place: Place) -> str:
    """In a line."""
    setting, what, scene = place
    return f"{NETWORKS.get(what) or what}{f', {scene}' if what in ('whole frame', *STREAM) else ''}: {label(setting)}"


def compared(paths: Sequence[Path]) -> Comparison:
    """Raises ConfigError for a file that is no result, and where two have nothing in common."""
    results: dict[str, Result] = {}
    for path in paths:
        name, number = path.stem, 1
        while name in results:
            number += 1
            name = f"{path.stem} ({number})"
        results[name] = load_result(path)
    first, *others = results.values()
    measured = [place_of(cell) for cell in first.cells if cell.ms]
    elsewhere = {place_of(cell) for other in others for cell in other.cells if cell.ms}
    places = sorted((place for place in measured if place in elsewhere), key=lambda place: STAGES.index(place[1]) if place[1] in STAGES else 0)
    if not places:
        raise ConfigError(f"{paths[0]} and the others have no measured cell in common: measure the same variant, runtime, threads and scenes")
    return Comparison(results, places, list(doubts(results)))


def doubts(results: dict[str, Result]) -> Iterator[str]:
    """Other models, other scenes, another Platewatch, and the results' own warnings."""
    (first, base), *others = results.items()
    hashes = {(model.side, model.kind, model.variant): model.sha256 for model in base.models}
    scenes = {scene.name: scene.sha256 for scene in base.scenes}
    for name, other in others:
        models = [
            f"{model.kind} {model.variant}" for model in other.models if hashes.get((model.side, model.kind, model.variant), model.sha256) != model.sha256
        ]
        if models:
            yield f"{name} measured other models than {first} ({', '.join(models)}): the ratios are not of the machines alone"
        seen = [scene.name for scene in other.scenes if scenes.get(scene.name, scene.sha256) != scene.sha256]
        if seen:
            yield f"{name} looked at other scenes than {first} under the same name ({', '.join(seen)})"
        if other.software.packages.get("ai-edge-litert") != base.software.packages.get("ai-edge-litert"):
            yield f"{name} and {first} have different versions of ai-edge-litert"
    for name, result in results.items():
        for said in result.warnings:
            yield f"{name}: {said}"


def ratio_rows(found: Comparison) -> tuple[list[str], list[list[str]]]:
    """Median of the first, then each other's with its ratio; a dash where it measured no such thing."""
    first, *others = found.names
    rows = []
    for place in found.places:
        base = found.timing(first, place)
        row = [words(place), ms(base.median) if base else "-"]
        for name in others:
            one, value = found.timing(name, place), found.ratio(name, place)
            row.append(f"{ms(one.median)} ({value:.2f}x)" if one and value is not None else "-")
        rows.append(row)
    return ["ms, median", *found.names], rows


def side_rows(found: Comparison) -> list[list[str]]:
    """Facts of the machines, a column each."""
    columns = [machine_rows(result) for result in found.results.values()]
    return [[column[0][0], *(row[1] for row in column)] for column in zip_longest(*columns, fillvalue=["", ""])]


def print_comparison(found: Comparison, console: Console) -> None:
    """The table of ratios, and the doubts."""
    from rich.table import Table

    heads, rows = ratio_rows(found)
    table = Table(heads[0], title=f"Medians, ms, and times as long as {found.names[0]}")
    for head in heads[1:]:
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for said in found.warnings:
        console.print(f"WARNING: {said}", highlight=False, style="bold")
