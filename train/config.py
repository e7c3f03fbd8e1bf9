"""An experiment is a TOML file; this is what may stand in it."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge.errors import ConfigError

KINDS = ("detector", "reader")


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training at one picture size. Sizes in pixels."""

    steps: int
    batch: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """One training run. `rate` is the learning rate after `warmup` steps; over the last `decay` steps it falls to nothing.

    `start`, if given, is a file of float weights of the same network to begin from, beside the experiment's file or relative to where the command runs.
    """

    name: str
    kind: str
    expected: str
    phases: tuple[Phase, ...]
    mixture: dict[str, float]
    sources: dict[str, float]
    network: dict[str, Any]
    seed: int = 1
    rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 300
    decay: int = 2000
    clip_norm: float = 5.0
    average: float = 0.998
    precision: str = "float32"
    start: str | None = None

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)


def load_experiment(path: str | Path) -> Experiment:
    """Raises ConfigError with one sentence naming the file, the key and the nearest known one."""
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; the shipped experiments are in train/experiments") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    known = {field.name for field in fields(Experiment)} - {"phases"} | {"phase"}
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise ConfigError(f"{path}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    phases = raw.pop("phase", [])
    try:
        experiment = Experiment(phases=tuple(Phase(**phase) for phase in phases), **{"mixture": {}, "sources": {}, "network": {}, **raw})
    except TypeError as error:
        raise ConfigError(f"{path}: {str(error).split('.')[-1].replace('__init__() ', '')}") from None
    if experiment.kind not in KINDS:
        raise ConfigError(f"{path}: kind is {experiment.kind!r}; it must be one of {', '.join(KINDS)}")
    if not experiment.phases or any(min(phase.steps, phase.batch) < 1 or phase.width % 32 or phase.height % 16 for phase in experiment.phases):
        raise ConfigError(f"{path}: needs at least one [[phase]] with steps and batch of 1 or more, width in multiples of 32 and height of 16")
    return experiment


def learning_rate(step: int, steps: int, rate: float, warmup: int, decay: int) -> float:
    """Rises over `warmup`, stays, falls over the last `decay` steps: a run can be lengthened as long as it has not begun to fall."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    fall = min(1.0, (steps - step) / max(decay, 1))
    return rate * rise * (1.0 - (1.0 - fall) ** 1.5) if fall < 1 else rate * rise
