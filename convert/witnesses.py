"""How much to believe the detector and the reader together: fits the weights of `edge.telling` on labelled photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import PlatewatchError
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.records import Detection, PlateRead
from edge.telling import Witnesses, features
from edge.vision.image import load_image
from train import metrics
from train.data.formats.native import find_folders, read_folder

LOOSE = 0.3
"""A detection that overlaps a plate by more than this but too little to count is neither right nor wrong: it teaches nothing."""
Array = npt.NDArray[np.float64]


class TooFew(PlatewatchError, ValueError):
    """Not enough photographs to fit on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One detection: what both said, whether a plate is there (None: nobody can say), and whether its picture is without any."""

    detection: Detection
    read: PlateRead
    plate: bool | None
    empty: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """All detections of a set of photographs, the number of its plates, and of its pictures without any."""

    heard: list[Heard]
    plates: int
    empty: int


def hear(folders: Sequence[str | Path], detector: Detector, reader: Reader, progress: Any = iter) -> Hearing:
    """Everything that the detector reports at its threshold, with what the reader makes of it."""
    heard: list[Heard] = []
    plates = empty = 0
    for image in progress([image for folder in find_folders(list(folders)) for image in read_folder(folder) if not image.crop]):
        luma, _ = load_image(image.path)
        found = detector.detect(luma)
        truth = [plate.box for plate in image.plates]
        matched = metrics.found([one.box for one in found], [one.score for one in found], truth, image.ignored)
        taken, overlaps = metrics.match(matched, 0.5), metrics.iou_matrix(matched.boxes, matched.truth)
        nobody = not truth and not image.ignored
        plates, empty = plates + len(truth), empty + nobody
        for place, one in enumerate(sorted(found, key=lambda one: -one.score)):
            loose = taken[place] == -2 or (taken[place] == -1 and len(truth) > 0 and overlaps[place].max() > LOOSE)
            heard.append(Heard(one, reader.read(luma, one.quad, one.lines), None if loose else bool(taken[place] >= 0), nobody))
    if sum(one.plate is True for one in heard) < 50 or sum(one.plate is False for one in heard) < 50:
        raise TooFew("fewer than 50 plates found, or fewer than 50 things found that are none: name more photographs with --data")
    return Hearing(heard, plates, empty)


def fit(heard: Sequence[Heard], ridge: float = 1e-3) -> Witnesses:
    """Logistic regression by Newton's method."""
    known = [one for one in heard if one.plate is not None]
    inputs: Array = np.array([features(one.detection, one.read) for one in known])
    truth: Array = np.array([one.plate for one in known], float)
    weights = np.zeros(inputs.shape[1])
    for _ in range(60):
        chance = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -40, 40)))
        slope = inputs.T @ (chance - truth) + ridge * weights
        bend = (inputs.T * (chance * (1 - chance))) @ inputs + ridge * np.eye(len(weights))
        weights -= np.linalg.solve(bend, slope)
    return Witnesses(*(round(float(weight), 3) for weight in weights))


def trade(hearing: Hearing, beliefs: Sequence[float], limits: Sequence[float]) -> list[dict[str, float]]:
    """For each limit: recall, precision and false reports a picture without plates."""
    rows = []
    believed = np.array(beliefs)
    right = np.array([one.plate is True for one in hearing.heard])
    wrong = np.array([one.plate is False for one in hearing.heard])
    empty = np.array([one.empty for one in hearing.heard])
    for limit in limits:
        told = believed >= limit
        rows.append(
            {
                "limit": limit,
                "recall": float((told & right).sum() / max(1, hearing.plates)),
                "precision": float((told & right).sum() / max(1, (told & (right | wrong)).sum())),
                "false_per_empty": float((told & empty & wrong).sum() / max(1, hearing.empty)),
            }
        )
    return rows
