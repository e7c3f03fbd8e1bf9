"""The golden self-test: the same int8 outputs on every machine whose runtime works as it should.

LiteRT with XNNPACK gives the same bytes on x86 and on every 64-bit Raspberry Pi; without XNNPACK the last steps differ. So a hash over
the outputs for a fixed picture tells whether this device computes what was measured, and whether its fast path is on.
"""

from __future__ import annotations

import hashlib

import numpy as np

from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.records import Luma


def probe_picture(width: int, height: int) -> Luma:
    """(height, width) uint8 of integer arithmetic alone: light falling off, bars like glyphs, grain."""
    y, x = np.mgrid[0:height, 0:width].astype(np.uint32)
    light = (x * 255 // width + y * 127 // height) // 2
    bars = np.where((x * 29 // width + y * 3 // height) % 3 == 0, 90, 0).astype(np.uint32)
    grain = ((x * 1664525 + y * 1013904223 + x * y * 69069) >> 13) % 31
    return np.asarray((light + bars + grain) % 256, dtype=np.uint8)


def golden(model: Detector | Reader) -> str:
    """sha256 over the int8 outputs for the test picture and its negative."""
    digest = hashlib.sha256()
    picture = probe_picture(model.manifest.width, model.manifest.height)
    for one in (picture, np.asarray(255 - picture, dtype=np.uint8)):
        raw = model.infer(one)
        for values in [raw[name] for name in sorted(raw)] if isinstance(raw, dict) else [raw]:
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
