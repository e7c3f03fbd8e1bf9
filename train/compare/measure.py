"""Trains what is not trained yet, and measures each reader on the same crops."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge.errors import ConfigError
from train.compare.cost import macs
from train.compare.plan import write_plan
from train.config import Experiment
from train.data.formats.native import read_folder
from train.fit import fit
from train.models.readers import reader_network
from train.validate import ReaderCheck

OVERALL = ("exact", "characters")


@dataclass(frozen=True, slots=True)
class Measured:
    """One reader. Figures are shares; `exact_95` is the 95 % interval of `exact`; `seconds` is the wall time of training, its checks included.

    `plates` is how many were read; `curve` holds (step, exact) of every check during training.
    """

    name: str
    architecture: str
    codec: str
    parameters: int
    macs: int
    steps: int
    samples: int
    seconds: int
    plates: int
    exact: float
    exact_95: tuple[float, float]
    characters: float
    by_source: dict[str, float]
    curve: tuple[tuple[int, float], ...]


def trained(run: Path, steps: int) -> bool:
    """Whether the run folder holds a run of at least so many steps."""
    if not (run / "state.npz").is_file() or not (run / "average.weights.h5").is_file():
        return False
    with np.load(run / "state.npz") as state:
        return int(state["step"]) >= steps


def train_missing(experiment: Experiment, data: list[Path], validation: list[Path], out: Path, every: int) -> Path:
    """The run folder `out/NAME`, trained to its end; goes on where it was stopped."""
    file, run = write_plan(experiment, out), out / experiment.name
    if not trained(run, experiment.steps):
        fit(file, data, validation, run, every=every)
        keras.backend.clear_session()
    return run


def same_photographs(runs: list[Path]) -> None:
    """Raises ConfigError when two runs learnt from different labelled folders, as their provenance tells."""
    learnt = [json.loads((run / "provenance.json").read_text())["data"] for run in runs]
    for run, data in zip(runs, learnt, strict=True):
        if data != learnt[0]:
            raise ConfigError(f"{run}: learnt from other photographs than {runs[0]}; train both with the same --data, into another --out")


def measure(experiment: Experiment, run: Path, validation: list[Path]) -> Measured:
    """The run's averaged weights on the validation crops."""
    keras.mixed_precision.set_global_policy("float32")
    network = reader_network(experiment)
    network.model.load_weights(run / "average.weights.h5")
    last = experiment.phases[-1]
    check = ReaderCheck([image for folder in validation for image in read_folder(folder) if image.crop], last.width, last.height, network.codec)
    figures = check(network.model)
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return Measured(
        name=experiment.name,
        architecture=experiment.architecture,
        codec=experiment.codec,
        parameters=network.model.count_params(),
        macs=macs(network.model),
        steps=experiment.steps,
        samples=sum(phase.steps * phase.batch for phase in experiment.phases),
        seconds=wall_seconds(rows),
        plates=len(check.plates),
        exact=figures["exact"],
        exact_95=interval(figures["exact"], len(check.plates)),
        characters=figures["characters"],
        by_source={key: value for key, value in figures.items() if key not in OVERALL},
        curve=tuple({row["step"]: (row["step"], row["exact"]) for row in rows if "exact" in row}.values()),
    )


def wall_seconds(rows: list[dict[str, Any]]) -> int:
    """Of a log whose clock began anew whenever the run was started again; what a stop threw away is not counted."""
    seconds = [int(row["seconds"]) for row in rows]
    return sum(here for here, after in zip(seconds, [*seconds[1:], 0], strict=True) if after <= here)


def interval(share: float, number: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share seen on `number` plates (Wilson 1927)."""
    if number == 0:
        return (0.0, 1.0)
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    reach = z / (1 + z * z / number) * math.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return (max(0.0, middle - reach), min(1.0, middle + reach))
