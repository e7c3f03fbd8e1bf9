"""The same file twice, and pictures that look alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from edge.records import Box
from edge.vision.geometry import iou
from train.data.formats.raw import Remark
from train.data.prepare.check import Sample
from train.data.prepare.facts import GRID

BITS = 48
"""Of the 256 bits of two hashes at most so many may differ,"""
LIKENESS = 0.95
"""and the small pictures must be correlated at least so much: alone, either takes night scenes or plates of one country for each other."""


def same_files(samples: Sequence[Sample]) -> tuple[list[Sample], list[Remark]]:
    """Of each file that is there several times, the sample with the most plates and texts; none where two texts of one plate contradict each other."""
    by_file = defaultdict(list)
    for sample in samples:
        by_file[sample.facts.sha256].append(sample)
    dropped, remarks = set(), []
    for same in by_file.values():
        if len(same) == 1:
            continue
        best = max(same, key=lambda sample: (len(sample.row["plates"]), len(sample.texts)))
        contradicts = any(_contradict(best, other) for other in same)
        for sample in same:
            if contradicts:
                remarks.append(Remark("contradicting labels", sample.place, sample.name, " or ".join(sorted({text for one in same for text in one.texts}))))
            elif sample is not best:
                remarks.append(Remark("same file twice", sample.place, sample.name, f"as {best.name}"))
            if contradicts or sample is not best:
                dropped.add(id(sample))
    return [sample for sample in samples if id(sample) not in dropped], remarks


def _contradict(a: Sample, b: Sample) -> bool:
    """Whether one place has two texts."""
    for one in a.row["plates"]:
        for other in b.row["plates"]:
            if one["text"] and other["text"] and one["text"] != other["text"] and iou(Box(*one["box"]), Box(*other["box"])) > 0.5:
                return True
    return False


def look_alikes(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) of places in `samples`. Plates that are known to bear different texts are never alike, however much they look it."""
    if len(samples) < 2:
        return []
    hashes = np.stack([np.frombuffer(bytes.fromhex(sample.facts.hash), np.uint64) for sample in samples])
    small = np.stack([np.frombuffer(bytes.fromhex(sample.facts.brightness), np.uint8) for sample in samples]).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(small, axis=1)
    small /= np.maximum(norms, 1e-6)[:, None]
    # A spread of less than two grey levels is a black night: there is nothing to know again.
    telling = np.flatnonzero(norms >= GRID * 2.0)
    words, small = np.ascontiguousarray(hashes[telling].T), small[telling]
    pairs = []
    for one in range(len(telling) - 1):
        differing = np.bitwise_count(words[:, one + 1 :] ^ words[:, one : one + 1]).sum(axis=0, dtype=np.uint16)
        near = one + 1 + np.flatnonzero(differing <= BITS)
        pairs += [(int(telling[one]), int(telling[other])) for other in near[small[near] @ small[one] >= LIKENESS]]
    return [(a, b) for a, b in pairs if not _are_two_plates(samples[a], samples[b])]


def _are_two_plates(a: Sample, b: Sample) -> bool:
    return bool(a.texts and b.texts and not set(a.texts) & set(b.texts))
