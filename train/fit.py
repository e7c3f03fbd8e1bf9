"""Training: one loop, readable from top to bottom. Seeded, resumable at any step, stops at a loss that is no number."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edge.errors import ConfigError, PlatewatchError
from train.config import Experiment, Phase, learning_rate, load_experiment
from train.data.batches import Sampler, batches
from train.recipes import RECIPES
from train.stages import begins_stage, enter_stage

Weights = list[npt.NDArray[np.float32]]
Watch = Callable[[int, dict[str, float]], None]


class TrainingStopped(PlatewatchError, ArithmeticError):
    """The loss is no longer a number."""


def fit(path: str | Path, data: list[Path], validation: list[Path], out: Path, steps: int | None = None, every: int = 1000, watch: Watch | None = None) -> Path:
    """Train the experiment at `path` into the folder `out` and return the file of its averaged weights.

    Continues from `out` if a run of this experiment stands there. `steps` overrides the last phase's end.
    `watch(step, figures)` is called after every check, when its state is safe; what it raises ends the run.
    """
    experiment = load_experiment(path)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, out / "experiment.toml")
    keras.utils.set_random_seed(experiment.seed)
    keras.mixed_precision.set_global_policy(experiment.precision)
    recipe = RECIPES[experiment.kind](experiment, data, validation)
    model = recipe.model
    optimizer = keras.optimizers.AdamW(learning_rate=experiment.rate, weight_decay=experiment.weight_decay, global_clipnorm=experiment.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    load_start(experiment, Path(path), model)
    state = Checkpoint(out, model, optimizer)
    first = state.restore()
    note_provenance(out, experiment, data, recipe.used, first)
    total = steps or experiment.steps
    losses: list[float] = []
    began = time.monotonic()
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(file=sys.stderr)) as progress:
        task = progress.add_task(experiment.name, total=total, completed=first)
        for step, (luma, target) in enumerate(every_batch(experiment, recipe.sampler, first, total), start=first):
            if step == first or begins_stage(experiment, step):
                enter_stage(experiment, step, model, optimizer, recipe.loss)
            rate = experiment.rate * experiment.phase_at(step).rate
            optimizer.learning_rate = learning_rate(step, total, rate, experiment.warmup, experiment.decay)
            loss = float(model.train_on_batch(luma, target))
            if not np.isfinite(loss):
                raise TrainingStopped(f"{experiment.name}: the loss is {loss} at step {step}; lower the rate and start again from {out}")
            losses.append(loss)
            if step % 8 == 7:
                state.average(min(experiment.average**8, (step + 8) / (step + 64)))
            progress.update(task, completed=step + 1, description=f"{experiment.name} loss {np.mean(losses[-100:]):.3f}")
            if (step + 1) % every == 0 or step + 1 == total:
                figures = state.with_average(lambda: recipe.check(model)) if recipe.check else {}
                row = {"step": step + 1, "loss": round(float(np.mean(losses[-every:])), 4), "seconds": round(time.monotonic() - began), **_rounded(figures)}
                with (out / "log.jsonl").open("a") as log:
                    log.write(json.dumps(row) + "\n")
                progress.console.print(f"step {row['step']}: " + "  ".join(f"{key} {value}" for key, value in row.items() if key != "step"), highlight=False)
                state.save(step + 1)
                plot_curves(out)
                if watch:
                    watch(step + 1, figures)
    return state.path


def every_batch(experiment: Experiment, sampler: Callable[[Phase], Sampler], first: int, total: int) -> Any:
    """The batches of all phases from step `first` on; the last phase goes on until `total`."""
    begin = 0
    for number, phase in enumerate(experiment.phases):
        end = total if number == len(experiment.phases) - 1 else min(begin + phase.steps, total)
        if max(begin, first) < end:
            yield from batches(sampler(phase), experiment.seed, phase.batch, max(begin, first), end)
        begin = end


def load_start(experiment: Experiment, path: Path, model: keras.Model) -> None:
    """Begin from the weights that the experiment names as its `start`. Raises ConfigError when they are missing or of another network."""
    if experiment.start is None:
        return
    file = next((one for one in (path.parent / experiment.start, Path(experiment.start)) if one.is_file()), None)
    if file is None:
        raise ConfigError(f"{path}: start: {experiment.start}: no such file beside the experiment or here")
    try:
        keras.Model(model.input, model.output).load_weights(file)
    except (ValueError, OSError, KeyError) as error:
        raise ConfigError(f"{path}: start: {file}: these are not weights of this network: {str(error).splitlines()[0]}") from None


class Checkpoint:
    """Everything a run needs to go on: variables of model and optimizer, the running average, the step."""

    def __init__(self, out: Path, model: keras.Model, optimizer: keras.Optimizer) -> None:
        self.out, self.model, self.optimizer = out, model, optimizer
        # The same layers without the optimizer, whose state would make the file three times as large.
        self.plain = keras.Model(model.input, model.output)
        self.path = out / "average.weights.h5"
        self.averaged: Weights = [np.array(keras.ops.convert_to_numpy(v), dtype=np.float32) for v in model.weights]

    def average(self, share: float) -> None:
        """Exponential moving average of the weights, statistics of the batch normalisation included (Polyak)."""
        for mean, variable in zip(self.averaged, self.model.weights, strict=True):
            mean += (1.0 - share) * (keras.ops.convert_to_numpy(variable) - mean)

    def with_average(self, action: Callable[[], Any]) -> Any:
        """Run `action` with the averaged weights in place."""
        kept = self.model.get_weights()
        self.model.set_weights(self.averaged)
        try:
            return action()
        finally:
            self.model.set_weights(kept)

    def save(self, step: int) -> None:
        """Written beside, then renamed: a power cut leaves the old state or the new one."""
        numbers = {f"m{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(self.model.weights)}
        numbers |= {f"o{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(self.optimizer.variables)}
        numbers |= {f"a{i}": v for i, v in enumerate(self.averaged)}
        np.savez(self.out / "state.tmp.npz", step=step, **numbers)
        (self.out / "state.tmp.npz").replace(self.out / "state.npz")
        beside = self.out / "next.weights.h5"
        self.with_average(lambda: self.plain.save_weights(beside))
        beside.replace(self.path)

    def restore(self) -> int:
        """The step to go on from, 0 where nothing was saved."""
        file = self.out / "state.npz"
        if not file.is_file():
            return 0
        with np.load(file) as numbers:
            for i, variable in enumerate(self.model.weights):
                variable.assign(numbers[f"m{i}"])
            for i, variable in enumerate(self.optimizer.variables):
                variable.assign(numbers[f"o{i}"])
            self.averaged = [numbers[f"a{i}"].copy() for i in range(len(self.averaged))]
            return int(numbers["step"])


def note_provenance(out: Path, experiment: Experiment, data: list[Path], used: set[str], step: int) -> None:
    """`provenance.json`: what the run learns from, as hashes over the label files, and the git hash and step of every start."""
    file = out / "provenance.json"
    starts = json.loads(file.read_text())["starts"] if step and file.is_file() else []
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip() or None
    hashes = {}
    for folder in data:
        if folder.name in used:
            labels = (folder / "labels.jsonl").read_bytes()
            hashes[folder.name] = {"labels_sha256": hashlib.sha256(labels).hexdigest(), "rows": len(labels.splitlines())}
    starts.append({"step": step, "git": git, "keras": keras.version(), "backend": keras.backend.backend()})
    file.write_text(json.dumps({"experiment": experiment.name, "seed": experiment.seed, "data": hashes, "starts": starts}, indent=1) + "\n")


def plot_curves(out: Path) -> None:
    """`curves.png`: the loss, and the checks' figures, over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    left.plot([row["step"] for row in rows], [row["loss"] for row in rows], marker=".")
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    checks = [key for key in rows[-1] if key not in ("step", "loss", "seconds")]
    for key in checks:
        right.plot([row["step"] for row in rows], [row.get(key, np.nan) for row in rows], label=key)
    right.set(xlabel="step", ylabel="validation", ylim=(0, 1))
    if checks:
        right.legend(fontsize=6, ncols=2)
    figure.savefig(out / "curves.png", dpi=110)
    plt.close(figure)


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items() if np.isfinite(value)}
