"""Contact sheets of the plates that one side reads and the other does not: where a difference comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from convert.peers.comparison import Comparison, SideFigures
from convert.peers.judge import is_right, readings
from edge.vision.alphabet import normalise
from train.evaluation.sheets import Example, write_sheet

AT_MOST = 96


def write_disagreements(found: Comparison, folder: Path) -> list[Path]:
    """For each peer `NAME-first-alone.jpg` and `NAME-peer-alone.jpg`; none where there is nothing to show. Real plates are in them: personal data."""
    written = []
    first = found.sides[0]
    for number, side in enumerate(found.sides[1:], start=1):
        name = normalise(side.about.name).lower() or str(number)
        for alone, other, words in ((first, side, "first-alone"), (side, first, "peer-alone")):
            path = write_sheet(list(differing(alone, other))[:AT_MOST], folder / f"{number}-{name}-{words}.jpg")
            if path is not None:
                written.append(path)
    return written


def differing(right: SideFigures, wrong: SideFigures) -> Iterator[Example]:
    """Plates that the one reads exactly and the other does not."""
    for one, other in zip(right.cases, wrong.cases, strict=True):
        for (plate, read), (_, said) in zip(readings(one), readings(other), strict=True):
            if is_right(plate, read) and not is_right(plate, said):
                words = f"{plate.text} > {'(nothing)' if said is None else said or '-'}"
                yield Example(one, plate.box, "misread", other.looks[0].read.confidence if other.looks else 0.0, words)
