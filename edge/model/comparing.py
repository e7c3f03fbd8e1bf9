"""Two readers on the same plates: those whose pictures the event store has. A process of its own, which tells how far it is and can be cancelled.

`python -m edge.model.comparing '{"store", "one", "other", "most", "out"}'`; `out` holds {"v": 1, "state": "running" | "done" | "failed" | "cancelled",
"pid", "one", "other", "done", "total", "sentence", "result"}. Nothing in it leaves the device: texts and events' ids are for the page alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import PlatewatchError, StoreError
from edge.model.chore import Chore, write
from edge.records import Quad

NAME = "comparison.json"
MOST_CROPS, MOST_SHOWN = 2000, 200
MARGIN = 0.15
"""Of the plate's size, around it on its picture (`edge.pipeline.CROP_MARGIN`)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture of a plate, where the plate is in it, and its true text where a person said so ('' where nobody did)."""

    event: str
    jpeg: bytes
    quad: Quad
    truth: str


def samples(store: Path, most: int) -> Iterator[Sample]:
    """The newest events with pictures, labelled ones first. Raises StoreError."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=2.0)) as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            columns = {row[1] for row in db.execute("PRAGMA table_info(crops)")}
            where = "crops.x, crops.y" if {"x", "y"} <= columns else "NULL, NULL"
            labels = "labels.text, labels.verdict" if "labels" in tables else "NULL, NULL"
            join = "LEFT JOIN labels ON labels.event = events.id" if "labels" in tables else ""
            order = "labels.text IS NULL, events.seq DESC" if "labels" in tables else "events.seq DESC"
            asked = f"SELECT events.id, events.json, crops.jpeg, {where}, {labels} FROM events JOIN crops ON crops.event = events.id {join} ORDER BY {order}"
            for id, told, jpeg, x, y, text, verdict in db.execute(f"{asked} LIMIT ?", (most,)):
                yield Sample(id, jpeg, _inside(json.loads(told)["quad"], x, y), "" if text is None or verdict == "not a plate" else str(text))
    except (sqlite3.Error, KeyError, ValueError) as error:
        raise StoreError(f"{store}: cannot be read ({error})") from None


def _inside(points: Any, x: int | None, y: int | None) -> Quad:
    """A plate of the frame in pixels of its picture, which begins at `x`, `y`, or where it was cut out."""
    box = Quad.from_array(points).box
    left = max(0, int(box.x0 - MARGIN * box.width)) if x is None else x
    top = max(0, int(box.y0 - MARGIN * box.height)) if y is None else y
    return Quad.from_array([(px - left, py - top) for px, py in points])


def compare(one: Path, other: Path, found: Iterator[Sample], tell: Callable[[int], None]) -> dict[str, Any]:
    """Agreement in shares of the plates, and what they differ in; where a person said what is true, who is right how often, and who alone."""
    from edge.errors import ImageError
    from edge.model.reader import Reader
    from edge.vision.image import decode_image

    readers = [Reader.load(folder) for folder in (one, other)]
    plates = alike = broken = labelled = 0
    right, alone, differing = [0, 0], [0, 0], list[dict[str, Any]]()
    for number, sample in enumerate(found, start=1):
        tell(number)
        try:
            luma, _ = decode_image(sample.jpeg, sample.event)
        except ImageError:
            broken += 1
            continue
        reads = [reader.read_crop(luma, sample.quad) for reader in readers]
        plates += 1
        alike += reads[0].text == reads[1].text
        if sample.truth:
            labelled += 1
            hits = [read.text == sample.truth for read in reads]
            right = [count + hit for count, hit in zip(right, hits, strict=True)]
            alone = [count + (hit and not all(hits)) for count, hit in zip(alone, hits, strict=True)]
        if reads[0].text != reads[1].text and len(differing) < MOST_SHOWN:
            texts, sure = [read.text for read in reads], [round(read.confidence, 3) for read in reads]
            differing.append({"event": sample.event, "texts": texts, "confidences": sure, "truth": sample.truth})
    return {
        "plates": plates, "alike": alike, "agreement": round(alike / plates, 4) if plates else None, "unreadable": broken, "labelled": labelled,
        "right": right, "alone": alone, "differing": differing,
    }  # fmt: skip


class Comparison(Chore):
    """The page's hand on it: one at a time in a runtime folder."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / NAME, "edge.model.comparing", "a comparison")

    def start(self, store: Path, one: Path, other: Path, most: int = 500) -> None:
        """Raises ConfigError where one is under way."""
        order = {"store": str(store), "one": str(one), "other": str(other), "most": min(max(most, 1), MOST_CROPS)}
        self.begin(order, {"one": one.name, "other": other.name, "done": 0, "total": 0})


def main(order: dict[str, Any]) -> int:
    """The process."""
    out, one, other = Path(order["out"]), Path(order["one"]), Path(order["other"])
    told: dict[str, Any] = {"state": "running", "pid": os.getpid(), "one": one.name, "other": other.name, "done": 0, "total": 0}
    try:
        found = list(samples(Path(order["store"]), order["most"]))
        told["total"] = len(found)

        def tell(number: int) -> None:
            if number % 10 == 1:
                told["done"] = number - 1
                write(out, told)

        result = compare(one, other, iter(found), tell)
        sentence = f"{result['alike']} of {result['plates']} plates are read alike" if result["plates"] else "no event has a picture to compare on"
        write(out, told | {"state": "done", "done": len(found), "result": result, "sentence": sentence})
    except PlatewatchError as error:
        write(out, told | {"state": "failed", "sentence": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
