"""The records that travel through the device. All are values: a hop takes one and returns another.

Coordinates are floats in pixels of the full frame, x to the right, y down, the centre of the top-left pixel at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from edge.shapes import Box as Box
from edge.shapes import Quad as Quad

if TYPE_CHECKING:  # the page has events and no pictures: NumPy would be 11 MB that it does not need
    import numpy as np
    import numpy.typing as npt

    from edge.evidence import Evidence

Luma: TypeAlias = "npt.NDArray[np.uint8]"
"""One-channel picture, (height, width) uint8, full range 0..255."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One plate found in one frame. `score` is 0..1; `lines` is 1 or 2."""

    quad: Quad
    box: Box
    score: float
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Character:
    """One character and the reader's confidence in it, 0..1."""

    char: str
    confidence: float


@dataclass(frozen=True, slots=True)
class PlateRead:
    """What the reader made of one plate. An empty `text` means that nothing legible is there.

    `alternatives` holds, for each character, the runners-up with their confidence, best first. `logits` (steps, 37) float32 is what the text was
    decoded from, calibrated, for whoever knows more about the plate than the reader (`edge.plates`); it takes no part in comparisons.
    """

    text: str
    confidence: float
    characters: tuple[Character, ...]
    lines: int = 1
    alternatives: tuple[tuple[Character, ...], ...] = ()
    logits: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture from a camera.

    luma       (H, W) uint8, full resolution
    seen_at    monotonic seconds: the only clock that durations may use
    camera     the camera's name
    colour     (H, W, 3) uint8 BGR for evidence, or None where the camera gives luma alone
    index      counts the camera's frames from 0, dropped ones included
    overview   (h, w) uint8, the same picture small, for the motion gate; None where nobody made one yet
    let_go     gives the pixels back to the camera, whose own memory they are; None where they are ours
    """

    luma: Luma
    seen_at: float
    camera: str = "camera"
    colour: npt.NDArray[np.uint8] | None = None
    index: int = 0
    overview: Luma | None = field(default=None, compare=False, repr=False)
    let_go: Callable[[], None] | None = field(default=None, compare=False, repr=False)

    def release(self) -> None:
        """The pixels are needed no more; the camera may fill them anew, and nobody may look at them."""
        if self.let_go is not None:
            self.let_go()

    @property
    def picture(self) -> npt.NDArray[np.uint8]:
        """What to show or keep: colour where there is some, else luma."""
        return self.luma if self.colour is None else self.colour


@dataclass(frozen=True, slots=True)
class Sighting:
    """One plate in one frame: where it was, what was read, and how good the look was.

    `glare` is the share of its pixels that are burnt out; `excluded` when it was outside the region that is watched. `crop_at` is the crop's top-left
    corner in the frame, pixels. `scene_jpeg` is the whole frame, where frames are kept.
    """

    detection: Detection
    read: PlateRead
    seen_at: float
    sharpness: float = 0.0
    glare: float = 0.0
    crop: npt.NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    excluded: bool = False
    scene_jpeg: bytes = field(default=b"", compare=False, repr=False)
    crop_at: tuple[int, int] = field(default=(0, 0), compare=False)


Direction = Literal["approaching", "leaving", "left", "right", "unknown"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a country's format made of a text: the pattern, the nats of evidence that it cost, and how far behind the next text that fits was."""

    format: str
    cost: float
    margin: float


@dataclass(frozen=True, slots=True)
class Match:
    """A plate of a list that a text was taken for. `distance` 0 is the very text; `due` is false outside the entry's dates and times."""

    list: str
    kind: Literal["allow", "deny", "ignore"]
    plate: str
    label: str = ""
    group: str = ""
    distance: float = 0.0
    due: bool = True


@dataclass(frozen=True, slots=True)
class Pass:
    """A plate that is in view and believed, as the gate sees it. `id` is that of its event; `in_view_s` counts from the first look at it."""

    id: str
    text: str
    confidence: float
    agreeing: int
    direction: Direction
    in_view_s: float
    match: Match | None


@dataclass(frozen=True, slots=True)
class Event:
    """One pass of one vehicle: the only record that leaves the device. `id` is idempotent; times are UTC, ISO 8601.

    A `preview` comes while the vehicle is still there and is replaced by the event of the same id. `raw_text` is what the looks said before the
    country's rules, `rule` what those did (None: nothing). `dwell_s` is the longest time that the plate stood still. `crop_at` is the crop's top-left
    corner in the frame; it and the `evidence`, the looks behind the vote, stay on the device.
    """

    id: str
    camera: str
    text: str
    confidence: float
    characters: tuple[Character, ...]
    first_seen: str
    last_seen: str
    duration_s: float
    looks: int
    agreeing: int
    lines: int
    country: str | None
    detection_score: float
    quad: Quad
    crop_jpeg: bytes = field(default=b"", repr=False)
    v: int = 1
    preview: bool = False
    raw_text: str = ""
    rule: Rule | None = None
    direction: Direction = "unknown"
    dwell_s: float = 0.0
    match: Match | None = None
    frame_jpeg: bytes = field(default=b"", repr=False)
    crop_at: tuple[int, int] | None = field(default=None, compare=False, repr=False)
    evidence: Evidence | None = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The event without its picture, ready for `json.dumps`."""
        return {
            "v": self.v,
            "id": self.id,
            "camera": self.camera,
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "characters": [{"char": c.char, "confidence": round(c.confidence, 4)} for c in self.characters],
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "duration_s": round(self.duration_s, 3),
            "looks": self.looks,
            "agreeing": self.agreeing,
            "lines": self.lines,
            "country": self.country,
            "detection_score": round(self.detection_score, 4),
            "quad": [[round(x, 1), round(y, 1)] for x, y in self.quad.points],
            "preview": self.preview,
            "raw_text": self.raw_text or self.text,
            "rule": None if self.rule is None else {"format": self.rule.format, "cost": round(self.rule.cost, 2), "margin": round(self.rule.margin, 2)},
            "direction": self.direction,
            "dwell_s": round(self.dwell_s, 3),
            "match": None if self.match is None else asdict(self.match),
        }
