"""What a manifest calls the layouts that this version knows. Without NumPy: the page reads manifests, and runs no network."""

from __future__ import annotations

NORMALISATION = "(luma - 128) / 128"
QUADS = "quad-s8-v1"
ROWS, SLOTS = "ctc-rows-v1", "slots-v1"
READERS = (ROWS, SLOTS)
