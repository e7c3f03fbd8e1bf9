"""Fits a reader bundle's confidence to labelled photographs, through the device's own code, so that it tells the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.model.detector import Detector
from edge.model.manifest import Manifest, load_manifest, write_manifest
from edge.model.reader import Reader
from edge.model.tflite import Interpreter, Net
from edge.vision.reader_codecs import READER_CODECS
from train.evaluation.calibration import LEAST, LEAST_WRONG, Study, study
from train.evaluation.cases import LOWEST, run_models
from train.evaluation.outcomes import outcomes


def fit_confidence(manifest: Manifest, net: Net, folders: Sequence[Path], detector: Detector, progress: Any = iter) -> tuple[Manifest, Study | None]:
    """The manifest with the temperature and the map that were chosen, and with the evidence under `accuracy.confidence`.

    Cut-out plates and whole photographs count, with what `detector` (made with threshold LOWEST) wrongly takes for a plate. Where too few reads
    can be judged the confidence stays as the network gives it, and the evidence says so.
    """
    plain = replace(manifest, temperature=1.0, calibration=None)
    cases = run_models(list(folders), detector, Reader(plain, net), progress)
    found: Study | None = study(outcomes(cases), READER_CODECS[manifest.codec].decode)
    if found is None:
        evidence: dict[str, Any] = {"chosen": "as it is", "why": f"fewer than {LEAST} reads that can be judged, or than {LEAST_WRONG} wrong ones among them"}
        chosen: dict[str, Any] = {}
    else:
        evidence = {**found.as_json(), "detector": detector.manifest.name}
        fitted = found.chosen.calibration and tuple(round(value, 4) for value in found.chosen.calibration)
        chosen = {"temperature": found.chosen.temperature, "calibration": fitted}
    return replace(plain, **chosen, accuracy={**manifest.accuracy, "confidence": evidence}), found


def refit(folder: Path, folders: Sequence[Path], detector_folder: Path, progress: Any = iter) -> Study | None:
    """Fit a bundle that is already there and write its manifest anew; the model stays as it is."""
    manifest, model = load_manifest(folder, "reader")
    detector = Detector.load(detector_folder, threshold=LOWEST)
    manifest, found = fit_confidence(manifest, Interpreter(model, manifest.name), folders, detector, progress)
    if found is not None:
        write_manifest(folder, manifest)
    return found


def in_words(found: Study | None) -> str:
    """One line for the console."""
    if found is None:
        return f"confidence left as it is: it takes {LEAST} reads that can be judged, {LEAST_WRONG} wrong ones among them"
    told = found.as_json()
    settings = f"temperature {told['temperature']}" + (f", slope, offset and ceiling {told['calibration']}" if told["calibration"] else "")
    before, after = (100 * told[key] for key in ("ece_before", "ece_after"))
    return f"confidence: {told['chosen']} ({settings}) on {told['reads']} reads; expected calibration error {before:.1f} -> {after:.1f} %, cross-validated"
