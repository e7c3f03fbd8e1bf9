"""What is looked at: three drawn scenes that ship with Platewatch, in two sizes, the same on every machine; or pictures of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.bench.result import SceneFacts
from edge.records import Luma
from edge.vision.image import load_image, resize

FOLDER = Path(__file__).parent.parent / "clips"
COUNTS = (0, 1, 4)
"""Plates in view."""
WIDE, HIGH = 1920, 1080
SIZES = ((1280, 720), (WIDE, HIGH))


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture to measure on; `luma` is (H, W) uint8."""

    facts: SceneFacts
    luma: Luma

    @property
    def name(self) -> str:
        return self.facts.name


def file_name(plates: int) -> str:
    """Of a drawn scene."""
    return f"bench-{plates}.jpg"


def drawn_scenes() -> list[Scene]:
    """Each count of plates in each size, small ones first. The smaller size is made by the device's own resize, which is bit-exact everywhere."""
    pictures = {count: load_image(FOLDER / file_name(count))[0] for count in COUNTS}
    names = {count: f"{count} plate{'' if count == 1 else 's'}" for count in COUNTS}
    return [scene(f"{names[count]}, {width}x{height}", resize(luma, width, height), count) for width, height in SIZES for count, luma in pictures.items()]


def own_scenes(paths: Sequence[str]) -> list[Scene]:
    """Pictures of one's own; how many plates are in them nobody knows. Raises ImageError."""
    return [scene(Path(path).name, load_image(path)[0], None) for path in paths]


def scene(name: str, luma: Luma, plates: int | None) -> Scene:
    """With the hash of its pixels."""
    digest = hashlib.sha256(luma.tobytes()).hexdigest()
    return Scene(SceneFacts(name=name, width=luma.shape[1], height=luma.shape[0], plates=plates, sha256=digest), luma)
