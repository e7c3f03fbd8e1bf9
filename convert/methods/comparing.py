"""Every calibration method, and every step that wins back on top of the best of them, made and measured on the same pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from convert.calibrate import Calibration, choose
from convert.methods.choice import Row, best_method, best_of
from convert.methods.judging import DetectorBench, Outcome, ReaderBench, bench_for, error, plain_manifest, spread
from convert.methods.recipes import CALIBRATIONS, STEPS, Recipe
from convert.nets import VariantNet
from convert.quantize import ConversionError, calibration_record, make, origin, trained
from edge.errors import PlatewatchError
from train.data.formats.native import DataError

Told = Callable[[str], None]


class TooFewPlates(PlatewatchError, ValueError):
    """Nothing to measure on."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`floats` is what float reaches; `methods` and `steps` in the order in which they were measured; `chosen` is one of those, `why` in words."""

    kind: str
    floats: Outcome
    methods: tuple[Row, ...]
    steps: tuple[Row, ...]
    chosen: Row
    why: str
    calibration: dict[str, Any]

    @property
    def rows(self) -> tuple[Row, ...]:
        return (*self.methods, *self.steps)

    @property
    def chosen_file(self) -> str:
        """The name of the file to take."""
        return f"{Recipe(self.chosen.method, self.chosen.win_back).slug}.tflite"

    def as_json(self) -> dict[str, Any]:
        by_source = {name: {"plates": plates, "value": round(value, 5)} for name, (plates, value) in self.floats.by_source.items()}
        return {
            "v": 1,
            "kind": self.kind,
            "metric": "read_exact" if self.kind == "reader" else "ap50",
            "float": {"plates": self.floats.plates, "value": round(self.floats.value, 5), "by_source": by_source},
            "recipes": [row.as_json() for row in self.rows],
            "chosen": self.chosen.name,
            "why": self.why,
            "calibration": self.calibration,
        }


def compare(run: Path, data: Sequence[Path], validation: Sequence[Path], out: Path, threshold: float | None, tell: Told, progress: Any = iter) -> Comparison:
    """Files go to `out`, each with its record; those that a stopped run has left there are not made again.

    Raises TooFewPlates when `validation` has none to judge by.
    """
    experiment = trained(run)
    phase = experiment.phases[-1]
    chosen = choose(experiment.kind, phase.width, phase.height, data)
    manifest = plain_manifest(experiment, run / "average.weights.h5")
    if threshold is not None:
        manifest = replace(manifest, threshold=threshold)
    tell("looking at the photographs")
    bench = bench_for(manifest, validation, progress)
    if not bench.plates:
        raise TooFewPlates(f"{', '.join(map(str, validation))}: no plate to measure a {experiment.kind} on; name others with --validate")
    with tempfile.TemporaryDirectory() as scratch:
        work = Work(run, chosen, bench, out, Path(scratch), tell, progress)
        floats = work.floats()
        methods = tuple(work.row(Recipe(method), floats) for method in CALIBRATIONS)
        best = best_method(methods)
        alone = [(step,) for step in STEPS]
        steps = tuple(work.row(Recipe(best.method, win_back), floats) for win_back in dict.fromkeys((*alone, STEPS)))
    chosen_row, why = best_of(best, steps)
    return Comparison(experiment.kind, floats, methods, steps, chosen_row, why, chosen.as_json())


@dataclass(frozen=True, slots=True)
class Work:
    """What it takes to make and measure one recipe after the other."""

    run: Path
    chosen: Calibration
    bench: DetectorBench | ReaderBench
    out: Path
    scratch: Path
    tell: Told
    progress: Any

    def floats(self) -> Outcome:
        """The float network as a float32 file: the same numbers as Keras' to 1e-5, many times faster."""
        self.tell("float32: converting and measuring")
        file = make(self.run, self.chosen, self.scratch / "float32.tflite", Recipe(), self.scratch, "float32")
        return self.bench.measure(VariantNet(file.read_bytes(), "float32"), self.progress)

    def row(self, recipe: Recipe, floats: Outcome) -> Row:
        self.tell(f"{recipe.name}: converting and measuring")
        model = self._made(recipe).read_bytes()
        found = self.bench.measure(VariantNet(model, recipe.name), self.progress)
        lost = {name: (plates, value - found.by_source[name][1]) for name, (plates, value) in floats.by_source.items()}
        interval = spread(floats.hits - found.hits)
        return Row(recipe.name, recipe.method, recipe.win_back, found.value, floats.value - found.value, interval, lost, error(floats, found), len(model))

    def _made(self, recipe: Recipe) -> Path:
        """Made now, or by a run that was stopped."""
        file = self.out / f"{recipe.slug}.tflite"
        try:
            told = calibration_record(file)
        except ConversionError:
            told = {}
        if all(told.get(key) == value for key, value in origin(self.run, self.chosen, recipe).items()):
            return file
        return make(self.run, self.chosen, file, recipe, self.scratch)


def check_folders(kind: str, data: Sequence[Path], validation: Sequence[Path]) -> None:
    """Raises DataError when a folder is in both: what a method is chosen on must not have calibrated it."""
    shared = {folder.resolve() for folder in data} & {folder.resolve() for folder in validation}
    if shared:
        raise DataError(f"{min(shared)}: is named by --data and by --validate; measure the {kind} on photographs that it was not calibrated on")
