"""Weights of several runs averaged into one network: as fast as each, and often better than any (Model soups, Wortsman et al. 2022).

It works for runs that began from the same weights or one from the other's: what two strangers learnt does not average.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ConfigError

WEIGHTS = "average.weights.h5"
PAPERS = ("experiment.toml", "log.jsonl", "curves.png")
"""Taken over from the last run named."""


def average(runs: Sequence[Path], shares: Sequence[float], out: Path) -> Path:
    """A run folder `out` whose weights are the weighted mean of those of `runs`; `shares` are made to sum to one.

    Raises ConfigError when a folder is no run folder, the networks differ, the shares do not fit, or `out` is taken.
    """
    if len(runs) < 2 or len(shares) != len(runs) or min(shares) < 0 or not sum(shares) > 0:
        raise ConfigError(f"--shares {','.join(f'{share:g}' for share in shares)}: one number of 0 or more for each of at least two runs, not all 0")
    if out.exists():
        raise ConfigError(f"{out}: exists already; name another folder")
    weights = [_read(run) for run in runs]
    for run, tensors in zip(runs[1:], weights[1:], strict=True):
        if {name: value.shape for name, value in tensors.items()} != {name: value.shape for name, value in weights[0].items()}:
            raise ConfigError(f"{run}: another network than {runs[0]}; only runs of one network can be averaged")
    parts = [share / sum(shares) for share in shares]
    mean = {name: sum(part * tensors[name] for part, tensors in zip(parts, weights, strict=True)) for name in weights[0]}
    papers = _papers(runs, parts)
    out.mkdir(parents=True)
    for name in PAPERS:
        if (runs[-1] / name).is_file():
            shutil.copy(runs[-1] / name, out / name)
    _write(runs[-1] / WEIGHTS, out / WEIGHTS, mean)
    (out / "provenance.json").write_text(json.dumps(papers, indent=1) + "\n", encoding="utf-8")
    return out


def _papers(runs: Sequence[Path], parts: Sequence[float]) -> dict[str, Any]:
    """The provenance of the mean: all that any of the runs learnt from, and the runs themselves."""
    each: list[dict[str, Any]] = [json.loads((run / "provenance.json").read_text(encoding="utf-8")) for run in runs]
    sources: dict[str, Any] = {}
    for one in each:
        sources |= one["data"]
    averaged = [
        {"experiment": one["experiment"], "seed": one["seed"], "share": round(part, 4), "weights_sha256": _hash(run / WEIGHTS), "starts": one["starts"]}
        for run, part, one in zip(runs, parts, each, strict=True)
    ]
    return {**each[-1], "data": dict(sorted(sources.items())), "averaged": averaged}


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(run: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Every array of the run's averaged weights by its path in the file."""
    import h5py

    for name in (WEIGHTS, "experiment.toml", "provenance.json"):
        if not (run / name).is_file():
            raise ConfigError(f"{run}: no {name} there; name a run folder of python -m train fit")
    found: dict[str, npt.NDArray[np.float64]] = {}
    try:
        with h5py.File(run / WEIGHTS, "r") as file:
            file.visititems(lambda name, item: found.update({name: np.asarray(item, np.float64)}) if isinstance(item, h5py.Dataset) else None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{run / WEIGHTS}: no weights of Keras ({str(error).splitlines()[0]})") from None
    return found


def _write(like: Path, file: Path, arrays: dict[str, Any]) -> None:
    """The file `like` with other numbers in it: attributes and order stay as Keras wants them."""
    import h5py

    shutil.copy(like, file)
    with h5py.File(file, "r+") as weights:
        for name, values in arrays.items():
            weights[name][...] = values
