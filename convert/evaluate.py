"""The bundles' figures on labelled photographs, through the device's own code. What is told is in `train.evaluation`, for float models too."""

from __future__ import annotations

import argparse
from typing import Any

from edge.model.detector import VIEWS, Detector
from edge.model.manifest import SHIPPED
from edge.model.reader import Reader
from edge.vision.reader_codecs import READER_CODECS
from train.evaluation.cases import LOWEST, run_models
from train.evaluation.evaluation import Evaluation, evaluate
from train.evaluation.output import check_output, progress, tell
from train.evaluation.sheets import mistakes, write_sheet


def evaluate_bundles(options: argparse.Namespace) -> int:
    """`python -m convert evaluate`."""
    check_output(options)
    detector = Detector.load(options.detector or SHIPPED / "detector", threshold=LOWEST, views=VIEWS if options.closer_looks is None else options.closer_looks)
    reader = Reader.load(options.reader or SHIPPED / "reader")
    found = of_bundles(options, detector, reader)
    tell(found, options, "bundles")
    if options.errors:
        print(write_sheet(mistakes(found.cases), options.errors / "errors.jpg") or "no error to show")
    return 0


def of_bundles(options: argparse.Namespace, detector: Detector, reader: Reader) -> Evaluation:
    """The evaluation on `options.data`."""
    cases = run_models(options.data, detector, reader, progress)
    models: dict[str, dict[str, Any]] = {model.manifest.kind: {"name": model.manifest.name, "sha256": model.manifest.sha256} for model in (detector, reader)}
    # A bundle whose confidence is calibrated already is not asked what calibration would do.
    plain = reader.manifest.temperature == 1.0 and reader.manifest.calibration is None
    return evaluate(cases, models, READER_CODECS[reader.manifest.codec].decode if plain else None, options.resamples)
