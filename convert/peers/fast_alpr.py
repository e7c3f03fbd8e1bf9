"""fast-alpr (https://github.com/ankandrew/fast-alpr): a YOLOv9 detector of open-image-models and a reader of fast-plate-ocr, on onnxruntime.

Written against fast-alpr 0.4.0, open-image-models 0.6.0 and fast-plate-ocr 1.1.0. No dependency of Platewatch: who compares installs it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Self

import cv2
from pydantic import BeforeValidator, Field, model_validator

from convert.peers.base import About, Model, PeerError, Picture, Report, model_of
from convert.peers.config import Section, beside
from convert.peers.networks import needed
from train.evaluation.cases import LOWEST

Place = Annotated[Path, BeforeValidator(beside)]
PACKAGES = ("fast-alpr", "open-image-models", "fast-plate-ocr", "onnxruntime")
INSTALL = "fast-alpr[onnx]"


class Config(Section):
    """The defaults are fast-alpr's own. Files of one's own instead of the hub's: `detector_file`, or `ocr_file` with `ocr_config`."""

    name: str = Field(default="fast-alpr", min_length=1)
    detector_model: str = "yolo-v9-t-384-license-plate-end2end"
    ocr_model: str = "cct-xs-v2-global-model"
    threshold: float = Field(default=0.4, gt=0, lt=1)
    detector_file: Place | None = None
    ocr_file: Place | None = None
    ocr_config: Place | None = None

    @model_validator(mode="after")
    def _files(self) -> Self:
        if (self.ocr_file is None) != (self.ocr_config is None):
            raise ValueError("ocr_file and ocr_config: name both or neither")
        for key in ("detector_file", "ocr_file", "ocr_config"):
            path = getattr(self, key)
            if path is not None and not path.is_file():
                raise ValueError(f"{key}: no such file: {path}")
        return self


class FastAlpr:
    """The steps of `fast_alpr.ALPR.predict`, but that detections below its threshold are kept, unread, for average precision."""

    def __init__(self, about: About, alpr: Any) -> None:
        self.about, self._alpr = about, alpr

    def scene(self, picture: Picture) -> Sequence[Report]:
        reports = []
        for found in self._alpr.detector.predict(picture):
            box = found.bounding_box
            corners = (float(box.x1), float(box.y1), float(box.x2), float(box.y2))
            if found.confidence < self.about.threshold:
                reports.append(Report(corners, found.confidence, False))
                continue
            plate = picture[max(box.y1, 0) : min(box.y2, picture.shape[0]), max(box.x1, 0) : min(box.x2, picture.shape[1])]
            reports.append(Report(corners, found.confidence, True, *self._read(plate)))
        return reports

    def crop(self, picture: Picture) -> Report | None:
        return Report((0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])), 1.0, True, *self._read(picture))

    def _read(self, plate: Picture) -> tuple[str, tuple[float, ...]]:
        said = self._alpr.ocr.predict(plate)
        if said is None:
            return "", ()
        sure = said.confidence if isinstance(said.confidence, list) else [said.confidence] * len(said.text)
        return said.text, tuple(sure[: len(said.text)])  # the rest are the padding's


def load(config: Config, threads: int, download: bool = False) -> FastAlpr:
    """Raises PeerError: not installed, or its models are not here and `download` does not let it fetch them."""
    modules = ("fast_alpr", "open_image_models", "open_image_models.detection.core.hub", "fast_plate_ocr.inference.hub", "onnxruntime")
    package, detectors, detector_hub, reader_hub, runtime = (needed(module, INSTALL, "--peer fast-alpr") for module in modules)
    try:
        spec, detector_file = _detector_file(config, detector_hub)
        reader_files = _reader_files(config, reader_hub)
    except AttributeError as error:
        here = ", ".join(f"{name} {number}" for name, number in _versions().items())
        raise PeerError(f"--peer fast-alpr: {here} is not known here ({error}); install fast-alpr 0.4.0 with open-image-models 0.6.0") from None
    missing = [path for path in (detector_file, *reader_files) if not path.is_file()]
    if missing and not download:
        names = ", ".join(map(str, missing))
        raise PeerError(f"--peer fast-alpr: its models are not here ({names}); --allow-download lets it fetch them from the network, or see docs/peers.md")
    if missing:
        _fetch(config, detector_hub, reader_hub, missing)
    cv2.setNumThreads(threads)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    processor = ["CPUExecutionProvider"]
    backend, labels = (spec.backend, spec.class_labels) if spec else ("yolo_v9", ("License Plate",))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector = detectors.create_detector(detector_file, backend=backend, class_labels=labels, conf_thresh=LOWEST, providers=processor, sess_options=options)
        alpr = package.ALPR(
            detector=detector,
            ocr_model=None,
            ocr_device="cpu",
            ocr_providers=processor,
            ocr_sess_options=options,
            ocr_model_path=reader_files[0],
            ocr_config_path=reader_files[1],
        )
    models: tuple[Model, ...] = (model_of(detector_file), model_of(reader_files[0]))
    return FastAlpr(About(config.name, models, config.threshold, _versions()), alpr)


def _detector_file(config: Config, hub: Any) -> tuple[Any, Path]:
    """The hub's entry (None for a file of one's own) and where the file is, or will be."""
    if config.detector_file is not None:
        return None, config.detector_file
    if config.detector_model not in hub.DETECTION_MODELS:
        raise PeerError(f"--peer fast-alpr: detector_model: {config.detector_model!r} is none of {', '.join(hub.DETECTION_MODELS)}")
    spec = hub.DETECTION_MODELS[config.detector_model]
    return spec, Path(hub.MODEL_CACHE_DIR) / config.detector_model / spec.url.split("/")[-1]


def _reader_files(config: Config, hub: Any) -> tuple[Path, Path]:
    if config.ocr_file is not None and config.ocr_config is not None:
        return config.ocr_file, config.ocr_config
    if config.ocr_model not in hub.AVAILABLE_ONNX_MODELS:
        raise PeerError(f"--peer fast-alpr: ocr_model: {config.ocr_model!r} is none of {', '.join(hub.AVAILABLE_ONNX_MODELS)}")
    model, settings = (Path(hub.MODEL_CACHE_DIR) / config.ocr_model / url.split("/")[-1] for url in hub.AVAILABLE_ONNX_MODELS[config.ocr_model])
    return model, settings


def _fetch(config: Config, detector_hub: Any, reader_hub: Any, missing: list[Path]) -> None:
    try:
        if config.detector_file is None:
            detector_hub.download_model(config.detector_model)
        if config.ocr_file is None:
            reader_hub.download_model(config.ocr_model)
    except (OSError, ValueError) as error:
        raise PeerError(f"--peer fast-alpr: {missing[0].name} could not be fetched ({error}); look at the network, or name files in a TOML file") from None


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # onnxruntime has several distributions
            continue
    return found
