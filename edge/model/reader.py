"""Reads one plate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import BundleError
from edge.model.confidence import calibrate
from edge.model.manifest import SHIPPED, Manifest, load_manifest
from edge.model.pooling import pool
from edge.model.tflite import Interpreter, Net
from edge.records import Box, Luma, PlateRead, Quad
from edge.vision.alphabet import CLASSES
from edge.vision.quant import quantize_luma
from edge.vision.reader_codec import MAX_LENGTH
from edge.vision.reader_codecs import READER_CODECS, ReaderCodec
from edge.vision.rectify import reader_input

SURE = 0.95
"""A read less sure than this, before calibration, is worth more looks."""
HOPELESS = 0.02
"""Of a read less sure than this more looks make no plate: lettering, grilles, plates too far away."""
WIDER = 0.06
"""How much wider the second look is cut, as a share of the plate's size: where a corner was found too far inside, a character is cut off, and what
is left is read as surely as a whole plate."""


class Reader:
    """The reader of one bundle. A `careful` one looks at every plate at least twice; where many frames vote, once will do for a sure one."""

    def __init__(self, manifest: Manifest, net: Net, careful: bool = True) -> None:
        self.manifest = manifest
        self._careful = careful
        self._codec = READER_CODECS[manifest.codec]
        self._net = net
        self._table = self._net.scale_in.luma_table()
        shapes = self._net.output_shapes
        if self._net.shape != (1, manifest.height, manifest.width, 1) or len(shapes) != 1 or not _fits(self._codec, shapes[0]):
            raise BundleError(f"{manifest.name}: its tensors do not fit the codec {manifest.codec}")

    @classmethod
    def load(cls, folder: str | Path = SHIPPED / "reader", threads: int = 1, careful: bool = True) -> Reader:
        """Raises BundleError when the bundle does not fit."""
        manifest, model = load_manifest(folder, "reader")
        return cls(manifest, Interpreter(model, manifest.name, threads), careful)

    def infer(self, picture: Luma) -> npt.NDArray[np.int8]:
        """Raw int8 logits (steps, 37) for a picture of exactly the network's size."""
        (output,) = self._net.run(quantize_luma(picture, self._table)[None, :, :, None])
        return np.asarray(output).reshape(-1, CLASSES)

    def decode(self, raw: npt.NDArray[np.int8]) -> PlateRead:
        """What `infer` gave, as a read with honest confidences."""
        return calibrate(self._plain(raw), self.manifest.calibration)

    def read_input(self, picture: Luma) -> PlateRead:
        """Read a picture that `edge.vision.rectify.reader_input` made."""
        return self.decode(self.infer(picture))

    def read(self, luma: Luma, quad: Quad, lines: int = 1) -> PlateRead:
        """Read the plate inside `quad` of a (H, W) uint8 frame. `lines` is the detector's opinion, for a reader whose layout does not tell."""
        margin = self.manifest.margin
        read = self._look(luma, [(quad, margin), (quad, margin + WIDER), (quad, 0.0)])
        return read if self._codec.BY_ROW else replace(read, lines=lines)

    def read_crop(self, luma: Luma, quad: Quad | None = None) -> PlateRead:
        """Read a picture that is one plate, perhaps with a margin; `quad` is where the detector sees the plate in it, if it does."""
        whole, margin = Quad.from_box(Box(0.0, 0.0, float(luma.shape[1]), float(luma.shape[0]))), self.manifest.margin
        if quad is None:
            return self._look(luma, [(whole, 0.0), (whole, WIDER), (whole, -margin)])
        return self._look(luma, [(quad, margin), (quad, margin + WIDER), (quad, 0.0), (whole, 0.0)])

    def _look(self, luma: Luma, cuts: list[tuple[Quad, float]]) -> PlateRead:
        """Read the first two cuts, each a quad and the margin around it; where they differ or one is unsure, the others too, and weigh all together.

        A hopeless first read is not followed by any other.
        """
        size = (self.manifest.width, self.manifest.height)
        reads: list[PlateRead] = []
        for quad, margin in cuts:
            reads.append(self._plain(self.infer(reader_input(luma, quad, *size, margin))))
            if reads[0].confidence < HOPELESS:
                break
            enough = len(reads) >= (2 if self._careful else 1)
            if enough and all(read.confidence >= SURE and read.text == reads[0].text for read in reads):
                break
        return calibrate(pool(reads) if len(reads) > 1 else reads[0], self.manifest.calibration)

    def _plain(self, raw: npt.NDArray[np.int8]) -> PlateRead:
        """Decoded, not yet calibrated. Only the logits of a layout by rows travel with the read: the country rules search the paths through those."""
        logits = self._net.scales_out[0].dequantize(raw) / np.float32(self.manifest.temperature)
        return replace(self._codec.decode(logits), logits=logits if self._codec.BY_ROW else None)


def _fits(codec: ReaderCodec, shape: tuple[int, ...]) -> bool:
    """(1, steps, 37): two rows of steps that can hold the longest text each, or so few that they must be slots."""
    steps = shape[1] if len(shape) == 3 else 0
    return shape[0] == 1 and shape[-1] == CLASSES and (steps % 2 == 0 and steps >= 2 * MAX_LENGTH if codec.BY_ROW else 0 < steps < 2 * MAX_LENGTH)
