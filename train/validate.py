"""A quick look at a float network while it trains: the figures that matter, on a few hundred labelled pictures, through the device's codecs."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from edge.records import Box, Quad
from edge.vision import detector_codec, reader_codec
from edge.vision.image import letterbox, load_image
from edge.vision.quant import normalise
from edge.vision.reader_codecs import ReaderCodec
from edge.vision.rectify import reader_input
from train import metrics
from train.data.formats.native import LabelledImage


class ReaderCheck:
    """Exact plates and characters on labelled crops, cut by their boxes."""

    def __init__(self, images: Sequence[LabelledImage], width: int, height: int, codec: ReaderCodec = reader_codec, at_most: int = 1200) -> None:
        self.codec = codec
        plates = [(image, plate) for image in images for plate in image.plates if plate.exact and not plate.year_omitted]
        step = max(1, len(plates) // at_most)
        self.plates = plates[::step]
        lumas = {image.path: load_image(image.path)[0] for image, _ in self.plates}
        self.inputs = np.stack([reader_input(lumas[image.path], Quad.from_box(plate.box), width, height) for image, plate in self.plates])

    def __call__(self, model: keras.Model) -> dict[str, float]:
        logits = np.concatenate([np.asarray(model.predict_on_batch(normalise(self.inputs[i : i + 100])[..., None])) for i in range(0, len(self.inputs), 100)])
        reads = [self.codec.decode(one).text for one in logits]
        right: dict[str, list[bool]] = {}
        for (image, plate), text in zip(self.plates, reads, strict=True):
            right.setdefault(image.source, []).append(metrics.same_text(plate.text or "", text, plate.country))
        figures = {source: float(np.mean(hits)) for source, hits in sorted(right.items())}
        figures["exact"] = float(np.mean([hit for hits in right.values() for hit in hits]))
        figures["characters"] = metrics.character_accuracy([plate.text or "" for _, plate in self.plates], reads)
        return figures


class DetectorCheck:
    """Recall and average precision at an overlap of a half on labelled photographs, whole frames as the device sees them."""

    def __init__(self, images: Sequence[LabelledImage], width: int, height: int, at_most: int = 400) -> None:
        step = max(1, len(images) // at_most)
        self.images = [image for image in images if not image.crop][::step]
        boxed = [letterbox(load_image(image.path)[0], width, height) for image in self.images]
        self.inputs, self.scales = np.stack([picture for picture, _ in boxed]), [scale for _, scale in boxed]

    def __call__(self, model: keras.Model, threshold: float = 0.05) -> dict[str, float]:
        by_source: dict[str, list[metrics.Found]] = {}
        sure = []
        for start in range(0, len(self.inputs), 16):
            outputs = np.asarray(model.predict_on_batch(normalise(self.inputs[start : start + 16])[..., None]))
            for place, output in enumerate(outputs):
                image, scale = self.images[start + place], self.scales[start + place]
                detections = detector_codec.decode(output[..., :2], output[..., 2:6], output[..., 6:14], threshold)
                boxes = [Box(d.box.x0 / scale, d.box.y0 / scale, d.box.x1 / scale, d.box.y1 / scale) for d in detections]
                one = metrics.found(boxes, [d.score for d in detections], [plate.box for plate in image.plates], image.ignored)
                by_source.setdefault(image.source, []).append(one)
                sure.append(one)
        figures = {source: metrics.average_precision(pictures, 0.5) for source, pictures in sorted(by_source.items())}
        figures["ap50"] = metrics.average_precision(sure, 0.5)
        figures["ap75"] = metrics.average_precision(sure, 0.75)
        figures["recall_at_0.4"] = _recall(sure, 0.4)
        return figures


def _recall(pictures: Sequence[metrics.Found], threshold: float) -> float:
    hits = sum(int(np.sum((metrics.match(one, 0.5) >= 0) & (one.scores >= threshold))) for one in pictures)
    return hits / max(1, sum(len(one.truth) for one in pictures))
