"""From a picture as imported to a row of the native format, or the reason why it cannot be one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.records import Box
from edge.vision.geometry import clip
from train.data.formats.raw import Corners, Point, RawImage, RawPlate, Remark
from train.data.prepare.facts import Facts
from train.data.prepare.places import LEAST_SIDE, place, turned
from train.data.prepare.texts import clean

ODD = (0.6, 9.0)
"""Width of a plate over its height; outside, it is worth a look."""
_CLIP = re.compile(r"^(.+\.(?:mp4|avi|mov|mkv|m4v|webm|ts))(?:[#_ -].*)?$", re.IGNORECASE)
_AUGMENTED = re.compile(r"^(.+?)(?:_(?:jpe?g|png|webp|bmp))?\.rf\.[0-9A-Za-z]{8,}$")


@dataclass(frozen=True, slots=True)
class Told:
    """What the user says of a folder, for labels that do not say it themselves.

    exif      "upright" or "stored": on which side up boxes were drawn where neither their format nor the picture tells
    session   "keep", "none", or a regular expression whose match in a picture's path is its session
    """

    name: str
    source: str | None = None
    licence: str | None = None
    country: str | None = None
    exif: str = "upright"
    session: str = "keep"


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture that may be used: its row of the native format (but for `image`), and the names of all that it must stay together with."""

    path: Path
    name: str
    place: str
    row: dict[str, Any]
    facts: Facts
    ties: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        return [plate["text"] for plate in self.row["plates"] if plate["text"]]


def check(raw: RawImage, name: str, facts: Facts, told: Told) -> tuple[Sample | None, list[Remark]]:
    """`name` is the picture's path from the folder given. Without a Sample the picture is dropped, and a remark says why."""

    def remark(reason: str, detail: str = "") -> None:
        remarks.append(Remark(reason, raw.place, name, detail))

    remarks: list[Remark] = []
    to_px = _Frame.of(raw, facts, told.exif)
    if to_px is None:
        remark("size differs", f"{raw.size[0]}x{raw.size[1]} in the label, {facts.width}x{facts.height} the picture" if raw.size else "")
        return None, remarks
    if to_px.reason and raw.plates:
        remark(to_px.reason)
    plates: list[dict[str, Any]] = []
    ignored = [[round(value, 2) for value in to_px.box(box)] for box in raw.ignored]
    country = raw.country or told.country
    for plate in raw.plates:
        row, reasons, hidden = _plate(plate, to_px, facts, country)
        for reason, detail in reasons:
            remark(reason, detail)
        if row:
            plates.append(row)
        elif hidden is not None:
            ignored.append(hidden)
    if raw.plates and not plates:
        remark("no usable plate")
        return None, remarks
    if raw.crop and not any(plate["text"] for plate in plates):
        remark("no text")
        return None, remarks
    session = _session(raw, name, told.session)
    row = {
        "width": facts.width, "height": facts.height, "source": raw.source or told.source or told.name, "country": country, "plates": plates,
        **({"ignore": ignored} if ignored else {}), **({"crop": True} if raw.crop else {}), **({"negative": True} if raw.negative and not plates else {}),
        **({"session": session} if session else {}), **({"licence": told.licence} if told.licence else {}), "origin": f"{told.name}/{name}", **raw.extra,
    }  # fmt: skip
    return Sample(raw.path, name, raw.place, row, facts, _ties(raw, session, plates, told.name, facts.sha256)), remarks


def _plate(plate: RawPlate, to_px: _Frame, facts: Facts, country: str | None) -> tuple[dict[str, Any] | None, list[tuple[str, str]], list[float] | None]:
    """The plate's row; (reason, detail) of all that was found; where the place alone is known, the box to ignore."""
    box = to_px.box(plate.box) if plate.box else None
    polygon = tuple(map(to_px.point, plate.polygon))
    found = place(box, polygon, plate.ordered and not to_px.turns, facts.width, facts.height)
    numbers = " ".join(f"{value:.4g}" for value in box) if box else ""
    reasons = [(reason, numbers) for reason in found.reasons]
    if found.box is None:
        rest = clip(Box(*box), facts.width, facts.height) if box else None
        hidden = rest and rest.width >= LEAST_SIDE and rest.height >= LEAST_SIDE
        return None, reasons, [rest.x0, rest.y0, rest.x1, rest.y1] if rest and hidden else None
    text = clean(plate.text)
    reasons += [(reason, plate.text or "") for reason in text.reasons]
    words = text.text
    if words and found.seen < 0.9:
        words = None
        reasons.append(("plate cut off", f"{100 * found.seen:.0f} % inside"))
    across = found.box.width / found.box.height
    if not ODD[0] <= across <= ODD[1]:
        reasons.append(("odd shape", f"{found.box.width:.0f}x{found.box.height:.0f}"))
    row: dict[str, Any] = {"box": [round(value, 2) for value in (found.box.x0, found.box.y0, found.box.x1, found.box.y1)]}
    row |= {"corners": [[round(x, 2), round(y, 2)] for x, y in found.corners] if found.corners else None, "text": words}
    if plate.lines:
        row["lines"] = plate.lines
    if plate.country and plate.country != country:
        row["country"] = plate.country
    return row | plate.extra | ({"partial": True} if words and text.partial else {}), reasons, None


@dataclass(frozen=True, slots=True)
class _Frame:
    """The way from a label's numbers to px of the upright picture: scaled, then turned."""

    across: float
    down: float
    turns: int
    stored: tuple[int, int]
    reason: str = ""

    @classmethod
    def of(cls, raw: RawImage, facts: Facts, exif: str) -> _Frame | None:
        """None where the label's size does not fit the picture."""
        upright = (facts.width, facts.height)
        turns = facts.orientation if exif == "stored" else 1
        unknown = "orientation unknown" if facts.orientation > 1 else ""
        if raw.unit:
            wide, high = facts.stored if turns > 1 else upright
            return cls(wide, high, turns, facts.stored, unknown)
        if raw.size is None or not raw.plates or facts.stored == upright == raw.size:
            return cls(1.0, 1.0, turns, facts.stored, unknown)
        for size, orientation in ((upright, 1), (facts.stored, facts.orientation)):
            across, down = size[0] / raw.size[0], size[1] / raw.size[1]
            if abs(across / down - 1) < 0.01 or (abs(size[0] - raw.size[0]) <= 1 and abs(size[1] - raw.size[1]) <= 1):
                reason = "turned" if orientation > 1 else "" if size == raw.size else "scaled"
                return cls(across, down, orientation, facts.stored, reason)
        return None

    def point(self, point: Point) -> Point:
        return turned((point[0] * self.across, point[1] * self.down), self.turns, *self.stored)

    def box(self, box: Corners) -> Corners:
        """Stays in the order of its corners unless it is turned: an exchanged one is to be told of."""
        (ax, ay), (bx, by) = self.point((box[0], box[1])), self.point((box[2], box[3]))
        return (ax, ay, bx, by) if self.turns == 1 else (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))


def _session(raw: RawImage, name: str, told: str) -> str | None:
    """The label's own, else the clip that a frame was taken from, else what the user's expression finds in the path."""
    if told == "none":
        return None
    if told == "keep":
        clip_of = _CLIP.match(raw.path.stem)
        return str(raw.session) if raw.session else clip_of[1] if clip_of else None
    found = re.search(told, name)
    return (found[1] if found.lastindex else found[0]) if found else None


def _ties(raw: RawImage, session: str | None, plates: list[dict[str, Any]], folder: str, sha256: str) -> tuple[str, ...]:
    """What a split must not part. O and 0 count as one: many labels write either for the other."""
    texts = sorted({plate["text"].replace("O", "0") for plate in plates if plate["text"]})
    original = _AUGMENTED.match(raw.path.stem)
    return (
        f"file {sha256}", *(f"text {text}" for text in texts), *([f"session {folder}/{session}"] if session else []),
        *(f"picture {folder}/{kin}" for kin in (*raw.kin, *([original[1]] if original else []))),
    )  # fmt: skip
