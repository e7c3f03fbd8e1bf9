"""`platewatch run`: the one place where a config becomes a running daemon."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.config import Config
    from edge.daemon import Daemon

BUNDLES = Path(__file__).parent / "bundles"


def bundle_dir(name: str) -> Path:
    """A bundle's folder: one that ships with Platewatch by its name, any other by its path."""
    return Path(name) if "/" in name else BUNDLES / name


def threads_for(wanted: int) -> int:
    """0 chooses: networks this small gain nothing from more than two threads, and one core stays free for the camera."""
    return wanted or max(1, min(2, (os.cpu_count() or 1) - 1))


def build(config: Config) -> Daemon:
    """Load the models, open the store, and put it all together; raises PlatewatchError where one of them cannot be used."""
    from edge.camera import KINDS
    from edge.daemon import Daemon
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.pipeline import Pipeline
    from edge.store import Store
    from edge.tracking.judge import Judge
    from edge.tracking.tracker import Tracker

    threads = threads_for(config.models.threads)
    config = config.model_copy(update={"models": config.models.model_copy(update={"threads": threads})})
    detector = Detector.load(bundle_dir(config.models.detector), threads=threads, threshold=config.models.detection_threshold, views=config.models.closer_looks)
    reader = Reader.load(bundle_dir(config.models.reader), threads=threads, careful=False)
    judge = Judge(config.tracking, camera=config.camera.name, country=config.country.code or None, crops=config.store.crops)
    pipeline = Pipeline(
        detector, reader, Tracker(config.tracking.lost_after_s), judge, min_plate_px=config.tracking.min_plate_px, min_score=config.tracking.min_detection_score
    )
    bundles = {part: {"name": one.manifest.name, "sha256": one.manifest.sha256} for part, one in (("detector", detector), ("reader", reader))}
    return Daemon(config, KINDS[config.camera.kind](config.camera), pipeline, Store(config.store.path), bundles=bundles)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log details, the texts of plates among them")


def run(args: argparse.Namespace) -> int:
    """Watch until SIGTERM or SIGINT, or until a recording ends."""
    from edge import config, logs

    logs.set_up(verbose=args.verbose)
    daemon = build(config.load(args.config))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.stop())
    return daemon.run()
