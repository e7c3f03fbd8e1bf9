"""How good a detector or a reader is, as numbers: matching, average precision, edit distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.plates.text import edit_distance
from edge.records import Box
from edge.vision.geometry import iou_matrix


@dataclass(frozen=True, slots=True)
class Found:
    """One picture's detections against its truth. `order` best first."""

    scores: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]
    truth: npt.NDArray[np.float32]
    ignored: npt.NDArray[np.float32]


def found(boxes: Sequence[Box], scores: Sequence[float], truth: Sequence[Box], ignored: Sequence[Box]) -> Found:
    """Sorted by score, as arrays."""

    def rows(items: Sequence[Box]) -> npt.NDArray[np.float32]:
        return np.array([[b.x0, b.y0, b.x1, b.y1] for b in items], np.float32).reshape(-1, 4)

    order = np.argsort(-np.asarray(scores, np.float32), kind="stable")
    return Found(np.asarray(scores, np.float32)[order], rows(boxes)[order], rows(truth), rows(ignored))


def match(one: Found, overlap: float) -> npt.NDArray[np.intp]:
    """For each detection, best first: the index of the truth it takes, -1 for a false one, -2 where nobody is rewarded or punished."""
    taken = np.full(len(one.scores), -1, np.intp)
    if len(one.scores) == 0:
        return taken
    truth, ignored = iou_matrix(one.boxes, one.truth), _share_inside(one.boxes, one.ignored)
    free = np.ones(len(one.truth), bool)
    for place in range(len(one.scores)):
        best, chosen = overlap, -1
        for index in np.flatnonzero(free):
            if truth[place, index] >= best:
                best, chosen = float(truth[place, index]), int(index)
        if chosen >= 0:
            taken[place], free[chosen] = chosen, False
        elif ignored.shape[1] and ignored[place].max() >= 0.5:
            taken[place] = -2
    return taken


def _share_inside(boxes: npt.NDArray[np.float32], regions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    low = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    sizes = [np.prod(np.clip(b[:, 2:] - b[:, :2], 0, None), axis=-1) for b in (boxes, regions)]
    return np.asarray(shared / np.maximum(np.minimum(sizes[0][:, None], sizes[1][None, :]), 1e-9), np.float32)


def average_precision(pictures: Sequence[Found], overlap: float) -> float:
    """Area under precision over recall, every point, as COCO and VOC 2010 do; nan where there is nothing to find."""
    total = sum(len(one.truth) for one in pictures)
    if total == 0:
        return float("nan")
    pairs = [(score, taken >= 0) for one in pictures for score, taken in zip(one.scores, match(one, overlap), strict=True) if taken != -2]
    pairs.sort(key=lambda pair: -pair[0])
    hits = np.cumsum([hit for _, hit in pairs]) if pairs else np.zeros(0)
    if len(hits) == 0:
        return 0.0
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    recall = hits / total
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def character_accuracy(truth: Sequence[str], read: Sequence[str]) -> float:
    """1 less edits over characters; nan without characters."""
    characters = sum(map(len, truth))
    return float("nan") if characters == 0 else 1.0 - sum(map(edit_distance, truth, read)) / characters


def same_text(truth: str, read: str, country: str | None) -> bool:
    """Equal, but for a plate of the United States, whose labels write the letter O as the digit 0."""
    if country == "us":
        return truth.replace("O", "0") == read.replace("O", "0")
    return truth == read
