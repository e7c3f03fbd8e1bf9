"""What a prepared set holds, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.vision.alphabet import ALPHABET
from train.data.prepare.check import Sample
from train.data.prepare.split import SIDES, Split

RARE = 10
"""A character seen less often than this in training is named."""
WIDTHS = (0, 32, 48, 64, 96, 128, 192, 256, 384)
"""px; the last class is open."""


def count(samples: Sequence[Sample], split: Split) -> dict[str, Any]:
    """`statistics.json`: one figure a name, by side, source, country and licence, and histograms of all."""
    train = Counter(char for sample, side in zip(samples, split.side, strict=True) if side == 0 for text in sample.texts for char in text)
    everything = Counter(char for sample in samples for text in sample.texts for char in text)
    plates = [plate for sample in samples for plate in sample.row["plates"]]
    widths = [plate["box"][2] - plate["box"][0] for plate in plates]
    return {
        "v": 1,
        "all": _figures(samples),
        "side": {name: _figures([sample for sample, own in zip(samples, split.side, strict=True) if own == index]) for index, name in enumerate(SIDES)},
        **{key: _by(samples, key) for key in ("source", "country", "licence")},
        "widths_px": {_class(low): sum(_lowest(width) == low for width in widths) for low in WIDTHS},
        "lengths": {str(length): number for length, number in sorted(Counter(len(text) for sample in samples for text in sample.texts).items())},
        "characters": {char: everything[char] for char in ALPHABET},
        "characters_train": {char: train[char] for char in ALPHABET},
        "rare_in_train": [char for char in ALPHABET if 0 < train[char] < RARE],
        "never_in_train": [char for char in ALPHABET if not train[char]],
        "groups": len(split.groups),
        "largest_group": len(split.groups[0]) if split.groups else 0,
    }


def _by(samples: Sequence[Sample], key: str) -> dict[str, dict[str, Any]]:
    groups = defaultdict(list)
    for sample in samples:
        groups[str(sample.row.get(key) or "not said")].append(sample)
    return {name: _figures(own) for name, own in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0]))}


def _figures(samples: Sequence[Sample]) -> dict[str, Any]:
    plates = [plate for sample in samples for plate in sample.row["plates"]]
    widths = [plate["box"][2] - plate["box"][0] for plate in plates]
    lines = Counter(plate.get("lines") for plate in plates)
    return {
        "pictures": len(samples),
        "crops": sum(bool(sample.row.get("crop")) for sample in samples),
        "without_plate": sum(not sample.row["plates"] for sample in samples),
        "plates": len(plates),
        "with_text": sum(bool(plate["text"]) for plate in plates),
        "different_texts": len({plate["text"] for plate in plates if plate["text"]}),
        "with_corners": sum(bool(plate["corners"]) for plate in plates),
        "partial": sum(bool(plate.get("partial") or plate.get("masked")) for plate in plates),
        "one_line": lines[1],
        "two_lines": lines[2],
        "ignored": sum(len(sample.row.get("ignore") or ()) for sample in samples),
        "width_px": [round(float(value), 1) for value in np.percentile(widths, (5, 50, 95))] if widths else None,
        "sessions": len({sample.row["session"] for sample in samples if sample.row.get("session")}),
    }


def _lowest(width: float) -> int:
    return max(low for low in WIDTHS if width >= low)


def _class(low: int) -> str:
    above = [other for other in WIDTHS if other > low]
    return f"{low}-{above[0]}" if above else f"{low}-"
