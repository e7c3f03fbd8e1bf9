"""Variants of one network on the same labelled pictures, each decoded and cut out once: figures by source, float first, then each file against it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.model.detector import CHANNELS, Detector
from edge.model.manifest import Manifest
from edge.model.reader import WIDER, Reader
from edge.model.tflite import Net
from edge.records import Box, Luma, Quad
from edge.vision.alphabet import ALPHABET
from edge.vision.detector_codec import logit_of
from edge.vision.geometry import clip
from edge.vision.image import letterbox, load_image
from edge.vision.rectify import reader_input
from train import metrics
from train.config import Experiment
from train.data.formats.native import LabelledImage, LabelledPlate, read_folder
from train.evaluation.cases import LOWEST
from train.evaluation.figures import exact

ROOM = 0.5
"""Share of a plate's larger side that is kept around it: more than the widest look asks for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one net made of the pictures. `value` is a share: average precision at IoU 0.5, or plates read exactly; `hits` plate by plate.

    `by_source`: name -> (plates, value). `numbers`: the network's own outputs where they matter, one row a cell or step, channels by column.
    """

    value: float
    plates: int
    by_source: dict[str, tuple[int, float]]
    hits: npt.NDArray[np.float64]
    numbers: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """A photograph as the detector sees it: `picture` at the network's size, which is `scale` times the photograph's."""

    picture: Luma
    scale: float
    image: LabelledImage
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """A plate with room around it; `quad` in pixels of the cut."""

    luma: Luma
    quad: Quad
    plate: LabelledPlate
    source: str


class DetectorBench:
    """Whole photographs, letterboxed once. One look at each, as the gate has it: no closer looks."""

    def __init__(self, manifest: Manifest, folders: Sequence[Path], progress: Any = iter) -> None:
        self._manifest = manifest
        self._views: list[View] = []
        self._cells: list[npt.NDArray[np.intp]] = []
        for image in progress([image for folder in folders for image in read_folder(folder) if not image.crop]):
            luma, _ = load_image(image.path)
            self._views.append(View(*letterbox(luma, manifest.width, manifest.height), image, (luma.shape[1], luma.shape[0])))

    @property
    def plates(self) -> int:
        return sum(len(view.image.plates) for view in self._views)

    def measure(self, net: Net, progress: Any = iter) -> Outcome:
        detector = Detector(self._manifest, net, LOWEST, views=0)
        found: list[tuple[str, metrics.Found]] = []
        hits: list[bool] = []
        numbers: list[npt.NDArray[np.float32]] = []
        for place, view in enumerate(progress(self._views)):
            raw = detector.infer(view.picture)
            numbers.append(self._numbers(place, net, raw))
            detections = detector.decode(raw)
            boxes = [clip(Box(*(value / view.scale for value in (one.box.x0, one.box.y0, one.box.x1, one.box.y1))), *view.size) for one in detections]
            one = metrics.found(boxes, [one.score for one in detections], [plate.box for plate in view.image.plates], view.image.ignored)
            found.append((view.image.source, one))
            taken = set(metrics.match(one, 0.5)[one.scores >= self._manifest.threshold].tolist())
            hits += [place in taken for place in range(len(view.image.plates))]
        sources = sorted({source for source, _ in found})
        parts = {name: [one for source, one in found if source == name] for name in sources}
        by_source = {name: (sum(len(one.truth) for one in part), metrics.average_precision(part, 0.5)) for name, part in parts.items()}
        return Outcome(
            metrics.average_precision([one for _, one in found], 0.5),
            len(hits),
            {name: value for name, value in by_source.items() if value[0]},
            np.array(hits, float),
            np.concatenate(numbers or [np.zeros((0, sum(CHANNELS.values())), np.float32)]),
        )

    def _numbers(self, place: int, net: Net, raw: dict[str, Any]) -> npt.NDArray[np.float32]:
        """All outputs side by side, (cells, 14), of the cells that the first net that was measured took for a plate, down to LOWEST."""
        scales = {shape[-1]: scale for shape, scale in zip(net.output_shapes, net.scales_out, strict=True)}
        if place == len(self._cells):
            self._cells.append(np.flatnonzero(raw["score"][..., 0].ravel() >= scales[CHANNELS["score"]].quantized(logit_of(LOWEST))))
        rows = self._cells[place]
        return np.concatenate([scales[width].dequantize(raw[name].reshape(-1, width)[rows]) for name, width in CHANNELS.items()], axis=1)


class ReaderBench:
    """Plates with a text, cut out by their labels once."""

    def __init__(self, manifest: Manifest, folders: Sequence[Path], progress: Any = iter) -> None:
        self._manifest = manifest
        self._cuts: list[Cut] = []
        for image in progress([image for folder in folders for image in read_folder(folder)]):
            plates = [plate for plate in image.plates if plate.exact and not plate.year_omitted]
            luma = load_image(image.path)[0] if plates else None
            self._cuts += [_cut(luma, plate, image.source) for plate in plates if luma is not None]

    @property
    def plates(self) -> int:
        return len(self._cuts)

    def measure(self, net: Net, progress: Any = iter) -> Outcome:
        reader = Reader(self._manifest, net)
        width, height = self._manifest.width, self._manifest.height
        firsts = [net.scales_out[0].dequantize(reader.infer(reader_input(cut.luma, cut.quad, width, height, self._manifest.margin))) for cut in self._cuts]
        hits = np.array([exact(cut.plate, reader.read(cut.luma, cut.quad).text) for cut in progress(self._cuts)], float)
        names = np.array([cut.source for cut in self._cuts])
        by_source = {str(name): (int((names == name).sum()), float(hits[names == name].mean())) for name in np.unique(names)}
        return Outcome(
            float(hits.mean()) if len(hits) else 0.0, len(hits), by_source, hits, np.concatenate(firsts or [np.zeros((0, len(ALPHABET) + 1), np.float32)])
        )


def error(floats: Outcome, other: Outcome) -> float:
    """Root mean square of what the outputs differ by, in standard deviations of the float output, mean over the channels."""
    if not len(floats.numbers):
        return 0.0
    varies = floats.numbers.std(axis=0)
    off = np.sqrt(np.mean((other.numbers - floats.numbers).astype(np.float64) ** 2, axis=0))
    return float(np.mean(off[varies > 0] / varies[varies > 0])) if (varies > 0).any() else 0.0


def spread(differences: npt.NDArray[np.float64], rounds: int = 2000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of paired differences, plate by plate."""
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (rounds, len(differences))).mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def bench_for(manifest: Manifest, folders: Sequence[Path], progress: Any = iter) -> DetectorBench | ReaderBench:
    return (ReaderBench if manifest.kind == "reader" else DetectorBench)(manifest, folders, progress)


def plain_manifest(experiment: Experiment, weights: Path) -> Manifest:
    """Of a network that has not been bundled: the house's own threshold and margin."""
    phase = experiment.phases[-1]
    about = {"name": experiment.name, "kind": experiment.kind, "codec": experiment.codec, "width": phase.width, "height": phase.height}
    alphabet = ALPHABET if experiment.kind == "reader" else ""
    return Manifest.of(about | {"alphabet": alphabet, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()})


def _cut(luma: Luma, plate: LabelledPlate, source: str) -> Cut:
    quad = plate.quad or Quad.from_box(plate.box)
    box = quad.box
    room = max(ROOM, 4 * WIDER) * max(box.width, box.height) + 4
    x0, y0 = (max(0, int(value - room)) for value in (box.x0, box.y0))
    part = np.ascontiguousarray(luma[y0 : int(box.y1 + room) + 1, x0 : int(box.x1 + room) + 1])
    return Cut(part, Quad.from_array([(x - x0, y - y0) for x, y in quad.points]), plate, source)
