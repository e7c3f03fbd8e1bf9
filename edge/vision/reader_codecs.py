"""The output layouts of readers, by the name that a manifest gives."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.records import PlateRead
from edge.vision import reader_codec, slots_codec


class ReaderCodec(Protocol):
    """What a module of a layout has. `BY_ROW`: the layout tells the plate's rows apart, so a read knows its number of lines."""

    NAME: str
    BY_ROW: bool

    def decode(self, logits: npt.NDArray[np.float32], runners_up: int = 2) -> PlateRead:
        """Logits (steps or slots, 37) float32 -> what was read."""


READER_CODECS: dict[str, ReaderCodec] = {codec.NAME: codec for codec in (reader_codec, slots_codec)}
