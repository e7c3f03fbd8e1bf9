"""A search is a TOML file: a base experiment, ranges of its settings, and how long to look. This is what may stand in it."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from train.config import Experiment, load_experiment

MAIN = {"reader": "exact", "detector": "ap50"}
PRUNERS = ("median", "hyperband", "none")
TABLES = ("mixture", "sources", "network", "countries")
PHASE_KEYS = ("batch", "width", "height")
FIXED = ("name", "kind", "expected", "start", "seed", "phases", *TABLES)
KEYS = ("base", "steps", "every", "metric", "trials", "pruner", "seed", "ranges")


@dataclass(frozen=True, slots=True)
class Range:
    """Where one setting may lie: from `low` to `high`, or one of `choices`. `name` is a key of the experiment, or TABLE.KEY."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True, slots=True)
class Search:
    """`steps` is the length of one trial, checked every `every` steps; `table` is the base experiment as it stands in its file."""

    path: Path
    base: Path
    table: dict[str, Any]
    experiment: Experiment
    ranges: tuple[Range, ...]
    steps: int
    every: int
    metric: str
    trials: int
    pruner: str
    seed: int

    def identity(self) -> str:
        """What must not change while a search goes on: everything but the number of trials."""
        named = {key: getattr(self, key) for key in ("table", "steps", "every", "metric", "pruner", "seed")}
        return json.dumps(named | {"ranges": [repr(one) for one in self.ranges]}, sort_keys=True)


def load_search(path: str | Path) -> Search:
    """Raises ConfigError with one sentence naming the file, the key and the mend."""
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise ConfigError(f"{path}: no such file; examples are in train/experiments/search") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    for key in raw:
        _known(path, key, KEYS, "key")
    if not isinstance(raw.get("base"), str) or not raw.get("ranges"):
        raise ConfigError(f"{path}: needs base = 'EXPERIMENT.toml' and at least one line under [ranges]")
    base = next((one for one in (path.parent / raw["base"], Path(raw["base"])) if one.is_file()), None)
    if base is None:
        raise ConfigError(f"{path}: base: {raw['base']}: no such file beside the search or here")
    experiment = load_experiment(base)
    steps = int(raw.get("steps", experiment.steps))
    every = int(raw.get("every", max(1, steps // 5)))
    if not 1 <= every <= steps <= experiment.steps:
        raise ConfigError(f"{path}: every {every} and steps {steps} must be 1 or more, every at most steps, steps at most the base's {experiment.steps}")
    pruner = raw.get("pruner", "median")
    if pruner not in PRUNERS:
        raise ConfigError(f"{path}: pruner is {pruner!r}; it must be one of {', '.join(PRUNERS)}")
    trials = int(raw.get("trials", 20))
    if trials < 1:
        raise ConfigError(f"{path}: trials: {trials} is less than 1")
    table = tomllib.loads(base.read_text(encoding="utf-8"))
    ranges = tuple(_range(path, name, one) for name, one in _flat(raw["ranges"]).items())
    return Search(path, base, table, experiment, ranges, steps, every, str(raw.get("metric", MAIN[experiment.kind])), trials, pruner, int(raw.get("seed", 1)))


def _flat(ranges: Mapping[str, Any]) -> dict[str, Any]:
    """`network.units = {...}` with and without quotation marks mean the same."""
    flat = {}
    for name, one in ranges.items():
        if name in (*TABLES, "phase") and isinstance(one, Mapping):
            flat.update({f"{name}.{key}": value for key, value in one.items()})
        else:
            flat[name] = one
    return flat


def _range(path: Path, name: str, one: Any) -> Range:
    table, _, key = name.partition(".")
    if key and table == "phase":
        _known(path, key, PHASE_KEYS, f"{name}: key")
    elif key:
        _known(path, table, (*TABLES, "phase"), f"{name}: table")
    else:
        _known(path, name, tuple(field.name for field in fields(Experiment) if field.name not in FIXED), "setting")
    if not isinstance(one, Mapping) or set(one) not in ({"choices"}, {"low", "high"}, {"low", "high", "log"}):
        raise ConfigError(f"{path}: {name}: a range is {{ low = .., high = .. }}, with log = true if you like, or {{ choices = [..] }}")
    if "choices" in one:
        if not isinstance(one["choices"], list) or len(one["choices"]) < 2:
            raise ConfigError(f"{path}: {name}: choices needs a list of two or more")
        return Range(name, choices=tuple(one["choices"]))
    found = Range(name, one["low"], one["high"], bool(one.get("log", False)))
    if not all(isinstance(end, (int, float)) for end in (found.low, found.high)) or not found.low < found.high or (found.log and found.low <= 0):
        raise ConfigError(f"{path}: {name}: low must be less than high, and more than 0 where log is true")
    return found


def _known(path: Path, key: str, known: tuple[str, ...], what: str) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        raise ConfigError(f"{path}: unknown {what} {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"))


def changed(table: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The experiment's table with other values; a phase's value goes for all phases."""
    new = deepcopy(dict(table))
    for name, value in values.items():
        head, _, key = name.partition(".")
        if not key:
            new[name] = value
        elif head == "phase":
            new["phase"] = [{**phase, key: value} for phase in new["phase"]]
        else:
            new[head] = {**new.get(head, {}), key: value}
    return new


def shortened(table: Mapping[str, Any], experiment: Experiment, steps: int) -> dict[str, Any]:
    """The same course in `steps` steps: every phase, the warming up and the decay keep their shares, so that a trial is a small picture of the whole."""
    share = steps / experiment.steps
    ends = [round(share * sum(phase.steps for phase in experiment.phases[: number + 1])) for number in range(len(experiment.phases))]
    lengths = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    phases = [{**phase, "steps": length} for phase, length in zip(table["phase"], lengths, strict=True) if length]
    at = {key: max(1, round(share * table.get(key, getattr(experiment, key)))) for key in ("warmup", "decay")}
    return {**table, **at, "phase": phases}


def rebased(table: Mapping[str, Any], base: Path, folder: Path) -> dict[str, Any]:
    """The table for a file in `folder`: the weights that it starts from are named from there."""
    start = table.get("start")
    if start is None:
        return dict(table)
    file = next((one for one in (base.parent / start, Path(start)) if one.is_file()), None)
    return {**table, "start": os.path.relpath(file.resolve(), folder.resolve()) if file else start}
