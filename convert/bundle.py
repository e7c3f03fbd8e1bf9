"""A bundle: the int8 file and the manifest that says what it is and that it passed. None is made without a passed verdict."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from convert.audit import audit
from convert.confidence import fit_confidence
from convert.gate.swap import check_out, replace_folder
from convert.gate.verdict import Allowance as Allowance
from convert.gate.verdict import Verdict
from convert.quantize import calibration_record, record_file
from convert.verify import verify_run
from edge.errors import PlatewatchError
from edge.model.detector import Detector
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, SHIPPED, Manifest, as_json
from edge.model.reader import Reader
from edge.model.selftest import golden
from edge.model.tflite import Interpreter
from edge.vision.alphabet import ALPHABET
from train.config import load_experiment
from train.evaluation.calibration import Study
from train.evaluation.cases import LOWEST


class Refused(PlatewatchError, ValueError):
    """The file may not become a bundle."""


def make_bundle(
    run: Path,
    model_file: Path,
    validation: list[Path],
    out: Path,
    allowance: Allowance,
    settings: dict[str, float],
    progress: Any = iter,
    detector: Path = SHIPPED / "detector",
    floats: str = "keras",
) -> tuple[Manifest, Verdict, Study | None]:
    """Audit, compare with the float weights of the run folder, make a reader's confidence honest behind `detector`, write `out`.

    Raises Refused with every reason when the file may not ship. `out` is replaced whole at the very end, or not at all.
    """
    check_out(out)
    found = audit(model_file)
    if found.complaints:
        raise Refused(f"{model_file}: " + "; ".join(found.complaints[:5]))
    model = model_file.read_bytes()
    manifest = describe(run, model, found.macs, {**settings, "quantization": _record(model_file)})
    net = Interpreter(model, manifest.name)
    proof = golden(Reader(manifest, net) if manifest.kind == "reader" else Detector(manifest, net))
    verdict = verify_run(run, manifest, model, validation, allowance, floats, progress)
    manifest = replace(manifest, accuracy=verdict.as_json(), golden=proof)
    fitted: Study | None = None
    if manifest.kind == "reader" and verdict.passed:
        manifest, fitted = fit_confidence(manifest, net, validation, Detector.load(detector, threshold=LOWEST), progress)
    write_bundle(out, manifest, model, verdict)
    return manifest, verdict, fitted


def write_bundle(out: Path, manifest: Manifest, model: bytes, verdict: Verdict) -> None:
    """The only way into a bundle's folder. Raises Refused without a passed verdict on this very file."""
    if not verdict.passed:
        raise Refused(f"{manifest.name}: int8 may not ship: {'; '.join(verdict.reasons)}; calibrate on more pictures, or train on")
    if not verdict.sha256 == manifest.sha256 == hashlib.sha256(model).hexdigest():
        raise Refused(f"{manifest.name}: the verdict is about another file; verify this one")
    replace_folder(out, {MODEL_FILE: model, MANIFEST_FILE: as_json(manifest)})


def _record(model_file: Path) -> dict[str, Any]:
    """How the file was made, where `quantize` left a record beside it. Raises ConversionError for the record of another file."""
    return calibration_record(model_file) if record_file(model_file).is_file() else {}


def describe(run: Path, model: bytes, macs: int, settings: dict[str, Any]) -> Manifest:
    """The manifest before the verdict, from the run folder's own papers."""
    experiment = load_experiment(run / "experiment.toml")
    phase = experiment.phases[-1]
    provenance = json.loads((run / "provenance.json").read_text())
    licences = json.loads((Path(__file__).parent / "licences.json").read_text())
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent).stdout.strip() or None
    sources = [
        {"name": name, "licence": licences.get(name, "not stated"), "rows": entry["rows"], "labels_sha256": entry["labels_sha256"]}
        for name, entry in sorted(provenance["data"].items())
    ]
    digest = hashlib.sha256(model).hexdigest()
    return Manifest.of(
        {
            "name": f"{experiment.name}-{digest[:8]}",
            "kind": experiment.kind,
            "codec": experiment.codec,
            "width": phase.width,
            "height": phase.height,
            "alphabet": ALPHABET if experiment.kind == "reader" else "",
            "sha256": digest,
            "float_sha256": hashlib.sha256((run / "average.weights.h5").read_bytes()).hexdigest(),
            "git": git,
            "macs": macs,
            "sources": sources,
            "drawn": f"seed {experiment.seed}, generator at git {provenance['starts'][-1]['git']}",
            **settings,
        }
    )
