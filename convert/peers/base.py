"""What a peer is, and what it says about a photograph. All sides are asked and answer in the same way, Platewatch too."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge.errors import PlatewatchError

Picture = npt.NDArray[np.uint8]
"""(H, W, 3) uint8 BGR, as `edge.vision.image.load_image` gives it. A peer may write into it."""


class PeerError(PlatewatchError):
    """A peer cannot be loaded or asked as it is; the sentence says what to mend."""


class Nonsense(PlatewatchError, ValueError):
    """An answer that no recogniser should give: boxes that are no numbers, scores outside 0..1."""


@dataclass(frozen=True, slots=True)
class Report:
    """One plate in a photograph. `box` is x0, y0, x1, y1 in its pixels; `score` and `confidences` (a character's each, or none) are 0..1.

    `told`: the peer would report it to its user; others only serve average precision and are not read.
    """

    box: tuple[float, float, float, float]
    score: float
    told: bool
    text: str = ""
    confidences: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """One file of weights; `bytes` is its size."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class About:
    """Who is asked. `threshold` is the score from which it reports; `versions` are those of its packages; `finds` False: a reader alone."""

    name: str
    models: tuple[Model, ...]
    threshold: float
    versions: dict[str, str] = field(default_factory=dict)
    finds: bool = True

    @property
    def bytes(self) -> int:
        """Size of all models."""
        return sum(model.bytes for model in self.models)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> About:
        """Of what `dataclasses.asdict` made."""
        return cls(**(row | {"models": tuple(Model(**model) for model in row["models"])}))


class Peer(Protocol):
    """A recogniser. Both calls are timed, and take what it takes from pixels to text; whatever they raise counts against the one photograph."""

    about: About

    def scene(self, picture: Picture) -> Sequence[Report]:
        """All plates in a photograph."""

    def crop(self, picture: Picture) -> Report | None:
        """What stands on the one plate that the picture is, perhaps with a margin; None when nothing is legible."""


def model_of(path: Path) -> Model:
    """Raises PeerError when the file cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PeerError(f"{path}: cannot be read ({error.strerror}); name the file of a model") from None
    return Model(path.name, len(content), hashlib.sha256(content).hexdigest())


def checked(reports: Iterable[Report]) -> list[Report]:
    """Plain numbers, best first. Raises Nonsense."""
    rows = []
    for one in reports:
        box, score, sure = tuple(map(float, one.box)), float(one.score), tuple(map(float, one.confidences))
        if len(box) != 4 or not all(map(math.isfinite, box)):
            raise Nonsense(f"a box of {list(box)}")
        if not 0.0 <= score <= 1.0 + 1e-6:
            raise Nonsense(f"a score of {score}")
        if not all(0.0 <= value <= 1.0 + 1e-6 for value in sure):
            raise Nonsense("a character's confidence outside 0..1")
        if not isinstance(one.text, str):
            raise Nonsense(f"a text that is a {type(one.text).__name__}")
        rows.append(Report((box[0], box[1], box[2], box[3]), min(score, 1.0), bool(one.told), one.text, tuple(min(value, 1.0) for value in sure)))
    return sorted(rows, key=lambda one: -one.score)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one side made of one photograph: its reports, best first, and the time it took, or why there are none (`failure`, and no time).

    `peak_mb` is the most memory its process has held so far, MiB; 0 where the system does not tell.
    """

    reports: tuple[Report, ...] = ()
    ms: float | None = None
    failure: str | None = None
    peak_mb: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For a line of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Answer:
        """Of what `as_json` made."""
        reports = tuple(Report(tuple(one["box"]), one["score"], one["told"], one["text"], tuple(one["confidences"])) for one in row["reports"])
        return cls(reports, row["ms"], row["failure"], row["peak_mb"])
