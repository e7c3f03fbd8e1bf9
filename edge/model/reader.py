"""Reads one plate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import BundleError
from edge.model.manifest import SHIPPED, Manifest, load_manifest
from edge.model.tflite import Interpreter, Net
from edge.records import Box, Luma, PlateRead, Quad
from edge.vision import reader_codec
from edge.vision.alphabet import CLASSES
from edge.vision.quant import quantize_luma
from edge.vision.rectify import reader_input

SURE = 0.7
"""A read less sure than this is worth a second look. Measured: one to four points more plates exact, for a read more in every fifth plate."""


class Reader:
    """The reader of one bundle."""

    def __init__(self, manifest: Manifest, net: Net) -> None:
        self.manifest = manifest
        self._net = net
        self._table = self._net.scale_in.luma_table()
        shapes = self._net.output_shapes
        if self._net.shape != (1, manifest.height, manifest.width, 1) or len(shapes) != 1 or shapes[0][-1] != CLASSES:
            raise BundleError(f"{manifest.name}: its tensors do not fit the codec {manifest.codec}")

    @classmethod
    def load(cls, folder: str | Path = SHIPPED / "reader", threads: int = 1) -> Reader:
        """Raises BundleError when the bundle does not fit."""
        manifest, model = load_manifest(folder, "reader")
        return cls(manifest, Interpreter(model, manifest.name, threads))

    def infer(self, picture: Luma) -> npt.NDArray[np.int8]:
        """Raw int8 logits (steps, 37) for a picture of exactly the network's size."""
        (output,) = self._net.run(quantize_luma(picture, self._table)[None, :, :, None])
        return np.asarray(output).reshape(-1, CLASSES)

    def decode(self, raw: npt.NDArray[np.int8]) -> PlateRead:
        """What `infer` gave, as a read."""
        logits = self._net.scales_out[0].dequantize(raw) / np.float32(self.manifest.temperature)
        return replace(reader_codec.decode(logits), logits=logits)

    def read_input(self, picture: Luma) -> PlateRead:
        """Read a picture that `edge.vision.rectify.reader_input` made."""
        return self.decode(self.infer(picture))

    def read(self, luma: Luma, quad: Quad, lines: int = 1) -> PlateRead:
        """Read the plate inside `quad` of a (H, W) uint8 frame. The reader finds the number of lines itself; `lines` is the detector's opinion."""
        return self._look_twice(luma, quad, self.manifest.margin, 0.0)

    def read_crop(self, luma: Luma) -> PlateRead:
        """Read a picture that is one plate, perhaps with a margin."""
        whole = Quad.from_box(Box(0.0, 0.0, float(luma.shape[1]), float(luma.shape[0])))
        return self._look_twice(luma, whole, 0.0, -self.manifest.margin)

    def _look_twice(self, luma: Luma, quad: Quad, margin: float, closer: float) -> PlateRead:
        """Read with `margin` around the plate; when unsure once more, `closer`, and keep the surer of the two reads."""
        width, height = self.manifest.width, self.manifest.height
        read = self.read_input(reader_input(luma, quad, width, height, margin))
        if read.confidence >= SURE:
            return read
        again = self.read_input(reader_input(luma, quad, width, height, closer))
        return again if again.confidence > read.confidence else read
