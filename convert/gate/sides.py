"""One side of the gate: what a network, through the device's own code, makes of labelled photographs. Small enough to be kept as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.gate.paired import Figure, average_precision, share
from edge.model.detector import VIEWS, Detector
from edge.model.manifest import Manifest
from edge.model.reader import Reader
from edge.model.tflite import Net
from train.data.formats.native import find_folders, read_folder
from train.evaluation.cases import LOWEST, Legible, run_models, run_reader
from train.evaluation.curves import expected_calibration_error
from train.evaluation.figures import exact, figures, fold
from train.metrics import character_accuracy

FINDING = {"images", "scenes", "plates", "precision", "recall", "recall75", "ap50", "ap75", "map", "false_per_empty"}
"""What the detector's gate tells; whether a plate is read is another question."""
Figures = dict[str, float | int]


@dataclass(frozen=True, slots=True)
class Seen:
    """Numbers and names only.

    photographs   their paths; `sources` has the source of each
    picture       for each plate the number of its photograph
    right         for each plate: read exactly, or found at the bundle's threshold
    scores, hits, report_of   detector: for each detection its score, whether it takes a plate at IoU 0.5, the number of its photograph
    """

    photographs: list[str]
    sources: list[str]
    picture: list[int]
    right: list[bool]
    figures: Figures
    scores: list[float]
    hits: list[bool]
    report_of: list[int]

    def share_right(self) -> Figure:
        """Of exact plates, or recall, as a function of a weight a photograph."""
        return share(np.array(self.right, np.float64), np.array(self.picture, np.intp), len(self.photographs))

    def average_precision(self) -> Figure:
        """At IoU 0.5, as a function of a weight a photograph."""
        plates = np.bincount(np.array(self.picture, np.intp), minlength=len(self.photographs)).astype(np.float64)
        return average_precision(np.array(self.scores), np.array(self.hits, bool), np.array(self.report_of, np.intp), plates)

    def only(self, photographs: Sequence[str]) -> Seen:
        """The same on some of the photographs, without `figures`, which are of all."""
        kept = set(photographs)
        number = {place: new for new, place in enumerate(place for place, path in enumerate(self.photographs) if path in kept)}
        plates = [place for place, picture in enumerate(self.picture) if picture in number]
        reports = [place for place, picture in enumerate(self.report_of) if picture in number]
        return Seen(
            [self.photographs[place] for place in number],
            [self.sources[place] for place in number],
            [number[self.picture[place]] for place in plates],
            [self.right[place] for place in plates],
            self.figures if len(number) == len(self.photographs) else {},
            [self.scores[place] for place in reports],
            [self.hits[place] for place in reports],
            [number[self.report_of[place]] for place in reports],
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def look(manifest: Manifest, net: Net, folders: Sequence[Path], progress: Any = iter, views: int = VIEWS) -> Seen:
    """One side. Reader: every plate with a text, cut out by its label, so that its gate asks nothing of the detector. Detector: every whole photograph.

    The detector looks as often as on the device: `views` 0 would judge the network alone, whose losses the closer looks mostly make good.
    """
    return _read(Reader(manifest, net), folders, progress) if manifest.kind == "reader" else _find(Detector(manifest, net, LOWEST, views), folders, progress)


def _read(reader: Reader, folders: Sequence[Path], progress: Any) -> Seen:
    cases = run_reader(list(folders), reader, progress)
    plates = [(case.image.plates[0], case.looks[0].read if case.looks else None) for case in cases]
    right = np.array([read is not None and exact(plate, read.text) for plate, read in plates], bool)
    told: Figures = {"plates": len(plates), "read_exact": float(right.mean()) if len(right) else 0.0}
    texts = [(fold(plate, plate.text or ""), fold(plate, read.text) if read else "") for plate, read in plates]
    told["read_characters"] = character_accuracy([truth for truth, _ in texts], [read for _, read in texts])
    said = np.array([read is not None for _, read in plates], bool)
    told["ece"] = float(expected_calibration_error(np.array([read.confidence for _, read in plates if read]), right[said]))
    # Several plates of one photograph are cases of their own here, and are drawn together.
    sources = {str(case.image.path): case.image.source for case in cases}
    numbers = {path: place for place, path in enumerate(sources)}
    picture = [numbers[str(case.image.path)] for case in cases]
    return Seen(list(sources), list(sources.values()), picture, right.tolist(), _finite(told), [], [], [])


def _find(detector: Detector, folders: Sequence[Path], progress: Any) -> Seen:
    scenes = [folder for folder in find_folders(list(folders)) if not all(image.crop for image in read_folder(folder))]
    cases = run_models(scenes, detector, Legible(), progress, crops=False) if scenes else []
    seen = Seen([str(case.image.path) for case in cases], [case.image.source for case in cases], [], [], _finding(cases), [], [], [])
    for place, case in enumerate(cases):
        assert case.found is not None
        taken = set(case.taken[case.found.scores >= case.threshold].tolist())
        seen.right.extend(plate in taken for plate in range(len(case.image.plates)))
        seen.picture.extend([place] * len(case.image.plates))
        for score, match in zip(case.found.scores.tolist(), case.taken.tolist(), strict=True):
            if match != -2:  # in a region that is neither rewarded nor punished
                seen.scores.append(score)
                seen.hits.append(match >= 0)
                seen.report_of.append(place)
    return seen


def _finding(cases: Sequence[Any]) -> Figures:
    return {key: value for key, value in figures(cases).items() if key in FINDING} if cases else {}


def _finite(told: Figures) -> Figures:
    return {key: value for key, value in told.items() if np.isfinite(value)}
