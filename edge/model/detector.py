"""Finds plates in a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import BundleError
from edge.model.manifest import SHIPPED, Manifest, load_manifest
from edge.model.tflite import Interpreter, Net
from edge.records import Box, Detection, Luma, Quad
from edge.vision import closer, detector_codec
from edge.vision.geometry import clip
from edge.vision.image import letterbox
from edge.vision.quant import quantize_luma

VIEWS = 6
CHANNELS = {"score": 2, "box": 4, "corners": 8}


class Detector:
    """The detector of one bundle. `threshold` None takes the bundle's own; `views` is how many closer looks a frame may cost, 0 for none."""

    def __init__(self, manifest: Manifest, net: Net, threshold: float | None = None, views: int = VIEWS) -> None:
        self.manifest = manifest
        self.threshold = manifest.threshold if threshold is None else threshold
        self.views = views
        self._net = net
        self._table = self._net.scale_in.luma_table()
        by_channels = {shape[-1]: place for place, shape in enumerate(self._net.output_shapes)}
        cells = (1, -(-manifest.height // detector_codec.STRIDE), -(-manifest.width // detector_codec.STRIDE))
        fits = sorted(self._net.output_shapes) == sorted((*cells, channels) for channels in CHANNELS.values())
        if self._net.shape != (1, manifest.height, manifest.width, 1) or not fits:
            raise BundleError(f"{manifest.name}: its tensors do not fit the codec {manifest.codec}")
        self._places = {name: by_channels[channels] for name, channels in CHANNELS.items()}

    @classmethod
    def load(cls, folder: str | Path = SHIPPED / "detector", threads: int = 1, threshold: float | None = None, views: int = VIEWS) -> Detector:
        """Raises BundleError when the bundle does not fit."""
        manifest, model = load_manifest(folder, "detector")
        return cls(manifest, Interpreter(model, manifest.name, threads), threshold, views)

    def infer(self, picture: Luma) -> dict[str, npt.NDArray[np.int8]]:
        """Raw int8 outputs by name for a picture of exactly the network's size."""
        outputs = self._net.run(quantize_luma(picture, self._table)[None, :, :, None])
        return {name: outputs[place][0] for name, place in self._places.items()}

    def decode(self, raw: dict[str, npt.NDArray[np.int8]], threshold: float | None = None) -> list[Detection]:
        """What `infer` gave, as plates in pixels of the network's input, best first. Only cells that reach the threshold (None: its own) are looked at."""
        scales = {name: self._net.scales_out[place] for name, place in self._places.items()}
        least = scales["score"].quantized(detector_codec.logit_of(self.threshold if threshold is None else threshold))
        rows, columns = np.nonzero(raw["score"][..., 0] >= least)
        logits, numbers, corners = (scales[name].dequantize(raw[name][rows, columns]) for name in ("score", "box", "corners"))
        return detector_codec.decode_cells(rows, columns, logits, numbers, corners)

    def detect(self, luma: Luma) -> list[Detection]:
        """Plates in a (H, W) uint8 frame of any size, in its pixels, best first; far ones looked at closer, at most `views` times."""
        frame = (luma.shape[1], luma.shape[0])
        first, scale = self._look(luma, min(self.threshold, closer.FAINT) if self.views else self.threshold)
        if not self.views:
            return first
        todo = closer.plan(first, scale, (self.manifest.width, self.manifest.height), frame, self.views)
        settled = [one for one in todo.settled if one.score >= self.threshold]
        found = list(settled)
        for view in todo.views:
            part = np.ascontiguousarray(luma[view.y0 : view.y1, view.x0 : view.x1])
            found += closer.outside(closer.carry(self._look(part, self.threshold)[0], view, frame), settled)
        return closer.merge(found)

    def _look(self, luma: Luma, threshold: float) -> tuple[list[Detection], float]:
        """One run of the network on a whole picture: plates in its pixels, and the network's pixels a pixel of it."""
        picture, scale = letterbox(luma, self.manifest.width, self.manifest.height)
        return [_to_frame(one, scale, luma.shape[1], luma.shape[0]) for one in self.decode(self.infer(picture), threshold)], scale


def _to_frame(detection: Detection, scale: float, width: int, height: int) -> Detection:
    box = Box(*(value / scale for value in (detection.box.x0, detection.box.y0, detection.box.x1, detection.box.y1)))
    points = detection.quad.array() / scale
    return Detection(Quad.from_array(points), clip(box, width, height), detection.score, detection.lines)
