"""Fine-tuning in a run folder that is begun: train a little, mix with the start, measure both sides, choose, write the papers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import track

from train.config import Experiment, load_experiment
from train.finetune.gather import Given, Parts, count
from train.finetune.mixing import ALPHAS, Row, choose, mix
from train.finetune.outcome import Outcome, write_outcome
from train.finetune.plan import Settings
from train.finetune.start import WEIGHTS, Start, file_hash
from train.fit import fit
from train.recipes import RECIPES

Check = Callable[[keras.Model], dict[str, float]]


def finetune(start: Start, given: Given, settings: Settings, parts: Parts, out: Path, say: Callable[[str], None]) -> Outcome:
    """Train what `begin` wrote into the run folder `out`, and return what came of it. The same call goes on where it was stopped."""
    kind, experiment = start.experiment.kind, out / "experiment.toml"
    end = fit(experiment, parts.train, parts.new, out / "training", every=max(1, settings.steps // 4))
    guards = guarding(given, start, parts)
    for name in parts.known:
        if name not in guards:
            say(f"the start weights learnt from the {name} photographs: what they lose there is told, but does not decide")
    blend = Blend(load_experiment(experiment), start.weights, end)
    rows = measure(blend, load_experiment(experiment), parts)
    choice = choose(rows, kind, settings.allowed_drop, guards)
    blend.save(choice.alpha, out / WEIGHTS)
    publish(out, start, given, choice.alpha)
    outcome = Outcome(kind, rows, choice, {"new": count(parts.new, kind), **{name: count(folders, kind) for name, folders in parts.known.items()}}, settings)
    write_outcome(out / "finetune.json", outcome, begun_from(start), file_hash(out / WEIGHTS), parts.notes)
    return outcome


def guarding(given: Given, start: Start, parts: Parts) -> list[str]:
    """The known sets that may decide: kept photographs that the start has learnt from flatter it, and any change looks like a loss."""
    learnt = {entry["labels_sha256"] for entry in start.data.values()}
    seen = any(entry["labels_sha256"] in learnt for entry in given.hashes().get("keep", {}).values())
    return [name for name in parts.known if not (name == "kept" and seen)]


class Blend:
    """A network that takes on any mix of the weights before and after."""

    def __init__(self, experiment: Experiment, start: Path, end: Path) -> None:
        keras.mixed_precision.set_global_policy("float32")
        self.model = RECIPES[experiment.kind](experiment, [], []).model
        self.plain = keras.Model(self.model.input, self.model.output)
        self.ends = [self._weights(file) for file in (start, end)]

    def _weights(self, file: Path) -> Any:
        self.plain.load_weights(file)
        return self.plain.get_weights()

    def take(self, alpha: float) -> keras.Model:
        """The model, with `alpha` of the weights after."""
        self.plain.set_weights(mix(*self.ends, alpha))
        return self.model

    def save(self, alpha: float, file: Path) -> None:
        """Written beside, then renamed."""
        self.take(alpha)
        beside = file.with_name("next.weights.h5")
        self.plain.save_weights(beside)
        beside.replace(file)


def measure(blend: Blend, experiment: Experiment, parts: Parts) -> list[Row]:
    """Every mix of ALPHAS on the new photographs and on what was known."""

    def check(folders: list[Path]) -> Check:
        found = RECIPES[experiment.kind](experiment, [], folders).check
        assert found is not None
        return lambda model: {key: round(value, 6) for key, value in found(model).items() if np.isfinite(value)}

    new, known = check(parts.new), {name: check(folders) for name, folders in parts.known.items()}
    rows = []
    for alpha in track(ALPHAS, description="weighing mixes", console=Console(file=sys.stderr), transient=True):
        model = blend.take(alpha)
        rows.append(Row(alpha, new(model), {name: one(model) for name, one in known.items()}))
    return rows


def publish(out: Path, start: Start, given: Given, alpha: float) -> None:
    """The papers that `python -m convert` wants beside the weights, and the curves of the training."""
    for name in ("curves.png", "log.jsonl"):
        shutil.copyfile(out / "training" / name, out / name)
    papers: dict[str, Any] = json.loads((out / "training/provenance.json").read_text(encoding="utf-8"))
    # The weights learnt from what the start learnt from, too: a bundle must name it all.
    papers["data"] = {**start.data, **papers["data"]}
    papers |= {"begun_from": begun_from(start), "given": given.hashes(), "alpha": alpha}
    (out / "provenance.json").write_text(json.dumps(papers, indent=1) + "\n", encoding="utf-8")


def begun_from(start: Start) -> dict[str, str]:
    """Name and hash of what was fine-tuned."""
    return {"experiment": start.experiment.name, "weights_sha256": start.sha256}
