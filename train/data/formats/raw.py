"""What an importer gives: pictures and plates as somebody wrote them down. Nothing is checked yet: that is `train.data.prepare.check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import PlatewatchError

Point = tuple[float, float]
Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1."""


class FormatError(PlatewatchError, ValueError):
    """A folder of labels cannot be imported as it is."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of a label, a plate or a picture. `reason` is a key of `train.data.formats.reasons.REASONS`.

    place     the label file, with its line where it has lines
    picture   the picture, relative to the folder given
    detail    figures or names for this one
    """

    reason: str
    place: str
    picture: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RawPlate:
    """One plate. Without `box` and `polygon` it is the whole picture.

    box       px, or fractions of the picture's width and height where the picture says `unit`
    polygon   the outline, any number of points; `ordered` says four corners, clockwise from the top-left one as the plate is read
    text      as written, separators and all; None where nobody wrote it down
    extra     keys of the native format to carry along
    """

    box: Corners | None = None
    polygon: tuple[Point, ...] = ()
    ordered: bool = False
    text: str | None = None
    lines: int = 0
    country: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawImage:
    """One picture with its labels.

    place     the label file, with its line where it has lines
    size      (width, height) px that the labels were drawn on; None where the format does not say
    unit      boxes are fractions, 0..1
    kin       names of what it must stay together with in a split, besides its session: a clip, a scene, the original of an augmented copy
    """

    path: Path
    place: str
    plates: tuple[RawPlate, ...] = ()
    size: tuple[int, int] | None = None
    unit: bool = False
    source: str | None = None
    country: str | None = None
    session: str | None = None
    crop: bool = False
    negative: bool = False
    ignored: tuple[Corners, ...] = ()
    kin: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user said about labels that do not say it themselves. `plate_classes`: names of the classes that are plates."""

    plate_classes: tuple[str, ...] = ()


Imported = Iterator[RawImage | Remark]


def around(box: tuple[float, float, float, float]) -> Corners:
    """x, y, width, height -> x0, y0, x1, y1."""
    x, y, width, height = box
    return x, y, x + width, y + height
