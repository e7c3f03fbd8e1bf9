"""The search itself: Optuna proposes settings (Akiba et al. 2019), `fit` trains each, the validation photographs judge. SQLite keeps it all."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ConfigError
from train.search.report import Trial, write_reports
from train.search.space import Range, Search, changed, rebased, shortened
from train.toml import write_toml

RANDOM_TRIALS = 6
"""Proposals drawn at random before the figures steer them."""


def import_optuna() -> Any:
    """Raises ConfigError with the command that installs it."""
    try:
        import optuna
    except ImportError:
        raise ConfigError("a search needs Optuna, which is not installed: .venv/bin/python -m pip install optuna") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def run_search(search: Search, data: list[Path], validation: list[Path], out: Path, trials: int, say: Callable[[str], None]) -> list[Trial]:
    """Look until `trials` are done in all, those of earlier calls included. The trial that was stopped goes on where it was."""
    optuna = import_optuna()
    with alone(out):
        study = open_study(optuna, search, data, validation, out)
        while True:
            stopped = [one for one in study.trials if one.state == optuna.trial.TrialState.RUNNING]
            if not stopped and len(study.trials) >= trials:
                break
            # Seeded by the trial's number, not by the call: a search that was stopped proposes what it would have proposed.
            seed = int(np.random.SeedSequence((search.seed, len(study.trials))).generate_state(1)[0])
            study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
            # Built anew from its number in the storage, a trial keeps the values that it was given.
            trial = optuna.trial.Trial(study, stopped[0]._trial_id) if stopped else study.ask()
            values = {one.name: suggest(trial, one) for one in search.ranges}
            told = ", ".join(f"{name} {_short(value)}" for name, value in values.items())
            say(f"trial {trial.number + 1} of {trials}{' goes on' if stopped else ''}: {told}")
            attempt(optuna, study, trial, search, values, data, validation, out / "trials")
            write_reports(out, search, read_trials(study, search))
    done = read_trials(study, search)
    write_reports(out, search, done)
    if not (out / "best.toml").is_file():
        raise ConfigError(f"{out}: no trial came to its end with a number; look into {out / 'trials.md'} and narrow the ranges of {search.path}")
    return done


def attempt(optuna: Any, study: Any, trial: Any, search: Search, values: dict[str, Any], data: list[Path], validation: list[Path], folder: Path) -> None:
    """Train one proposal and tell the study how it went: to its end, given up as worse than others, or burst."""
    import keras

    from train.fit import TrainingStopped, fit

    folder.mkdir(parents=True, exist_ok=True)
    file, run = folder / f"{trial.number + 1:03}.toml", folder / f"{trial.number + 1:03}"
    table = rebased(shortened(changed(search.table, values), search.experiment, search.steps), search.base, folder)
    file.write_text(write_toml(table | {"name": f"trial {trial.number + 1}"}, f"Trial {trial.number + 1} of the search {search.path.name}."), encoding="utf-8")

    def watch(step: int, figures: dict[str, float]) -> None:
        trial.report(_metric(search, figures), step)
        if step < search.steps and trial.should_prune():
            raise optuna.TrialPruned

    try:
        fit(file, data, validation, run, every=search.every, watch=watch)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except TrainingStopped as burst:
        trial.set_user_attr("burst", str(burst))
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, _metric(search, json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])))
    (run / "state.npz").unlink(missing_ok=True)  # the optimizer's state is most of a run, and this one is over
    keras.utils.clear_session(free_memory=True)


def suggest(trial: Any, one: Range) -> Any:
    """The trial's value of one setting. Lists are proposed as JSON: the study stores plain values only."""
    if one.choices:
        return json.loads(trial.suggest_categorical(one.name, [json.dumps(choice) for choice in one.choices]))
    if one.whole:
        return trial.suggest_int(one.name, one.low, one.high, log=one.log)
    return trial.suggest_float(one.name, one.low, one.high, log=one.log)


def open_study(optuna: Any, search: Search, data: list[Path], validation: list[Path], out: Path) -> Any:
    """The study in `out/search.db`. Raises ConfigError when it is another search's."""
    pruners = {
        "median": optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=search.every),
        "hyperband": optuna.pruners.HyperbandPruner(min_resource=search.every, max_resource=search.steps),
        "none": optuna.pruners.NopPruner(),
    }
    file = out / "search.db"
    try:
        study = optuna.create_study(storage=f"sqlite:///{file}", study_name="search", direction="maximize", load_if_exists=True, pruner=pruners[search.pruner])
    except Exception as error:
        # SQLAlchemy's errors; its name stays out of this project.
        raise ConfigError(f"{file}: cannot be read as a search ({str(error).splitlines()[0]}); delete it, or name another --out") from None
    identity = {"search": search.identity(), "data": sorted(map(_labels, data)), "validation": sorted(map(_labels, validation))}
    other = [key for key, value in identity.items() if study.user_attrs.get(key, value) != value]
    if other:
        raise ConfigError(f"{out}: holds a search with another {' and other '.join(other)}; name a new folder with --out")
    for key, value in identity.items():
        study.set_user_attr(key, value)
    return study


def read_trials(study: Any, search: Search) -> list[Trial]:
    """All trials as plain records, in order."""
    records = []
    for one in study.trials:
        state = "burst" if "burst" in one.user_attrs else one.state.name.lower()
        values = {name: json.loads(value) if isinstance(value, str) else value for name, value in one.params.items()}
        steps = max(one.intermediate_values, default=0)
        seconds = one.duration.total_seconds() if one.duration else None
        records.append(Trial(one.number + 1, state, one.value if state != "burst" else None, steps, seconds, values))
    return records


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold the folder's lock: two processes would take up the same trial. Raises ConfigError when another one holds it."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{out}: another search is at work there; wait for it, or name another --out") from None
        yield


def _metric(search: Search, figures: dict[str, Any]) -> float:
    if search.metric not in figures:
        raise ConfigError(f"{search.path}: metric: the check has no {search.metric!r} here; it has {', '.join(figures) or 'nothing'}")
    return float(figures[search.metric])


def _labels(folder: Path) -> str:
    return f"{folder.name} {hashlib.sha256((folder / 'labels.jsonl').read_bytes()).hexdigest()}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
