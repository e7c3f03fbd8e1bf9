"""What the gate's commands are given, checked before minutes of work."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from convert.bundle import describe
from convert.gate.verdict import Allowance, Verdict
from edge.errors import BundleError, ConfigError
from edge.model.manifest import CODECS, MOST_MODEL, SHIPPED, Manifest, load_manifest
from train.config import load_experiment
from train.evaluation.nets import WEIGHTS

CARRIED = ("threshold", "margin", "temperature", "calibration")
"""Settings of a bundle that a variant of its network keeps."""


def allowance_of(points: float, least: int) -> Allowance:
    """Of `--allowed-drop` and `--least`. Raises ConfigError."""
    if not math.isfinite(points) or not 0.0 <= points <= 100.0:
        raise ConfigError(f"--allowed-drop {points}: from 0 to 100 points; 0.5 is usual")
    if least < 1:
        raise ConfigError(f"--least {least}: at least one plate; 500 is usual")
    return Allowance(points / 100, least)


def model_of(file: Path) -> bytes:
    """The file's bytes. Raises ConfigError in one sentence."""
    try:
        if not file.is_file():
            raise ConfigError(f"{file}: {'is no file' if file.exists() else 'no such file'}; name a TFLite file, python -m convert quantize makes one")
        if file.stat().st_size > MOST_MODEL:
            raise ConfigError(f"{file}: larger than {MOST_MODEL >> 20} MiB; name a TFLite file of a detector or a reader")
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from None


def manifest_of(run: Path, model: bytes, variant_of: Path | None) -> Manifest:
    """The manifest that the file would have. Settings come from the bundle `variant_of`, or from the shipped one where it has the same float weights."""
    check_run(run)
    kind = load_experiment(run / "experiment.toml").kind
    bundle = load_manifest(variant_of or SHIPPED / kind, kind)[0]
    own = hashlib.sha256((run / WEIGHTS).read_bytes()).hexdigest()
    if variant_of is not None and (bundle.float_sha256 not in ("", own)):
        raise BundleError(f"{variant_of}: was made from other weights than {run / WEIGHTS}; name the run folder or the bundle that belongs to it")
    carried = {key: getattr(bundle, key) for key in CARRIED} if bundle.float_sha256 == own or variant_of is not None else {}
    return describe(run, model, 0, carried)


def check_run(run: Path) -> None:
    """Raises ConfigError naming what a run folder lacks."""
    for name in ("experiment.toml", WEIGHTS, "provenance.json"):
        if not (run / name).is_file():
            raise ConfigError(f"{run}: no {name} there; name a run folder of python -m train fit, or {' or '.join(f'train/weights/{kind}' for kind in CODECS)}")


def check_json(path: Path | None) -> None:
    """Raises ConfigError where the results could not be written."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise ConfigError(f"--json {path}: name a file in a folder that is there")


def write_json(path: Path, verdict: Verdict) -> None:
    """The verdict with its reasons."""
    told: dict[str, Any] = {"v": 1, "kind": verdict.kind, "sha256": verdict.sha256, "passed": verdict.passed, "reasons": list(verdict.reasons)}
    try:
        path.write_text(json.dumps(told | verdict.as_json(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--json {path}: cannot be written ({error.strerror})") from None
