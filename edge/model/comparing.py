"""Two readers on the same plates: those whose pictures the event store has. A process of its own, which tells how far it is and can be cancelled.

`python -m edge.model.comparing '{"store", "one", "other", "most", "out"}'`; `out` holds {"v": 1, "state": "running" | "done" | "failed" | "cancelled",
"pid", "one", "other", "done", "total", "sentence", "result"}. Nothing in it leaves the device: texts and events' ids are for the page alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import ConfigError, PlatewatchError, StoreError
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
    """Agreement in shares of the plates, and what they differ in; where a person said what is true, who is right how often."""
    from edge.errors import ImageError
    from edge.model.reader import Reader
    from edge.vision.image import decode_image

    readers = [Reader.load(folder) for folder in (one, other)]
    plates = alike = broken = labelled = 0
    right, differing = [0, 0], list[dict[str, Any]]()
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
            right = [count + (read.text == sample.truth) for count, read in zip(right, reads, strict=True)]
        if reads[0].text != reads[1].text and len(differing) < MOST_SHOWN:
            texts, sure = [read.text for read in reads], [round(read.confidence, 3) for read in reads]
            differing.append({"event": sample.event, "texts": texts, "confidences": sure, "truth": sample.truth})
    return {
        "plates": plates, "alike": alike, "agreement": round(alike / plates, 4) if plates else None, "unreadable": broken, "labelled": labelled,
        "right": right, "differing": differing,
    }  # fmt: skip


class Comparison:
    """The page's hand on it: one at a time in a runtime folder."""

    def __init__(self, directory: Path) -> None:
        self._out = directory / NAME
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, store: Path, one: Path, other: Path, most: int = 500) -> None:
        """Raises ConfigError where one is under way."""
        if self.state().get("state") == "running":
            raise ConfigError("a comparison is under way already; wait for it or cancel it")
        order = {"store": str(store), "one": str(one), "other": str(other), "most": min(max(most, 1), MOST_CROPS), "out": str(self._out)}
        root = str(Path(__file__).parents[2])
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))}
        environment = {name: value for name, value in environment.items() if name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}
        words = ["nice", "-n", "15", sys.executable, "-m", "edge.model.comparing", json.dumps(order)]
        _write(self._out, {"state": "running", "pid": 0, "one": one.name, "other": other.name, "done": 0, "total": 0})
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        _write(self._out, self._told() | {"pid": self._process.pid})

    def state(self) -> dict[str, Any]:
        """What `out` holds; {} where there never was one. One whose process has died is told as failed."""
        told = self._told()
        if self._process is not None and told.get("state") != "running":
            with contextlib.suppress(subprocess.TimeoutExpired):  # it has said its last word
                self._process.wait(2.0)
        alive = self._process is not None and self._process.poll() is None
        if told.get("state") == "running" and not alive and not _is_ours(int(told.get("pid") or 0)):
            return self._told() if self._told().get("state") != "running" else told | {"state": "failed", "sentence": "the comparison was broken off"}
        return told

    def cancel(self) -> None:
        """Whatever it had found is thrown away."""
        told = self.state()
        if told.get("state") != "running":
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(int(told["pid"]), signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5.0)
        _write(self._out, told | {"state": "cancelled", "sentence": "cancelled"})

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self._out.read_bytes())
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}


def _is_ours(pid: int) -> bool:
    """Of a comparison that another process of the page has started."""
    try:
        return pid > 0 and b"edge.model.comparing" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _write(out: Path, told: dict[str, Any]) -> None:
    fresh = out.with_name(f".{out.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"v": 1} | told, file, ensure_ascii=False)
    os.replace(fresh, out)


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
                _write(out, told)

        result = compare(one, other, iter(found), tell)
        sentence = f"{result['alike']} of {result['plates']} plates are read alike" if result["plates"] else "no event has a picture to compare on"
        _write(out, told | {"state": "done", "done": len(found), "result": result, "sentence": sentence})
    except PlatewatchError as error:
        _write(out, told | {"state": "failed", "sentence": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
