"""`platewatch run`: the one place where a config becomes a running daemon."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from edge.config import Config, ModelsConfig
    from edge.daemon import Daemon
    from edge.pipeline import Pipeline
    from edge.store import Store
    from edge.tracking.judge import Known
    from edge.tracking.reasons import Unread

BUNDLES = Path(__file__).parent / "bundles"


def bundle_dir(name: str) -> Path:
    """A bundle's folder: one that ships with Platewatch by its name, any other by its path."""
    return Path(name) if "/" in name else BUNDLES / name


def threads_for(models: ModelsConfig) -> tuple[int, str]:
    """How many, and why: as set, or with 0 as was measured here, else a guess.

    Networks this small gain nothing from more than two threads, and one core stays free for the camera.
    """
    if models.threads:
        return models.threads, "set"
    if not Path(models.measured).is_file():
        return max(1, min(2, (os.cpu_count() or 1) - 1)), "guessed"
    from edge.bench.advice import best_count, thread_times
    from edge.bench.result import load_result

    result = load_result(Path(models.measured))
    times = thread_times(result.cells)
    if not times or result.machine.cores != os.cpu_count():
        raise ConfigError(f"{models.measured}: was not measured on this device; run platewatch bench --json {models.measured} here, or set models.threads")
    return best_count(times), "measured"


def make_pipeline(
    config: Config,
    *,
    known: Known,
    on_unread: Callable[[Unread], None],
    every_frame: bool = False,
    slowness: Callable[[], float] = lambda: 1.0,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[Pipeline, dict[str, Any]]:
    """A frame's whole way as the config says, and {"detector", "reader": {"name", "sha256"}}. `every_frame` is looked at, whether something moves or not."""
    from edge.attention.attention import Attention
    from edge.model.detector import Detector
    from edge.model.reader import Reader
    from edge.pipeline import Pipeline
    from edge.tracking.judge import Judge
    from edge.tracking.tracker import Tracker

    models, threads = config.models, config.models.threads
    detector = Detector.load(bundle_dir(models.detector), threads=threads, threshold=models.detection_threshold, views=models.closer_looks)
    reader = Reader.load(bundle_dir(models.reader), threads=threads, careful=False)
    judge = Judge(
        config.tracking,
        camera=config.camera.name,
        country=config.country.code,
        strict=config.country.strict,
        crops=config.store.crops,
        known=known,
        on_unread=on_unread,
        wall=wall,
    )
    motion = config.motion.model_copy(update={"enabled": False}) if every_frame else config.motion
    pipeline = Pipeline(
        detector,
        reader,
        Tracker(config.tracking.lost_after_s),
        judge,
        min_plate_px=config.tracking.min_plate_px,
        min_score=config.tracking.min_detection_score,
        attention=Attention(config.view, motion, lost_after_s=config.tracking.lost_after_s, settle_s=config.tracking.settle_s, slowness=slowness),
    )
    pipeline.excluded = config.view.exclude
    pipeline.frames = config.store.frames and not (config.privacy.known_only or config.privacy.pseudonyms)
    return pipeline, {part: {"name": one.manifest.name, "sha256": one.manifest.sha256} for part, one in (("detector", detector), ("reader", reader))}


def with_threads(config: Config) -> tuple[Config, str]:
    """The config with the number of threads that it comes to here, and why it is so many."""
    threads, why = threads_for(config.models)
    return config.model_copy(update={"models": config.models.model_copy(update={"threads": threads})}), why


def build(config: Config) -> Daemon:
    """Load the models, open the store, and put it all together; raises PlatewatchError where one of them cannot be used."""
    from edge.attention.governor import Governor
    from edge.camera.kinds import KINDS
    from edge.daemon import Daemon
    from edge.gallery import Gallery
    from edge.gate.gate import make_gate
    from edge.keeping.opening import open_store
    from edge.keeping.veil import Veil
    from edge.lists.book import Lists
    from edge.publish import publishing

    config, threads_by = with_threads(config)
    lists = Lists(config.lists)
    veil = Veil(config.privacy, known=lists.match, exclude=config.view.exclude)
    gallery = Gallery(Path(config.unread.directory or Path(config.runtime.directory) / "unread"), config.unread, camera=config.camera.name)
    camera, governor = KINDS[config.camera.kind](config.camera, config.night), Governor(config.governor)
    pipeline, bundles = make_pipeline(  # of a recording that waits for us every frame is wanted
        config, known=lists.match, on_unread=veil.unread(gallery.add), every_frame=camera.waits, slowness=lambda: governor.slowness
    )
    store = open_store(Path(config.store.path))
    told = publishing.build(config, store)
    with suppress(StoreError):  # said by the store whenever it is asked
        store.settle_previews()
    gate = make_gate(config, lists) if config.gate.enabled else None
    return Daemon(
        config,
        camera,
        pipeline,
        store,
        bundles=bundles,
        publishing=told,
        lists=lists,
        gate=gate,
        governor=governor,
        veil=veil,
        facts={"threads_by": threads_by},
        chores=[gallery.tidy, lambda: _collect(config, store)],
    )


def _collect(config: Config, store: Store) -> None:
    from edge.keeping.accesses import collect

    collect(Path(config.runtime.directory), store, config.privacy.access_log_rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log details, the texts of plates among them")
    parser.add_argument("--stay", action="store_true", help="do not end where the config cannot be used: safe mode, as always under systemd")


def run(args: argparse.Namespace) -> int:
    """Watch until SIGTERM or SIGINT, or until a recording ends. Under systemd a config that cannot be used is safe mode, in a terminal an error."""
    from edge import logs, safe

    logs.set_up(verbose=args.verbose)
    return safe.watch(Path(args.config), build, stay=args.stay or "NOTIFY_SOCKET" in os.environ)
