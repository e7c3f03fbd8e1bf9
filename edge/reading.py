"""`platewatch read`: what stands on the plates in pictures. Its JSON is a contract that others build on (docs/read-json.md)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, ImageError
from edge.telling import BELIEVED, belief

if TYPE_CHECKING:
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.plates.ruled import Ruled
    from edge.records import Character, Detection, Luma, PlateRead


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `platewatch read`."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="pictures: JPEG, PNG, WebP, BMP, TIFF")
    parser.add_argument("--json", action="store_true", help="one JSON object a picture, a line each")
    parser.add_argument("--crop", action="store_true", help="each picture is one plate already cut out, perhaps with a margin")
    parser.add_argument("--annotate", metavar="DIR", help="write a copy of each picture with what was read drawn in")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor cores for the models (default: 1)")
    parser.add_argument("--country", default="auto", metavar="CODES", help="whose plates are expected: de, or de,fr,pl, or auto (default), or none")
    parser.add_argument("--detector", metavar="DIR", help="another detector bundle than the shipped one")
    parser.add_argument("--reader", metavar="DIR", help="another reader bundle than the shipped one")


@dataclass(frozen=True, slots=True)
class Look:
    """One plate found in one picture and what was read on it."""

    detection: Detection
    read: PlateRead

    @property
    def rank(self) -> float:
        """Plates are sorted by this: found surely and read surely first."""
        return self.detection.score * (0.25 + self.read.confidence)


@dataclass(frozen=True, slots=True)
class Looks:
    """Everything in one picture, best first, and how long it took, ms."""

    plates: list[Look]
    detect_ms: float
    read_ms: float


def is_worth_telling(plate: Look) -> bool:
    """Lettering, grilles and lamps that look like plates mostly read as nothing, or as something that the reader does not believe itself."""
    return belief(plate.detection, plate.read) >= BELIEVED


def look(luma: Luma, detector: Detector, reader: Reader) -> Looks:
    """All plates in a (H, W) uint8 picture."""
    began = time.perf_counter()
    found = detector.detect(luma)
    detected = time.perf_counter()
    plates = [Look(detection, reader.read(luma, detection.quad, detection.lines)) for detection in found]
    done = time.perf_counter()
    plates = [plate for plate in plates if is_worth_telling(plate)]
    return Looks(sorted(plates, key=lambda plate: -plate.rank), 1000 * (detected - began), 1000 * (done - detected))


MOST_OF_A_CROP = 0.5
"""A plate found in a crop is the crop's plate when it takes at least this share of its width and height."""
CROP_THRESHOLD = 0.2
"""Of a crop it is known that it is a plate: a weaker detection tells where its corners are."""


def look_at_crop(luma: Luma, detector: Detector, reader: Reader) -> Looks:
    """The one plate that the picture is, perhaps with a margin; none when nothing is legible.

    The detector looks for the plate's corners, on a picture grown by half its size so that a plate cut at its very edge has surroundings;
    where it finds no plate of the crop's size, the whole picture is read. Where the read between the corners is not sure, both are weighed together.
    """
    from edge.records import Box, Detection, Quad
    from edge.vision.geometry import clip
    from edge.vision.image import surround

    height, width = luma.shape
    began = time.perf_counter()
    grown, left, top = surround(luma)
    whole = Box(0.0, 0.0, float(width), float(height))
    quad: Quad | None = None
    for found in detector.detect(grown):
        if found.score >= CROP_THRESHOLD and found.box.width >= MOST_OF_A_CROP * width and found.box.height >= MOST_OF_A_CROP * height:
            quad = Quad.from_array(found.quad.array() - (left, top))
            break
    detected = time.perf_counter()
    read = reader.read_crop(luma, quad)
    done = time.perf_counter()
    found_at = Detection(Quad.from_box(whole), whole, 1.0, read.lines) if quad is None else Detection(quad, clip(quad.box, width, height), 1.0, read.lines)
    plates = [Look(found_at, read)] if read.text else []
    return Looks(plates, 1000 * (detected - began), 1000 * (done - detected))


def as_json(name: str, luma: Luma, looks: Looks, said: Sequence[Ruled], total_ms: float) -> dict[str, Any]:
    """The line that `--json` prints for one picture; `said` is what each plate says under the rules."""
    return {
        "image": name,
        "width": luma.shape[1],
        "height": luma.shape[0],
        "ms": {"detect": round(looks.detect_ms, 3), "read": round(looks.read_ms, 3), "total": round(total_ms, 3)},
        "plates": [_plate(one, ruled) for one, ruled in zip(looks.plates, said, strict=True)],
    }


def _character(one: Character) -> dict[str, Any]:
    return {"char": one.char, "confidence": round(one.confidence, 4)}


def _plate(one: Look, ruled: Ruled) -> dict[str, Any]:
    box = one.detection.box
    return {
        "text": ruled.text,
        "raw_text": ruled.raw_text,
        "confidence": round(ruled.confidence, 4),
        "characters": [_character(char) for char in ruled.characters],
        "alternatives": [[_character(other) for other in others] for others in one.read.alternatives],
        "quad": [[round(x, 2), round(y, 2)] for x, y in one.detection.quad.points],
        "box": [round(value, 2) for value in (box.x0, box.y0, box.x1, box.y1)],
        "detection_confidence": round(one.detection.score, 4),
        "lines": one.read.lines if one.read.text else one.detection.lines,
        "country": ruled.country,
        "rule": {"format": ruled.format, "cost": round(ruled.cost, 2) + 0.0, "margin": round(ruled.margin, 2)} if ruled.changed else None,
    }


def run(args: argparse.Namespace) -> int:
    """`platewatch read`: 0, or 1 when a picture could not be read; the others are read all the same."""
    from edge.model.detector import Detector
    from edge.model.manifest import SHIPPED
    from edge.model.reader import Reader
    from edge.plates.choice import choice
    from edge.plates.ruled import apply_rules
    from edge.vision.image import load_image

    if args.threads < 1:
        raise ConfigError(f"--threads {args.threads}: must be 1 or more")
    try:
        choice(args.country)
    except ConfigError as error:
        raise ConfigError(f"--{error}") from None
    detector = Detector.load(args.detector or SHIPPED / "detector", args.threads, CROP_THRESHOLD if args.crop else None)
    reader = Reader.load(args.reader or SHIPPED / "reader", args.threads)
    failed = False
    taken: set[str] = set()
    for name in args.images:
        try:
            began = time.perf_counter()
            luma, picture = load_image(name)
            if not args.annotate:
                del picture  # a photograph's colours take more memory than both networks
            looks = (look_at_crop if args.crop else look)(luma, detector, reader)
            said = [apply_rules(one.read, args.country) for one in looks.plates]
            total_ms = 1000 * (time.perf_counter() - began)
            if args.annotate:
                _annotate(Path(args.annotate), name, picture, looks, said, taken)
        except ImageError as error:
            print(f"platewatch: {error}", file=sys.stderr)
            failed = True
            continue
        if args.json:
            print(json.dumps(as_json(name, luma, looks, said, total_ms)), flush=True)
        else:
            plates = "  ".join(f"{one.text or '(not legible)'} {one.confidence:.2f}" for one in said) or "no plate"
            print(f"{name}: {plates}", flush=True)
    return 1 if failed else 0


def _annotate(folder: Path, name: str, picture: Any, looks: Looks, said: Sequence[Ruled], taken: set[str]) -> None:
    """Writes `folder/NAME.jpg`; two pictures of the same name from two folders do not overwrite each other."""
    import cv2

    from edge.drawing import draw_plate

    folder.mkdir(parents=True, exist_ok=True)
    stem, number = Path(name).stem, 1
    while stem in taken:
        number += 1
        stem = f"{Path(name).stem}-{number}"
    taken.add(stem)
    marked = picture.copy()
    for one, ruled in zip(looks.plates, said, strict=True):
        draw_plate(marked, one.detection.quad, f"{ruled.text or '?'} {ruled.confidence:.2f}")
    if not cv2.imwrite(str(folder / f"{stem}.jpg"), marked):
        raise ImageError(f"{folder / stem}.jpg: cannot be written; name a folder that can be")
