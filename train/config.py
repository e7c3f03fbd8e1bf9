"""An experiment is a TOML file; this is what may stand in it."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.vision import detector_codec, reader_codec, slots_codec

KINDS = ("detector", "reader")
READERS = {"crnn": reader_codec.NAME, "cnn": slots_codec.NAME, "rnn": reader_codec.NAME, "hybrid": reader_codec.NAME}
"""Architectures that a reader's `[network]` may name, and the layout in which each gives its output."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training at one picture size. Sizes in pixels.

    Layers whose names begin with one of `freeze` do not learn in it; `rate` is a factor on the experiment's learning rate.
    """

    steps: int
    batch: int
    width: int
    height: int
    freeze: tuple[str, ...] = ()
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """One training run. `rate` is the learning rate after `warmup` steps; over the last `decay` steps it falls to nothing.

    `start`, if given, is a file of float weights of the same network to begin from, beside the experiment's file or relative to where the command runs.
    `countries` are shares of the drawn plates by country code, together at most 1; the rest is drawn from all countries.
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
    countries: dict[str, float] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    @property
    def architecture(self) -> str:
        """Of a reader, one of READERS."""
        return str(self.network.get("architecture", "crnn"))

    @property
    def codec(self) -> str:
        """The layout of the network's output."""
        return detector_codec.NAME if self.kind == "detector" else READERS[self.architecture]

    def phase_at(self, step: int) -> Phase:
        """The last phase goes on for ever."""
        end = 0
        for phase in self.phases:
            end += phase.steps
            if step < end:
                return phase
        return self.phases[-1]


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
        phases = tuple(Phase(**{**phase, "freeze": _prefixes(path, phase.get("freeze", []))}) for phase in phases)
        experiment = Experiment(phases=phases, **{"mixture": {}, "sources": {}, "network": {}, **raw})
    except TypeError as error:
        raise ConfigError(f"{path}: {str(error).split('.')[-1].replace('__init__() ', '')}") from None
    if experiment.kind not in KINDS:
        raise ConfigError(f"{path}: kind is {experiment.kind!r}; it must be one of {', '.join(KINDS)}")
    if experiment.kind == "reader" and experiment.architecture not in READERS:
        raise ConfigError(f"{path}: [network] architecture is {experiment.architecture!r}; it must be one of {', '.join(READERS)}")
    if not experiment.phases or any(min(phase.steps, phase.batch) < 1 or phase.width % 32 or phase.height % 16 for phase in experiment.phases):
        raise ConfigError(f"{path}: needs at least one [[phase]] with steps and batch of 1 or more, width in multiples of 32 and height of 16")
    return experiment


def _prefixes(path: Path, freeze: object) -> tuple[str, ...]:
    if not isinstance(freeze, list) or not all(isinstance(name, str) and name for name in freeze):
        raise ConfigError(f"{path}: freeze is {freeze!r}; it must be a list of the beginnings of layers' names")
    return tuple(freeze)


def learning_rate(step: int, steps: int, rate: float, warmup: int, decay: int) -> float:
    """Rises over `warmup`, stays, falls over the last `decay` steps: a run can be lengthened as long as it has not begun to fall."""
    rise = min(1.0, (step + 1) / max(warmup, 1))
    fall = min(1.0, (steps - step) / max(decay, 1))
    return rate * rise * (1.0 - (1.0 - fall) ** 1.5) if fall < 1 else rate * rise
