"""Where fine-tuning starts: float weights and the experiment that they were trained by."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import BundleError, ConfigError
from train.config import KINDS, Experiment, load_experiment

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
WEIGHTS, EXPERIMENT = "average.weights.h5", "experiment.toml"


@dataclass(frozen=True, slots=True)
class Start:
    """`table` is the experiment as it stands in its file; `data` names what the weights learnt from, as their provenance tells."""

    folder: Path
    experiment: Experiment
    table: dict[str, Any]
    sha256: str
    data: dict[str, Any]

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS


def find_start(word: str, shipped: Path = SHIPPED) -> Start:
    """`word` is a shipped kind, a run folder, its weights file, or a bundle whose float weights are among the shipped ones.

    Raises ConfigError or BundleError in one sentence when there is nothing to start from.
    """
    folder = shipped / word if word in KINDS else Path(word)
    if folder.name.endswith(".weights.h5"):
        folder = folder.parent
    if (folder / "manifest.json").is_file():
        folder = _floats_of(folder, shipped)
    missing = [name for name in (EXPERIMENT, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise ConfigError(f"{word}: no {' nor '.join(missing)} there; --from takes one of {', '.join(KINDS)}, a run folder, or a bundle folder")
    return read_start(folder)


def read_start(folder: Path) -> Start:
    """The run in `folder`."""
    table = tomllib.loads((folder / EXPERIMENT).read_text(encoding="utf-8")) if (folder / EXPERIMENT).is_file() else {}
    papers = folder / "provenance.json"
    data = json.loads(papers.read_text(encoding="utf-8")).get("data", {}) if papers.is_file() else {}
    return Start(folder, load_experiment(folder / EXPERIMENT), table, file_hash(folder / WEIGHTS), data)


def _floats_of(bundle: Path, shipped: Path) -> Path:
    """The run folder that the bundle was made from, told by the hash in its manifest: int8 weights cannot be trained on."""
    try:
        wanted = json.loads((bundle / "manifest.json").read_text(encoding="utf-8")).get("float_sha256")
    except (OSError, ValueError, AttributeError):
        raise BundleError(f"{bundle / 'manifest.json'}: cannot be read as a manifest; copy the bundle again") from None
    for weights in sorted(shipped.glob(f"*/{WEIGHTS}")):
        if file_hash(weights) == wanted:
            return weights.parent
    raise BundleError(f"{bundle}: its float weights ({str(wanted)[:12]}...) are not in train/weights; name the run folder that it was made from instead")


def file_hash(file: Path) -> str:
    """SHA-256 of the file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
