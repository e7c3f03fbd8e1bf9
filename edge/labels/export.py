"""Labels as a folder that training takes as it is, or as a zip of one: docs/data-format.md."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.labels.book import picture
from edge.labels.corners import box_in_crop
from edge.labels.label import Label
from edge.store import Store

SOURCE = "corrections"
CHUNK = 64 * 1024


def file_of(label: Label) -> str:
    """The picture's place in the folder."""
    return f"images/{label.seq:06d}.jpg"


def row_of(label: Label, source: str = SOURCE) -> dict[str, Any] | None:
    """A line of labels.jsonl, None where there is no picture to learn from."""
    if not label.width:
        return None
    confirmed = label.told.judgement == "confirmed"
    row: dict[str, Any] = {
        "image": file_of(label),
        "width": label.width,
        "height": label.height,
        "source": source,
        # The country was told by what was read: of a text that was read wrongly it is not known.
        "country": label.country.split("-")[0] or None if confirmed else None,
        "session": f"{label.camera} {label.last_seen[:10]}",
        "origin": f"{label.origin} {label.event}",
        "read": label.read,
        "confidence": round(label.confidence, 4),
        "judgement": label.told.judgement,
    }
    if label.told.judgement == "not a plate":
        return row | {"plates": [], "negative": True}
    box = box_in_crop(label.corners, label.width, label.height)
    plate: dict[str, Any] = {"box": [box.x0, box.y0, box.x1, box.y1], "text": label.told.text, "verified": True}
    plate |= {"corners": [list(point) for point in label.corners]} if label.corners else {}
    plate |= {"lines": label.told.lines} if label.told.lines else {}
    return row | {"crop": True, "plates": [plate]}


def write_folder(store: Store, found: Iterable[Label], out: Path, source: str = SOURCE) -> int:
    """Into a new or empty folder; how many pictures. Raises ConfigError where it cannot be written."""
    many = 0
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ConfigError(f"{out}: is there already; name a new folder, so that no other labels are mixed in")
        (out / "images").mkdir(parents=True)
        with (out / "labels.jsonl").open("w", encoding="utf-8") as lines:
            for row, jpeg in _rows(store, found, source):
                (out / row["image"]).write_bytes(jpeg)
                lines.write(json.dumps(row) + "\n")
                many += 1
    except OSError as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    return many


def write_zip(store: Store, found: Iterable[Label], out: Path, source: str = SOURCE) -> int:
    """The same as one file; an unfinished one is never left under its name. Raises ConfigError where it cannot be written."""
    if out.exists():
        raise ConfigError(f"{out}: is there already; name a new file")
    beside = out.with_name(f".{out.name}.part")
    try:
        with beside.open("wb") as file:
            for chunk in stream_zip(store, found, source):
                file.write(chunk)
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"{out}: cannot be written ({error.strerror})") from None
    with zipfile.ZipFile(out) as made:
        return sum(name.endswith(".jpg") for name in made.namelist())


def stream_zip(store: Store, found: Iterable[Label], source: str = SOURCE) -> Iterator[bytes]:
    """The folder `source` as a zip, in pieces, for a download: in memory are one picture and, deflated, the lines so far (some 100 bytes a label)."""
    sink, lines, squeeze = _Sink(), bytearray(), zlib.compressobj()
    with zipfile.ZipFile(sink, "w") as out:  # stored: a JPEG grows no smaller
        for row, jpeg in _rows(store, found, source):
            out.writestr(_entry(f"{source}/{row['image']}", row["session"][-10:]), jpeg)
            lines += squeeze.compress(json.dumps(row).encode() + b"\n")
            yield from sink.taken(CHUNK)
        lines += squeeze.flush()
        spread = zlib.decompressobj()
        with out.open(_entry(f"{source}/labels.jsonl", ""), "w") as file:
            for start in range(0, len(lines), CHUNK // 16):
                file.write(spread.decompress(bytes(lines[start : start + CHUNK // 16])))
                yield from sink.taken(CHUNK)
    yield from sink.taken(0)


def _rows(store: Store, found: Iterable[Label], source: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    for label in found:
        row = row_of(label, source)
        if row is not None and (jpeg := picture(store, label.seq)):
            yield row, jpeg


def _entry(name: str, day: str) -> zipfile.ZipInfo:
    try:
        made = datetime.fromisoformat(day)
        return zipfile.ZipInfo(name, (max(1980, made.year), made.month, made.day, 0, 0, 0))
    except ValueError:
        return zipfile.ZipInfo(name)


class _Sink(io.RawIOBase):
    """Takes what a zip writes, and gives it away; it cannot be sought in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self.waiting += len(data)
        return len(data)

    def taken(self, least: int) -> Iterator[bytes]:
        """Everything so far, where it is at least so much."""
        if self._parts and self.waiting >= least:
            yield b"".join(self._parts)
            self._parts, self.waiting = [], 0
