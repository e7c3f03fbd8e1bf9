"""`platewatch run`: the one place where a config becomes a running daemon."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import StoreError
from edge.threads import threads_for as threads_for
from edge.threads import with_threads as with_threads

if TYPE_CHECKING:
    from edge.config import Config
    from edge.daemon import Daemon
    from edge.model.networks import Networks
    from edge.pipeline import Pipeline
    from edge.store import Store
    from edge.tracking.judge import Known
    from edge.tracking.reasons import Unread

BUNDLES = Path(__file__).parent / "bundles"


def bundle_dir(name: str) -> Path:
    """A bundle's folder: one that ships with Platewatch by its name, any other by its path."""
    return Path(name) if "/" in name else BUNDLES / name


def make_pipeline(
    config: Config,
    *,
    known: Known,
    on_unread: Callable[[Unread], None],
    networks: Networks | None = None,
    every_frame: bool = False,
    slowness: Callable[[], float] = lambda: 1.0,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[Pipeline, dict[str, Any]]:
    """A frame's whole way as the config says, and {"detector", "reader": {"name", "sha256"}}. `every_frame` is looked at, whether something moves or not."""
    from edge.model.networks import Networks
    from edge.pipeline import Pipeline
    from edge.tracking.judge import Judge
    from edge.tracking.tracker import Tracker
    from edge.tuning import attention_of, tune

    networks = networks or Networks(config.models, bundle_dir)
    judge = Judge(config.tracking, known=known, on_unread=on_unread, wall=wall)
    attention = attention_of(config, slowness, every_frame=every_frame)
    pipeline = Pipeline(networks.detector, networks.reader, Tracker(config.tracking.lost_after_s), judge, attention=attention)
    tune(pipeline, config)
    bundles = {kind: seat.bundle.manifest for kind, seat in networks.seats.items()}
    return pipeline, {kind: {"name": one.name, "sha256": one.sha256} for kind, one in bundles.items()}


def build(config: Config) -> Daemon:
    """Load the models, open the store, and put it all together; raises PlatewatchError where one of them cannot be used."""
    from edge.adopting import Adopting
    from edge.attention.governor import Governor
    from edge.camera.kinds import KINDS
    from edge.daemon import Daemon
    from edge.gallery import Gallery
    from edge.gate.gate import make_gate
    from edge.history import History
    from edge.keeping.opening import open_store
    from edge.keeping.veil import Veil
    from edge.lists.book import Lists
    from edge.model.networks import Networks
    from edge.publish import publishing

    config, threads_by = with_threads(config)
    lists = Lists(config.lists)
    veil = Veil(config.privacy, known=lists.match, exclude=config.view.exclude)
    gallery = Gallery(Path(config.unread.directory or Path(config.runtime.directory) / "unread"), config.unread, camera=config.camera.name)
    camera, governor = KINDS[config.camera.kind](config.camera, config.night), Governor(config.governor)
    networks = Networks(config.models, bundle_dir)
    pipeline, _ = make_pipeline(  # of a recording that waits for us every frame is wanted
        config, known=lists.match, on_unread=veil.unread(gallery.add), networks=networks, every_frame=camera.waits, slowness=lambda: governor.slowness
    )
    store = open_store(Path(config.store.path))
    told = publishing.build(config, store)
    with suppress(StoreError):  # said by the store whenever it is asked
        store.settle_previews()
    gate = make_gate(config, lists) if config.gate.enabled else None
    history = History(Path(config.runtime.directory))
    daemon = Daemon(
        config,
        camera,
        pipeline,
        store,
        networks=networks,
        publishing=told,
        lists=lists,
        gate=gate,
        governor=governor,
        veil=veil,
        facts={"threads_by": threads_by},
        chores=[gallery.tidy, lambda _: _collect(daemon.config, store), lambda _: history.note(daemon.account.compose())],
    )
    daemon.adopting = Adopting(daemon, networks=networks, lists=lists, gallery=gallery)
    return daemon


def _collect(config: Config, store: Store) -> None:
    from edge.keeping.accesses import collect

    collect(Path(config.runtime.directory), store, config.privacy.access_log_rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default="platewatch.toml", help="the config file (default: %(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log details, the texts of plates among them")
    parser.add_argument("--stay", action="store_true", help="do not end where the config cannot be used: safe mode, as always under systemd")


def run(args: argparse.Namespace) -> int:
    """Watch until SIGTERM or SIGINT, or until a recording ends. Under systemd a config that cannot be used is safe mode, in a terminal an error."""
    from edge import heap, lean

    lean.keep_lean()
    heap.keep_tidy()
    from edge import logs, safe

    logs.set_up(verbose=args.verbose)
    return safe.watch(Path(args.config), build, stay=args.stay or "NOTIFY_SOCKET" in os.environ)
