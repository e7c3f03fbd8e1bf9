"""Events as CSV or JSON lines, with their pictures in a folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from edge.errors import ConfigError
from edge.events.query import Found
from edge.evidence import Evidence
from edge.records import Event
from edge.store import Store

COLUMNS = (
    "id", "camera", "text", "confidence", "first_seen", "last_seen", "direction", "country", "list", "kind", "label", "looks", "agreeing", "distance", "crop",
    "text_corrected",
)  # fmt: skip


def row_of(found: Found, crop: str = "") -> dict[str, Any]:
    """One line of CSV."""
    match = found.event.match
    told = found.as_json() | {"list": match.list if match else "", "kind": match.kind if match else "", "label": match.label if match else ""}
    return {name: told.get(name) for name in COLUMNS} | {"distance": round(found.distance, 2), "crop": crop}


def write_csv(out: TextIO, rows: Iterable[dict[str, Any]]) -> None:
    """With a header; what a spreadsheet would take for a formula is marked as text."""
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(
        {name: f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value for name, value in row.items()} for row in rows
    )


def json_line(found: Found, crop: str = "", looks: Evidence | None = None) -> str:
    """As the native dialect tells it, what people said about it, where its picture is, and the looks behind its text."""
    told = found.as_json() | ({"crop": crop} if crop else {}) | ({"evidence": looks.as_json()} if looks else {})
    return json.dumps(told, ensure_ascii=False)


def save_crop(store: Store, event: Event, folder: Path) -> str:
    """The picture's file name in the folder, '' where the event has none; the whole frame, where there is one, lies beside it as `.frame.jpg`.

    Raises ConfigError where the folder cannot be written.
    """
    jpeg = store.crop(event.id)
    if not jpeg:
        return ""
    name = f"{event.last_seen[:19].replace(':', '').replace('-', '')}-{''.join(char for char in event.id if char.isalnum())[:32]}.jpg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg)
        if whole := store.frame(event.id):
            (folder / name).with_suffix(".frame.jpg").write_bytes(whole)
    except OSError as error:
        raise ConfigError(f"--crops {folder}: cannot be written ({error.strerror})") from None
    return name
