"""What is timed: the parts of a frame's way, one by one, and the whole of it as the daemon does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.bench.rounds import Action
from edge.bench.scenes import Scene
from edge.model.detector import Detector
from edge.model.manifest import Manifest, load_manifest
from edge.model.reader import Reader
from edge.model.tflite import Int8, Interpreter, Net
from edge.pipeline import Pipeline, PlateFinder, PlateReader
from edge.plates.settings import CountryConfig
from edge.records import Detection, Frame, Luma, PlateRead, Quad
from edge.tracking.judge import Judge
from edge.tracking.settings import TrackingConfig
from edge.tracking.tracker import Tracker
from edge.vision.image import letterbox
from edge.vision.rectify import reader_input

VIEWS = 2
"""Closer looks that a frame of the daemon may cost."""
NO_PLATE = "no plate was found in the pictures; name one with a plate"


class Counted:
    """A net that counts its runs."""

    def __init__(self, net: Net) -> None:
        self._net, self.runs = net, 0
        self.shape, self.scale_in = net.shape, net.scale_in
        self.output_shapes, self.scales_out = net.output_shapes, net.scales_out

    def run(self, values: Int8) -> list[Any]:
        self.runs += 1
        return self._net.run(values)


@dataclass(frozen=True, slots=True)
class Models:
    """Both networks as the daemon has them, and their nets."""

    detector: Detector
    reader: Reader
    nets: tuple[Counted, Counted]

    @classmethod
    def of(cls, detector: tuple[Manifest, Net], reader: tuple[Manifest, Net]) -> Models:
        """From manifests and nets that fit them. Raises BundleError where they do not."""
        nets = Counted(detector[1]), Counted(reader[1])
        return cls(Detector(detector[0], nets[0], views=VIEWS), Reader(reader[0], nets[1], careful=False), nets)

    @classmethod
    def load(cls, detector: Path, reader: Path, threads: int) -> Models:
        """Two bundles. Raises BundleError."""
        (one, one_model), (other, other_model) = load_manifest(detector, "detector"), load_manifest(reader, "reader")
        return cls.of((one, Interpreter(one_model, one.name, threads)), (other, Interpreter(other_model, other.name, threads)))


def whole_frame(models: Models, luma: Luma) -> Action:
    """All that the daemon does with a frame in which cars have just come into view: look, look closer, cut out, read, track, vote."""
    return step(models.detector, models.reader, luma)


def step(detector: PlateFinder, reader: PlateReader, luma: Luma) -> Action:
    """The daemon's own step, as its configuration has it by default."""
    frame, config, country = Frame(luma, 0.0, "camera", None), TrackingConfig(), CountryConfig()

    def run() -> object:
        # Track and vote begin anew: else a car would be longer in view with every run, and the last ones would cost more than the first.
        judge = Judge(config, country=country.code, strict=country.strict)
        tracker = Tracker(config.lost_after_s)
        return Pipeline(detector, reader, tracker, judge, min_plate_px=config.min_plate_px, min_score=config.min_detection_score).step(frame)

    return run


class Replay:
    """Says again what both networks said about a picture."""

    def __init__(self, models: Models, luma: Luma) -> None:
        self._found = models.detector.detect(luma)
        self._reads = {one.quad: models.reader.read(luma, one.quad, one.lines) for one in self._found}

    def detect(self, luma: Luma) -> list[Detection]:
        return self._found

    def read(self, luma: Luma, quad: Quad, lines: int) -> PlateRead:
        return self._reads[quad]


def runs_of(models: Models, action: Action) -> tuple[int, int]:
    """Runs of the detector's and of the reader's network that one run of the action takes."""
    before = [net.runs for net in models.nets]
    action()
    one, other = (net.runs - start for net, start in zip(models.nets, before, strict=True))
    return one, other


def parts(models: Models, scene: Scene) -> dict[str, Action]:
    """Stage -> what to time, each alone with its input ready. Where no plate is found in the scene there is nothing to read."""
    detector, reader, luma = models.detector, models.reader, scene.luma
    size, plate_size = ((model.manifest.width, model.manifest.height) for model in (detector, reader))
    boxed, _ = letterbox(luma, *size)
    raw = detector.infer(boxed)
    actions: dict[str, Action] = {
        "resize": lambda: letterbox(luma, *size),
        "detect": lambda: detector.infer(boxed),
        "decode detections": lambda: detector.decode(raw),
    }
    found = detector.detect(luma)
    if found:
        quad, margin = found[0].quad, reader.manifest.margin
        plate = reader_input(luma, quad, *plate_size, margin)
        logits, replay = reader.infer(plate), Replay(models, luma)
        actions |= {
            "rectify": lambda: reader_input(luma, quad, *plate_size, margin),
            "read": lambda: reader.infer(plate),
            "decode reads": lambda: reader.decode(logits),
            "track and judge": step(replay, replay, luma),
        }
    return actions


def once(models: Models) -> Action:
    """Both networks, one run each, on a grey picture."""
    inputs = [np.full((model.manifest.height, model.manifest.width), 128, np.uint8) for model in (models.detector, models.reader)]
    return lambda: (models.detector.infer(inputs[0]), models.reader.infer(inputs[1]))


def scene_of_parts(models: Models, scenes: Sequence[Scene]) -> Scene:
    """The first scene in which a plate is found, or the first one."""
    return next((scene for scene in scenes if models.detector.detect(scene.luma)), scenes[0])
