"""`python -m train evaluate`: what float models are worth on labelled photographs, through the device's own code."""

from __future__ import annotations

import argparse
from pathlib import Path

from train.evaluation.output import add_output_arguments

HELP = "figures, curves and examples of float models on labelled photographs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="a detector, a reader, or both: run folders of python -m train fit, or train/weights/detector and train/weights/reader",
    )
    add_output_arguments(parser)
    parser.add_argument("--threshold", type=float, metavar="SCORE", help="detector: score from which a detection counts (default: 0.4)")
    parser.add_argument("--margin", type=float, metavar="SHARE", help="reader: share of the plate kept around it (default: 0.04)")
    parser.add_argument("--closer-looks", type=int, metavar="N", help="detector: how many closer looks a picture may cost (default: as the device)")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use (default: all)")


def run(options: argparse.Namespace) -> int:
    """A detector alone is asked what it finds; a reader alone reads plates cut out by their labels; both together do what the device does."""
    from edge.errors import ConfigError
    from train.config import load_experiment
    from train.evaluation.cases import check_data
    from train.evaluation.output import check_output, progress, tell
    from train.machine import prepare_backend

    check_output(options)
    folders = {load_experiment(folder / "experiment.toml").kind: folder for folder in options.runs}
    if len(folders) < len(options.runs):
        raise ConfigError(f"{', '.join(map(str, options.runs))}: name at most one detector and one reader")
    check_data(options.data, set(folders))  # a mistake is told before a network is built
    prepare_backend(options.threads)
    from edge.model.detector import VIEWS, Detector
    from edge.model.reader import Reader
    from edge.vision.reader_codecs import READER_CODECS
    from train.evaluation.cases import LOWEST, Legible, run_models, run_reader
    from train.evaluation.evaluation import evaluate
    from train.evaluation.nets import load_run

    chosen = {"detector": {"threshold": options.threshold}, "reader": {"margin": options.margin}}
    settings = {kind: {key: value for key, value in values.items() if value is not None} for kind, values in chosen.items()}
    views = VIEWS if options.closer_looks is None else options.closer_looks
    models = {kind: load_run(folder, settings[kind], LOWEST, views) for kind, folder in folders.items()}
    detector = next((model for model in models.values() if isinstance(model, Detector)), None)
    reader = next((model for model in models.values() if isinstance(model, Reader)), None)
    if detector is not None:
        cases = run_models(options.data, detector, reader or Legible(), progress, crops=reader is not None)
    else:
        assert reader is not None
        cases = run_reader(options.data, reader, progress)
    decode = READER_CODECS[reader.manifest.codec].decode if reader else None
    named = {kind: {"name": model.manifest.name, "run": str(folders[kind]), "sha256": model.manifest.sha256} for kind, model in models.items()}
    tell(evaluate(cases, named, decode, options.resamples, reads=reader is not None), options, "models", reads=reader is not None)
    return 0
