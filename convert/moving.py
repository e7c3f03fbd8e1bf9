"""What many looks are worth: short drives past a camera, made of single labelled pictures, through the device's own pipeline.

Each plate becomes a sequence of frames: it moves, comes nearer and turns a little, and every frame is blurred, coarsened, noisy and compressed anew by
the faults of training. The networks see each frame once; their answers are then played to pipelines with different country rules.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import PlatewatchError
from edge.model.detector import Detector
from edge.model.reader import Reader
from edge.pipeline import Pipeline
from edge.plates.choice import everyone
from edge.plates.ruled import apply_rules
from edge.records import Box, Detection, Event, Frame, Luma, PlateRead, Quad
from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from edge.vision.geometry import iou
from train.data import augment
from train.data.formats.native import LabelledImage, LabelledPlate, find_folders, read_folder

WIDTH, HEIGHT = 640, 360
FRAMES, PER_SECOND = 8, 10.0
NOTHING = PlateRead("", 0.0, ())
WAYS = ("one frame, no rules", "one frame, auto", "one frame, told", "vote, no rules", "vote, auto", "vote, told")


class NoPlates(PlatewatchError, ValueError):
    """Nothing in the data can be driven past a camera."""


@dataclass(frozen=True, slots=True)
class Drive:
    """Frames (HEIGHT, WIDTH) uint8 of one plate, where it is in each, what it says and whose it is."""

    frames: list[Luma]
    boxes: list[Box]
    text: str
    country: str | None


@dataclass(slots=True)
class Tally:
    """What was right, of how many: frames for the ways with one frame, drives for those with a vote. `told` ways count plates of known countries alone."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    drives: int = 0
    doubles: int = 0

    def share(self, way: str) -> float:
        return self.right[way] / self.tried[way] if self.tried[way] else float("nan")


def drive(luma: Luma, plate: LabelledPlate, rng: np.random.Generator) -> Drive:
    """A plate of a picture on its way past."""
    box = plate.box
    native_px = max(box.width, 1.0)
    start_px = min(native_px, rng.uniform(60, 110))
    growth = rng.uniform(1.0, 1.5)
    here = rng.uniform((0.3 * WIDTH, 0.35 * HEIGHT), (0.7 * WIDTH, 0.75 * HEIGHT))
    pace = rng.uniform(-0.35, 0.35, 2) * (start_px, 0.4 * start_px)
    tilt = rng.normal(0, 0.02, FRAMES)
    light = augment.expose(rng, luma)
    frames, boxes = [], []
    for index in range(FRAMES):
        scale = start_px / native_px * growth ** (index / (FRAMES - 1))
        turn = scale * np.array([[np.cos(tilt[index]), -np.sin(tilt[index])], [np.sin(tilt[index]), np.cos(tilt[index])]])
        at = np.clip(here + pace * index + rng.normal(0, 1.0, 2), (0.55 * start_px * growth, 0.3 * start_px), (WIDTH - 0.55 * start_px * growth, HEIGHT - 20))
        matrix = np.concatenate([turn, (at - turn @ np.array(box.centre))[:, None]], axis=1)
        frames.append(_spoil(rng, augment.warp(light, matrix, WIDTH, HEIGHT)))
        boxes.append(augment.carry(box, matrix))
    return Drive(frames, boxes, plate.text or "", plate.country)


def _spoil(rng: np.random.Generator, frame: Luma) -> Luma:
    """What a camera adds to one frame."""
    frame = augment.blur(rng, frame, 3.0)
    frame = augment.coarsen(rng, frame, 0.5)
    return np.asarray(augment.compress(rng, augment.add_noise(rng, frame)), np.uint8)


def photographed(folders: Sequence[str | Path], seed: int) -> list[tuple[LabelledImage, LabelledPlate, tuple[int, int]]]:
    """The plates of whole photographs whose text is known, with the seed of each drive."""
    images = [image for folder in find_folders(list(folders)) for image in read_folder(folder) if not image.crop]
    found = [(image, plate) for image in images for plate in image.plates if plate.exact and plate.box.width >= 40]
    if not found:
        raise NoPlates("none of the photographs shows a whole scene with a plate whose text is written down; name others with --data")
    return [(image, plate, (seed, number)) for number, (image, plate) in enumerate(found)]


def drives(folders: Sequence[str | Path], number: int, seed: int) -> Iterator[Drive]:
    """Of photographs where there are some, spread evenly over all of them; else of drawn scenes."""
    if folders:
        from edge.vision.image import load_image

        plates = photographed(folders, seed)
        chosen = plates if len(plates) <= number else [plates[int(place)] for place in np.linspace(0, len(plates) - 1, number)]
        for image, plate, key in chosen:
            yield drive(load_image(image.path)[0], plate, np.random.default_rng(key))
        return
    from train.data.synth.scenes import SceneArtist

    artist, made = SceneArtist(), 0
    for index in range(20 * number):
        rng = np.random.default_rng((seed, index))
        luma, truths = artist.draw(rng, (480, 640))
        for truth in truths:
            box = Quad.from_array(np.asarray(truth.quad, float)).box
            if truth.text and box.width >= 50 and made < number:
                made += 1
                yield drive(luma, LabelledPlate(box, None, truth.text, truth.lines, None), rng)
        if made >= number:
            return


class Replay:
    """Both networks' answers to a sequence, once more: for a pipeline it is finder and reader."""

    def __init__(self, found: Sequence[list[tuple[Detection, PlateRead]]]) -> None:
        self._found = iter(found)
        self._reads: dict[Quad, PlateRead] = {}

    def detect(self, luma: Luma) -> list[Detection]:
        now = next(self._found)
        self._reads = {detection.quad: read for detection, read in now}
        return [detection for detection, _ in now]

    def read(self, luma: Luma, quad: Quad, lines: int) -> PlateRead:
        return self._reads[quad]


def judged(one: Drive, seen: Sequence[list[tuple[Detection, PlateRead]]], country: str) -> list[Event]:
    """The final events of a drive."""
    config, replay = TrackingConfig(), Replay(seen)
    judge = Judge(config, country=country, crops=False)
    tracker = Tracker(config.lost_after_s)
    pipeline = Pipeline(replay, replay, tracker, judge, min_plate_px=config.min_plate_px, min_score=config.min_detection_score)
    events = [event for index, frame in enumerate(one.frames) for event in pipeline.step(Frame(frame, index / PER_SECOND))]
    return [event for event in (*events, *pipeline.finish(FRAMES / PER_SECOND)) if not event.preview]


def measure(several: Iterable[Drive], detector: Detector, reader: Reader, progress: Callable[[Iterable[Any]], Iterable[Any]] = iter) -> Tally:
    """Exact plates of single frames against those of the vote."""
    tally = Tally()
    for one in progress(several):
        seen = [[(found, reader.read(frame, found.quad, found.lines)) for found in detector.detect(frame)] for frame in one.frames]
        rules = {"no rules": "none", "auto": "auto"}
        if one.country in everyone():
            rules["told"] = str(one.country)
        for name, country in rules.items():
            for box, found in zip(one.boxes, seen, strict=True):
                _count(tally, f"one frame, {name}", one.text, [apply_rules(_nearest(found, box), country).text])
            events = [event for event in judged(one, seen, country) if _is_there(event, one.boxes)]
            _count(tally, f"vote, {name}", one.text, [event.text for event in events])
            tally.doubles += name == "auto" and len(events) > 1
        tally.drives += 1
    return tally


def _nearest(found: Sequence[tuple[Detection, PlateRead]], box: Box) -> PlateRead:
    """The read of the detection that is the plate; nothing where it was not found."""
    best = max(found, key=lambda pair: iou(pair[0].box, box), default=None)
    return best[1] if best is not None and iou(best[0].box, box) >= 0.3 else NOTHING


def _is_there(event: Event, boxes: Sequence[Box]) -> bool:
    """Whether an event is of the plate that is driven past, not of another one in the picture."""
    return max(iou(event.quad.box, box) for box in boxes) >= 0.3


def _count(tally: Tally, way: str, truth: str, said: Sequence[str]) -> None:
    tally.tried[way] += 1
    tally.right[way] += truth in said
    tally.wrong[way] += any(text not in ("", truth) for text in said)


def interval(one: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if of == 0:
        return 0.0, 1.0
    p, spread = one / of, z * z / of
    middle = (p + spread / 2) / (1 + spread)
    half = math.sqrt(p * (1 - p) / of + spread / (4 * of)) * z / (1 + spread)
    return middle - half, middle + half
