"""What a person said about a plate that the device saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from edge.errors import PlatewatchError

Judgement = Literal["confirmed", "corrected", "not a plate"]
JUDGEMENTS: tuple[str, ...] = get_args(Judgement)
Corners = tuple[tuple[float, float], ...]
TOLD = "labels.verdict, labels.text, labels.lines, labels.by, labels.at"
COLUMNS = (
    f"labels.seq, labels.event, labels.origin, {TOLD}, labels.read, labels.confidence, labels.camera, labels.last_seen, labels.list, labels.country, "
    "labels.direction, labels.width, labels.height, labels.corners"
)


class LabelError(PlatewatchError):
    """Something cannot be labelled as it was asked."""


@dataclass(frozen=True, slots=True)
class Told:
    """`text` is what the plate says, '' where there is none; `lines` 1 or 2, 0 where nobody said; `at` is UTC, ISO 8601."""

    judgement: Judgement
    text: str
    lines: int
    by: str
    at: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Label:
    """A label with all that training needs but the picture itself; it outlives its event.

    event      the event's id, or the name of a picture in the gallery (`origin` "unread")
    read       what the device had read, `confidence` how sure it was; '' and 0 where it had not
    width      of the crop, pixels, as `height`; 0 where there is none
    corners    of the plate in the crop, clockwise from its top-left; None where they are not known
    """

    seq: int
    event: str
    origin: Literal["event", "unread"]
    told: Told
    read: str
    confidence: float
    camera: str
    last_seen: str
    list: str
    country: str
    direction: str
    width: int
    height: int
    corners: Corners | None

    @property
    def right(self) -> bool:
        """Had the device read just this?"""
        return self.told.judgement != "not a plate" and self.read == self.told.text

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"right": self.right}


def told_of(columns: Sequence[Any]) -> Told | None:
    """From the columns TOLD; None where there is no label."""
    judgement, text, lines, by, at = columns
    return None if judgement is None else Told(cast(Judgement, judgement), text, lines, by, at)


def label_of(columns: Sequence[Any]) -> Label:
    """From the columns COLUMNS."""
    told = told_of(columns[3:8])
    assert told is not None
    corners = None if columns[-1] is None else tuple((x, y) for x, y in json.loads(columns[-1]))
    return Label(*columns[:3], told, *columns[8:-1], corners)  # type: ignore[call-arg]  # mypy does not count columns


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a JPEG, pixels; 0 and 0 of anything else."""
    place = 2
    while jpeg[:2] == b"\xff\xd8" and place + 9 < len(jpeg) and jpeg[place] == 0xFF:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a start of frame, and no table
            return int.from_bytes(jpeg[place + 7 : place + 9], "big"), int.from_bytes(jpeg[place + 5 : place + 7], "big")
        place += 2 + length
    return 0, 0
