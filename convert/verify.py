"""The gate: float and int8 side by side on the same photographs, through the device's code. Too little evidence is no pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.model.detector import Detector
from edge.model.manifest import Manifest
from edge.model.reader import Reader
from edge.model.tflite import Interpreter, Net
from edge.records import Quad
from edge.vision.image import load_image
from train.data.formats.native import find_folders, read_folder
from train.evaluation.cases import LOWEST, Legible, run_models
from train.evaluation.figures import exact, figures
from train.evaluation.nets import float_net as float_net
from train.metrics import character_accuracy

FINDING = {"images", "scenes", "plates", "precision", "recall", "recall75", "ap50", "ap75", "map", "false_per_empty"}
"""What the detector's gate tells; whether a plate is read is another question."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says. `drop` is float less int8, as a share (0.005 is half a point): of exact plates, or of average precision at IoU 0.5.

    `interval` is the 95 % bootstrap interval of the drop in exact plates, or in recall at the bundle's threshold, plate by plate.
    """

    passed: bool
    evidence: int
    drop: float
    float_figures: dict[str, float | int]
    int8_figures: dict[str, float | int]
    interval: tuple[float, float]

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""

        def short(values: dict[str, float | int]) -> dict[str, float | int]:
            return {key: round(value, 4) for key, value in values.items() if key != "ms"}

        interval_of = "read_exact" if "read_exact" in self.int8_figures else "recall"
        return {
            "evidence": self.evidence,
            "drop": round(self.drop, 4),
            f"{interval_of}_drop_95": [round(value, 4) for value in self.interval],
            "float": short(self.float_figures),
            "int8": short(self.int8_figures),
        }


def verify(manifest: Manifest, model: bytes, floats: Net, folders: Sequence[Path], allowed: float, least: int, progress: Any = iter) -> Verdict:
    """Reader: exact plates, cut out by their labels. Detector: average precision at IoU 0.5 on labelled photographs."""
    if manifest.kind == "reader":
        sides = [_reads(Reader(manifest, net), folders, progress) for net in (floats, Interpreter(model, manifest.name))]
        float_hits, int8_hits = (np.array(hits, float) for hits, _ in sides)
        drop = float(float_hits.mean() - int8_hits.mean()) if len(float_hits) else 1.0
        interval = _bootstrap(float_hits - int8_hits)
        evidence = len(float_hits)
    else:
        sides = [_finds(Detector(manifest, net, LOWEST, views=0), folders, progress) for net in (floats, Interpreter(model, manifest.name))]
        drop = float(sides[0][1].get("ap50", 0.0)) - float(sides[1][1].get("ap50", 0.0))
        evidence = int(sides[0][1].get("plates", 0))
        interval = _bootstrap(np.array(sides[0][0], float) - np.array(sides[1][0], float))
    passed = evidence >= least and drop <= allowed
    return Verdict(passed, evidence, drop, sides[0][1], sides[1][1], interval)


def _reads(reader: Reader, folders: Sequence[Path], progress: Any) -> tuple[list[bool], dict[str, float | int]]:
    """Every plate with a text, cut out by its label: the gate of the reader asks nothing of the detector."""
    hits, truths, reads = [], [], []
    images = [image for folder in find_folders(list(folders)) for image in read_folder(folder)]
    for image in progress(images):
        plates = [plate for plate in image.plates if plate.exact and not plate.year_omitted]
        luma = load_image(image.path)[0] if plates else None
        for plate in plates:
            assert luma is not None
            text = reader.read(luma, plate.quad or Quad.from_box(plate.box)).text
            hits.append(exact(plate, text))
            truths.append(plate.text or "")
            reads.append(text)
    return hits, {"plates": len(hits), "read_exact": float(np.mean(hits or [False])), "read_characters": character_accuracy(truths, reads)}


def _finds(detector: Detector, folders: Sequence[Path], progress: Any) -> tuple[list[bool], dict[str, float | int]]:
    scenes = [folder for folder in find_folders(list(folders)) if not all(image.crop for image in read_folder(folder))]
    cases = [case for case in run_models(scenes, detector, Legible(), progress) if case.found is not None] if scenes else []
    found = []
    for case in cases:
        assert case.found is not None
        taken = set(case.taken[case.found.scores >= case.threshold].tolist())
        found += [place in taken for place in range(len(case.image.plates))]
    return found, {key: value for key, value in figures(cases).items() if key in FINDING}


def _bootstrap(differences: npt.NDArray[np.float64], rounds: int = 2000) -> tuple[float, float]:
    """95 % interval of the mean of paired differences."""
    if len(differences) == 0:
        return (float("nan"), float("nan"))
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (rounds, len(differences))).mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
