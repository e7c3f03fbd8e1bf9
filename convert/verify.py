"""The gate: float and a variant side by side on the same photographs, through the device's code."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convert.gate.floats import float_side
from convert.gate.sides import look
from convert.gate.verdict import Allowance, Judged, Verdict, judge
from convert.nets import VariantNet
from edge.model.detector import VIEWS
from edge.model.manifest import Manifest
from edge.model.tflite import Net
from train.evaluation.nets import float_net as float_net


def verify(
    manifest: Manifest,
    model: bytes,
    floats: tuple[str, Net],
    folders: Sequence[Path],
    allowance: Allowance,
    progress: Any = iter,
    views: int = VIEWS,
) -> Verdict:
    """Of a TFLite file of any variant, against the float side (its name, its net). `manifest` says size, codec, threshold and margin for both."""
    name, net = floats
    variant = VariantNet(model, manifest.name)
    sides = (look(manifest, net, folders, progress, views), look(manifest, variant, folders, progress, views))
    views_of = views if manifest.kind == "detector" else None
    return judge(Judged(manifest.kind, hashlib.sha256(model).hexdigest(), manifest.name, name, views_of), sides, allowance)


def verify_run(
    run: Path, manifest: Manifest, model: bytes, folders: Sequence[Path], allowance: Allowance, choice: str = "tflite", progress: Any = iter, views: int = VIEWS
) -> Verdict:
    """Against the float weights of the run folder, as `convert.gate.floats` gives them."""
    with tempfile.TemporaryDirectory() as scratch:
        return verify(manifest, model, float_side(run, choice, Path(scratch)), folders, allowance, progress, views)
