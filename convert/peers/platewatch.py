"""Platewatch itself: bundles, or float run folders, through the device's own code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from convert.peers.base import About, Model, PeerError, Picture, Report, model_of
from convert.peers.config import Section, beside
from edge.model.detector import VIEWS, Detector
from edge.model.manifest import MANIFEST_FILE, MODEL_FILE, SHIPPED, Manifest
from edge.model.reader import Reader
from edge.model.tflite import runtime_version
from edge.reading import Look, is_worth_telling, look_at_crop
from edge.records import PlateRead
from edge.vision.image import to_luma
from train.evaluation.cases import LOWEST

Place = Annotated[Path, BeforeValidator(beside)]


class Config(Section):
    """A pair of Platewatch's models."""

    name: str = Field(default="platewatch", min_length=1)
    detector: Place = SHIPPED / "detector"
    reader: Place = SHIPPED / "reader"
    closer_looks: int = Field(default=VIEWS, ge=0, le=20)
    threshold: float | None = Field(default=None, gt=LOWEST, lt=1)
    """Score from which the detector's findings are read; None: the bundle's own, 0.4 for a run folder, as `train evaluate` has it."""


class Platewatch:
    """As `platewatch read` works, without country rules: what it would not tell is not told here either. Its luma is made within the timed call."""

    def __init__(self, about: About, detector: Detector, reader: Reader) -> None:
        self.about, self._detector, self._reader = about, detector, reader

    def scene(self, picture: Picture) -> Sequence[Report]:
        luma = to_luma(picture)
        reports = []
        for found in self._detector.detect(luma):
            box = (found.box.x0, found.box.y0, found.box.x1, found.box.y1)
            if found.score < self.about.threshold:
                reports.append(Report(box, found.score, False))
                continue
            read = self._reader.read(luma, found.quad, found.lines)
            reports.append(Report(box, found.score, is_worth_telling(Look(found, read)), read.text, _sure(read)))
        return reports

    def crop(self, picture: Picture) -> Report | None:
        found = look_at_crop(to_luma(picture), self._detector, self._reader).plates
        if not found:
            return None
        box = found[0].detection.box
        return Report((box.x0, box.y0, box.x1, box.y1), 1.0, True, found[0].read.text, _sure(found[0].read))


def _sure(read: PlateRead) -> tuple[float, ...]:
    return tuple(one.confidence for one in read.characters)


def load(config: Config, threads: int, download: bool = False) -> Platewatch:
    """Raises BundleError, ConfigError or PeerError."""
    detector, reader = _load(config.detector, "detector", threads, config.closer_looks), _load(config.reader, "reader", threads, config.closer_looks)
    assert isinstance(detector, Detector)
    assert isinstance(reader, Reader)
    models = (_model(config.detector, detector.manifest), _model(config.reader, reader.manifest))
    about = About(config.name, models, config.threshold or detector.manifest.threshold, {"runtime": runtime_version()})
    return Platewatch(about, detector, reader)


def _load(folder: Path, kind: str, threads: int, views: int) -> Detector | Reader:
    """A bundle, or a run folder of `python -m train fit`."""
    if (folder / "experiment.toml").is_file() and not (folder / MANIFEST_FILE).is_file():
        from train.machine import prepare_backend

        prepare_backend(threads)
        from train.evaluation.nets import load_run

        model: Detector | Reader = load_run(folder, {}, LOWEST, views)
        if model.manifest.kind != kind:
            raise PeerError(f"{folder}: is a {model.manifest.kind}, a {kind} is wanted")
        return model
    return Detector.load(folder, threads, LOWEST, views) if kind == "detector" else Reader.load(folder, threads)


def _model(folder: Path, manifest: Manifest) -> Model:
    if (folder / MODEL_FILE).is_file():
        return Model(manifest.name, (folder / MODEL_FILE).stat().st_size, manifest.sha256)
    from train.evaluation.nets import WEIGHTS

    found = model_of(folder / WEIGHTS)
    return Model(manifest.name, found.bytes, found.sha256)
