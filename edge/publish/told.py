"""What a dialect is given: one event as it left the judge, its picture, and where it was seen. Pure values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Site:
    """The device that tells. `node` is its name among others (a-z, 0-9, `-`); width and height are those of a frame, 0 where unknown."""

    camera: str = "camera"
    node: str = "platewatch"
    version: str = ""
    width: int = 0
    height: int = 0
    camera_id: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """An event as JSON (`Event.as_json`), its crop as JPEG or b"", and the crop's path where it was written to a file.

    Or the `withdrawal` of one, of which only `id`, `camera`, `stage` and `key` can be asked.
    """

    row: dict[str, Any]
    site: Site = Site()
    picture: bytes = b""
    picture_file: str = ""
    target: str = ""
    test: bool = False

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def stage(self) -> str:
        return stage(self.row)

    @property
    def key(self) -> str:
        """The same for the same stage of the same event, whenever it is told."""
        return f"{self.id}-{self.stage}"

    @property
    def text(self) -> str:
        return str(self.row["text"])

    @property
    def confidence(self) -> float:
        """0..1"""
        return float(self.row["confidence"])

    @property
    def camera(self) -> str:
        return str(self.row["camera"])

    @property
    def country(self) -> str:
        """Two small letters, or ''."""
        return str(self.row.get("country") or "")

    @property
    def first_seen(self) -> datetime:
        return datetime.fromisoformat(self.row["first_seen"])

    @property
    def last_seen(self) -> datetime:
        return datetime.fromisoformat(self.row["last_seen"])

    @property
    def corners(self) -> list[tuple[int, int]]:
        """Four (x, y) in pixels of the frame, clockwise from the plate's top-left."""
        return [(round(x), round(y)) for x, y in self.row["quad"]]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in pixels of the frame."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def match(self) -> dict[str, Any] | None:
        """The entry of the owner's lists that the plate was taken for (`records.Match` as JSON), or None for a stranger."""
        return match(self.row)

    @property
    def known_as(self) -> str:
        """The name of a known plate, '' for a stranger."""
        return name_of(found["label"], found["plate"]) if (found := self.match) else ""


def stage(row: dict[str, Any]) -> str:
    """preview, final or withdrawn, of an event as JSON."""
    return "withdrawn" if row.get("withdrawn") else "preview" if row.get("preview") else "final"


def withdrawal(id: str, camera: str) -> dict[str, Any]:
    """What is said of a preview that should not have been, its plate being one that is ignored: nothing of the plate."""
    return {"v": 1, "id": id, "camera": camera, "withdrawn": True}


def match(row: dict[str, Any]) -> dict[str, Any] | None:
    """What an event as JSON matched; what is on an ignore list is nobody's acquaintance."""
    found = row.get("match")
    return found if isinstance(found, dict) and found.get("kind") != "ignore" else None


def name_of(label: str, plate: str) -> str:
    """What a known plate is called: its label, else the plate itself."""
    return label or plate


def slug(text: str) -> str:
    """For a topic or an id: small letters, digits and `-`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
