"""A bundle: the int8 file and the manifest that says what it is and that it passed. None is made without a passed verdict."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.audit import Audit, audit
from convert.confidence import fit_confidence
from convert.verify import Verdict, float_net, verify
from edge.errors import PlatewatchError
from edge.model.detector import Detector
from edge.model.manifest import MODEL_FILE, SHIPPED, Manifest, Source, write_manifest
from edge.model.reader import Reader
from edge.model.selftest import golden
from edge.model.tflite import Interpreter
from edge.vision.alphabet import ALPHABET
from train.config import load_experiment
from train.evaluation.calibration import Study
from train.evaluation.cases import LOWEST


class Refused(PlatewatchError, ValueError):
    """The file may not become a bundle."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much int8 may lose (a share) and how many plates it takes to say so."""

    drop: float = 0.005
    least: int = 500


def make_bundle(
    run: Path,
    model_file: Path,
    validation: list[Path],
    out: Path,
    allowance: Allowance,
    settings: dict[str, float],
    progress: Any = iter,
    detector: Path = SHIPPED / "detector",
) -> tuple[Manifest, Verdict, Study | None]:
    """Audit, compare with the float weights of the run folder, make a reader's confidence honest behind `detector`, write `out`.

    Raises Refused with every reason when the file may not ship.
    """
    from train.evaluation.nets import load_network

    experiment = load_experiment(run / "experiment.toml")
    found = audit(model_file)
    if found.complaints:
        raise Refused(f"{model_file}: " + "; ".join(found.complaints[:5]))
    manifest = _describe(run, model_file, found, settings)
    model = model_file.read_bytes()
    floats = float_net(load_network(experiment, run / "average.weights.h5"), experiment.kind)
    verdict = verify(manifest, model, floats, validation, allowance.drop, allowance.least, progress)
    if not verdict.passed:
        raise Refused(
            f"{model_file}: int8 loses {100 * verdict.drop:.2f} points on {verdict.evidence} plates; "
            f"at most {100 * allowance.drop:.2f} on at least {allowance.least} may ship: calibrate on more pictures, or train on"
        )
    net = Interpreter(model, manifest.name)
    proof = golden(Reader(manifest, net) if experiment.kind == "reader" else Detector(manifest, net))
    manifest = manifest.model_copy(update={"accuracy": verdict.as_json(), "golden": proof})
    fitted: Study | None = None
    if experiment.kind == "reader":
        manifest, fitted = fit_confidence(manifest, net, validation, Detector.load(detector, threshold=LOWEST), progress)
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(model)
    write_manifest(out, manifest)
    return manifest, verdict, fitted


def _describe(run: Path, model_file: Path, found: Audit, settings: dict[str, float]) -> Manifest:
    """The manifest before the verdict, from the run folder's own papers."""
    experiment = load_experiment(run / "experiment.toml")
    phase = experiment.phases[-1]
    provenance = json.loads((run / "provenance.json").read_text())
    model = model_file.read_bytes()
    licences = json.loads((Path(__file__).parent / "licences.json").read_text())
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent).stdout.strip() or None
    sources = [
        Source(name=name, licence=licences.get(name, "not stated"), rows=entry["rows"], labels_sha256=entry["labels_sha256"])
        for name, entry in sorted(provenance["data"].items())
    ]
    digest = hashlib.sha256(model).hexdigest()
    return Manifest.model_validate(
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
            "macs": found.macs,
            "sources": sources,
            "drawn": f"seed {experiment.seed}, generator at git {provenance['starts'][-1]['git']}",
            **settings,
        }
    )
