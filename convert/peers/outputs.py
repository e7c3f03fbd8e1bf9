"""What detectors and readers of other houses put out, as boxes and texts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convert.peers.base import PeerError
from convert.peers.settings import DetectorNetwork, ReaderNetwork
from edge.vision.geometry import iou_matrix

Floats = npt.NDArray[np.float32]
CANDIDATES = 300
"""At most so many boxes, the surest, go through suppression, as is usual."""


def boxes(output: Floats, wanted: DetectorNetwork, lowest: float) -> tuple[Floats, Floats]:
    """-> (N, 4) x0 y0 x1 y1 in pixels of the network's picture and (N,) scores from `lowest` on, best first. Raises PeerError for another shape."""
    rows = output[0] if output.ndim == 3 and output.shape[0] == 1 else output
    if wanted.output == "yolov8":
        found, scores, kinds = _yolov8(rows, output.shape, wanted)
    else:
        columns = 6 if wanted.output == "end2end" else 7
        if rows.ndim != 2 or rows.shape[1] != columns:
            raise PeerError(f'{wanted.file}: its output is {_shape(output)}; with output = "{wanted.output}" it should be rows of {columns} numbers')
        places = ([0, 1, 2, 3], 4, 5) if columns == 6 else ([1, 2, 3, 4], 6, 5)
        found, scores, kinds = rows[:, places[0]], rows[:, places[1]], rows[:, places[2]].astype(np.intp)
    kept = scores >= lowest
    if wanted.classes is not None:
        kept &= np.isin(kinds, wanted.classes)
    order = np.flatnonzero(kept)[np.argsort(-scores[kept], kind="stable")]
    found, scores = found[order], scores[order]
    if wanted.coordinates == "shares":
        found = found * np.array([wanted.width, wanted.height] * 2, np.float32)
    if wanted.output == "yolov8":
        best = suppressed(found[:CANDIDATES], wanted.overlap)
        found, scores = found[best], scores[best]
    return found, scores


def _yolov8(rows: Floats, shape: tuple[int, ...], wanted: DetectorNetwork) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Columns or rows, whichever are more, are the candidates."""
    if rows.ndim != 2 or min(rows.shape) < 5:
        raise PeerError(
            f'{wanted.file}: its output is {_shape(np.empty(shape))}; with output = "yolov8" it should be 4 and the number of classes, by candidates'
        )
    table = rows.T if rows.shape[0] < rows.shape[1] else rows
    centre, half, classes = table[:, :2], table[:, 2:4] / 2, table[:, 4:]
    if wanted.classes is not None:
        if max(wanted.classes) >= classes.shape[1]:
            raise PeerError(f"{wanted.file}: has {classes.shape[1]} class(es), so classes = {wanted.classes} names one too many (they count from 0)")
        other = np.ones(classes.shape[1], bool)
        other[wanted.classes] = False
        classes = np.where(other, np.float32(-1.0), classes)
    return np.concatenate([centre - half, centre + half], axis=1), classes.max(axis=1), classes.argmax(axis=1)


def suppressed(found: Floats, overlap: float) -> list[int]:
    """Greedy non-maximum suppression of boxes, best first: the indices that stay."""
    shared = iou_matrix(found, found)
    free = np.ones(len(found), bool)
    kept = []
    for place in range(len(found)):
        if free[place]:
            kept.append(place)
            free &= shared[place] <= overlap
    return kept


def text(output: Floats, wanted: ReaderNetwork) -> tuple[str, tuple[float, ...]]:
    """-> the text and each character's confidence. Probabilities are taken as they are, anything else goes through a softmax."""
    return _slots(output, wanted) if wanted.output == "slots" else _ctc(output, wanted)


def _slots(output: Floats, wanted: ReaderNetwork) -> tuple[str, tuple[float, ...]]:
    classes = len(wanted.alphabet)
    if output.size == 0 or output.size % classes or (output.ndim > 2 and output.shape[-1] != classes):
        raise PeerError(f"{wanted.file}: its output is {_shape(output)}, which is not a number of slots by the {classes} characters of the alphabet")
    chances = _chances(output.reshape(-1, classes))
    best = chances.argmax(axis=1)
    read = "".join(wanted.alphabet[place] for place in best)
    said = read.rstrip(wanted.pad_char)
    return said, tuple(float(value) for value in chances.max(axis=1)[: len(said)])


def _ctc(output: Floats, wanted: ReaderNetwork) -> tuple[str, tuple[float, ...]]:
    classes = len(wanted.alphabet) + 1
    steps = output.reshape([size for size in output.shape if size != 1])
    if steps.ndim == 2 and steps.shape[1] != classes and steps.shape[0] == classes:
        steps = steps.T
    if steps.ndim != 2 or steps.shape[1] != classes:
        raise PeerError(f"{wanted.file}: its output is {_shape(output)}, which is not steps by {classes} classes (the alphabet's characters and the blank)")
    chances = _chances(steps)
    letters = wanted.alphabet[: wanted.blank] + "\0" + wanted.alphabet[wanted.blank :]
    said, sure, before = "", [], wanted.blank
    for place, chance in zip(chances.argmax(axis=1), chances.max(axis=1), strict=True):
        if place not in (wanted.blank, before):
            said += letters[place]
            sure.append(float(chance))
        elif place == before != wanted.blank:
            sure[-1] = max(sure[-1], float(chance))
        before = int(place)
    return said, tuple(sure)


def _chances(rows: Floats) -> Floats:
    if rows.min() >= -1e-4 and np.allclose(rows.sum(axis=1), 1.0, atol=0.02):
        return np.clip(rows, 0.0, 1.0)
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _shape(output: npt.NDArray[np.generic]) -> str:
    return " x ".join(map(str, output.shape)) or "one number"
