"""What one fine-tuning is asked to do, and the experiment made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from train.finetune.gather import Given, Parts, gather
from train.finetune.start import WEIGHTS, Start
from train.toml import write_toml

RATE_SHARE = 1 / 6
"""Of the rate that the start was trained with: enough to learn a new face in minutes, too little to leave the neighbourhood."""
BATCH = {"reader": 32, "detector": 16}
OWN, KEPT, BLANK = 0.4, 0.25, 0.04
"""Shares of the samples: the user's photographs, the kept ones where there are some, cuts that read as nothing. The rest is drawn."""
NEAR = 0.6
"""Of the drawn plates, the share of the countries asked for; the rest are of all countries."""
START_FILE = "start.weights.h5"


@dataclass(frozen=True, slots=True)
class Settings:
    """None stands for the value that suits the start."""

    steps: int = 400
    batch: int | None = None
    rate: float | None = None
    countries: tuple[str, ...] = ()
    allowed_drop: float = 0.01
    seed: int = 1


def experiment_table(start: Start, settings: Settings, parts: Parts, name: str) -> dict[str, Any]:
    """The start's experiment with what fine-tuning changes: where it begins, how fast and how long it learns, and from what."""
    last, steps = start.experiment.phases[-1], settings.steps
    real = OWN + (KEPT if parts.kept else 0.0)
    blank = BLANK if start.experiment.kind == "reader" else 0.0
    # A kept plate's weight is such that all of them together have their share, however many there are.
    weight = KEPT / OWN * parts.own / parts.kept if parts.kept else 0.0
    changes = {
        "name": name,
        "expected": "see finetune.json beside this file",
        "seed": settings.seed,
        "rate": settings.rate or round(start.experiment.rate * RATE_SHARE, 8),
        "weight_decay": 0.0,
        "warmup": max(1, min(50, steps // 8)),
        "decay": max(1, steps // 2),
        "precision": "float32",
        "start": START_FILE,
        "mixture": {"real": real, "drawn": round(1.0 - real - blank, 6), "blank": blank},
        "sources": {source: round(weight, 6) for source in parts.kept_sources},
        "countries": {code: round(NEAR / len(settings.countries), 6) for code in settings.countries},
        "phase": [{"steps": steps, "batch": settings.batch or BATCH[start.experiment.kind], "width": last.width, "height": last.height}],
    }
    return {**start.table, **changes}


def begin(out: Path, start: Start, settings: Settings, given: Given, say: Callable[[str], None]) -> Parts:
    """Gather the photographs into `out` and write down what is asked. Raises DataError where they are too few; nothing is written down then."""
    parts = gather(given, start.experiment.kind, out / "data", settings.seed)
    for note in parts.notes:
        say(note)
    write_experiment(out, experiment_table(start, settings, parts, f"{start.experiment.name}-{out.resolve().name}"), start)
    (out / "plan.json").write_text(json.dumps(_asked(start, settings, given), indent=1) + "\n", encoding="utf-8")
    return parts


def hold_to_plan(out: Path, start: Start, settings: Settings, given: Given) -> None:
    """Raises ConfigError when the folder holds something else than what is asked for."""
    file = out / "plan.json"
    if file.is_file():
        there, asked = json.loads(file.read_text(encoding="utf-8")), json.loads(json.dumps(_asked(start, settings, given)))
        other = [key for key in asked if there.get(key) != asked[key]]
        if other:
            raise ConfigError(f"{out}: holds a fine-tuning with other {' and other '.join(other)}; name a new folder with --out, or delete that one")
    elif (out / WEIGHTS).exists() or (out / "state.npz").exists():
        raise ConfigError(f"{out}: holds another run; name a new folder with --out")


def _asked(start: Start, settings: Settings, given: Given) -> dict[str, Any]:
    return {"start weights": start.sha256, "settings": asdict(settings), "photographs": given.hashes()}


def write_experiment(out: Path, table: dict[str, Any], start: Start) -> Path:
    """`experiment.toml`, with the weights that it starts from beside it."""
    (out / START_FILE).write_bytes(start.weights.read_bytes())
    file = out / "experiment.toml"
    comment = f"Fine-tuned from {start.experiment.name}, float weights {start.sha256[:12]}; written by python -m train finetune."
    file.write_text(write_toml(table, comment), encoding="utf-8")
    return file
