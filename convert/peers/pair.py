"""Any detector and any reader in ONNX or TFLite, told by a TOML file."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from convert.peers.base import About, PeerError, Picture, Report, model_of
from convert.peers.networks import Floats, Network, open_network
from convert.peers.outputs import boxes, text
from convert.peers.pixels import prepare
from convert.peers.settings import Config as Config
from convert.peers.settings import Network as Wanted
from train.evaluation.cases import LOWEST


class Pair:
    """The detector's boxes at or above its threshold are cut out and read."""

    def __init__(self, about: About, config: Config, detector: Network | None, reader: Network) -> None:
        self.about, self._config, self._detector, self._reader = about, config, detector, reader

    def scene(self, picture: Picture) -> Sequence[Report]:
        wanted = self._config.detector
        if wanted is None or self._detector is None:
            raise PeerError(f"{self.about.name}: has no detector, so it cannot be asked on a whole photograph")
        values, fit = prepare(picture, wanted)
        found, scores = boxes(_output(self._detector.run(values), wanted), wanted, LOWEST)
        reports = []
        for (x0, y0, x1, y1), score in zip(fit.back(found).tolist(), scores.tolist(), strict=True):
            told = score >= wanted.threshold
            said, sure = self._read(_cut(picture, (x0, y0, x1, y1), self._config.reader.margin)) if told else ("", ())
            reports.append(Report((x0, y0, x1, y1), score, told, said, sure))
        return reports

    def crop(self, picture: Picture) -> Report | None:
        said, sure = self._read(picture)
        return Report((0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])), 1.0, True, said, sure)

    def _read(self, plate: Picture) -> tuple[str, tuple[float, ...]]:
        if plate.size == 0:  # a box outside the picture has nothing to read
            return "", ()
        wanted = self._config.reader
        return text(_output(self._reader.run(prepare(plate, wanted)[0]), wanted), wanted)


def _cut(picture: Picture, box: tuple[float, float, float, float], margin: float) -> Picture:
    """Whole pixels, `margin` of the box's size added on each side."""
    if not np.isfinite(box).all():
        return picture[:0]
    more_x, more_y = margin * (box[2] - box[0]), margin * (box[3] - box[1])
    x0, y0 = max(0, int(box[0] - more_x)), max(0, int(box[1] - more_y))
    return picture[y0 : max(y0, round(box[3] + more_y)), x0 : max(x0, round(box[2] + more_x))]


def _output(outputs: dict[str, Floats], wanted: Wanted) -> Floats:
    if wanted.output_name is None:
        return next(iter(outputs.values()))
    if wanted.output_name not in outputs:
        raise PeerError(f"{wanted.file}: output_name: {wanted.output_name!r} is none of its outputs: {', '.join(outputs)}")
    return outputs[wanted.output_name]


def load(config: Config, threads: int, download: bool = False) -> Pair:
    """Raises PeerError: a file that cannot be run, an input or output of another shape than the TOML says."""
    cv2.setNumThreads(threads)
    detector = _open(config.detector, threads) if config.detector is not None else None
    reader = _open(config.reader, threads)
    models = tuple(model_of(wanted.file) for wanted in (config.detector, config.reader) if wanted is not None)
    versions = dict(network.version for network in (detector, reader) if network is not None)
    threshold = config.detector.threshold if config.detector is not None else 0.0
    pair = Pair(About(config.name, models, threshold, versions, detector is not None), config, detector, reader)
    grey = np.full((240, 320, 3), 128, np.uint8)
    if detector is not None:
        pair.scene(grey)  # outputs of another shape are told now, not on every photograph
    pair.crop(grey)
    return pair


def _open(wanted: Wanted, threads: int) -> Network:
    network = open_network(wanted.file, threads)
    if len(network.shape) != 4 or any(size not in (None, -1, there) for size, there in zip(network.shape, wanted.shape, strict=True)):
        shown = " x ".join("any" if size in (None, -1) else str(size) for size in network.shape)
        raise PeerError(f"{wanted.file}: takes {shown}, but width, height, colour and layout say {' x '.join(map(str, wanted.shape))}")
    return network
