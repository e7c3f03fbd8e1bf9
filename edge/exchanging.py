"""The parts of a running daemon that own something outside it: the camera, the relay, the connections to targets. The old one lets go first.

Each is a generator for `edge.apart`, and leaves the part as it was where it raises PlatewatchError.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from edge.apart import Steps
from edge.camera.base import Tunable
from edge.camera.checkup import Patience
from edge.camera.kinds import KINDS
from edge.errors import ConfigError, PlatewatchError, StoreError
from edge.gate.gate import Gate, make_gate
from edge.publish import publishing

if TYPE_CHECKING:
    from edge.config import Config
    from edge.daemon import Daemon
    from edge.lists.book import Lists
    from edge.publish.publishing import Publishing
    from edge.store import Store

CAMERA_S, REFUSAL_S, ASK_EVERY_S = 25.0, 3.0, 0.1
"""So long a new camera has for its first picture, where the one of before had some; so long to be refused, where it had none; asked so often."""
log = logging.getLogger(__name__)


def exchange_camera(daemon: Daemon, before: Config, wanted: Config) -> Steps:
    """Set the controls of the one that is open, where that will do; else another, and where that brings no picture, the one of before again."""
    pump, patience = daemon.pump, Patience.of(wanted.camera)
    bare = {"freeze_s"} if "://" in wanted.camera.source else {"stall_s", "freeze_s"}  # a stream is told how long to wait when it is opened
    if before.camera.model_dump(exclude=bare) == wanted.camera.model_dump(exclude=bare) and (wanted.camera.kind != "pi" or before.night == wanted.night):
        pump.be_patient(patience)
        return
    if isinstance(pump.camera, Tunable) and pump.camera.tune(wanted.camera, wanted.night):
        pump.be_patient(patience)
        return
    was_well = pump.lost is None and pump.fresh > 0
    daemon.take(daemon.pipeline.finish(time.monotonic()))  # what the old one showed is elsewhere now
    pump.exchange(KINDS[wanted.camera.kind](wanted.camera, wanted.night), patience, trial=True)
    # Where the one of before had no picture either, there is nothing to go back to but its settings.
    patient_until = time.monotonic() + (CAMERA_S if was_well else REFUSAL_S)
    while (said := pump.verdict()) is None and time.monotonic() < patient_until:
        yield partial(time.sleep, ASK_EVERY_S)
    if said == "" or (said is None and not was_well):
        pump.keep()
        return
    why = said or pump.lost or f"camera {wanted.camera.name}: no picture came within {CAMERA_S:.0f} s"
    pump.exchange(KINDS[before.camera.kind](before.camera, before.night), Patience.of(before.camera), trial=False)
    raise ConfigError(why.removesuffix("; trying again"))


def exchange_gate(daemon: Daemon, before: Config, wanted: Config, lists: Lists) -> Steps:
    """Closed from the first moment to the last. What stands before it meanwhile opens nothing any more."""
    old = daemon.gate
    daemon.use_gate(None)
    fresh: Gate | None = None
    try:
        if old is not None:
            yield old.close  # two cannot hold one relay
        fresh = yield partial(_gate_of, wanted, lists)
    except PlatewatchError:
        try:
            fresh = yield partial(_gate_of, before, lists)
        except PlatewatchError as error:
            log.error("the gate stays closed: %s", error)
            if old is not None:
                old.trouble, fresh = f"{error}; the gate stays closed until Platewatch is restarted", old
        raise
    finally:
        if fresh is not None and old is not None and fresh is not old:
            fresh.inherit(old)
        if fresh is not None:
            fresh.pass_over(daemon.pipeline.judge.ids())
        daemon.use_gate(fresh)


def _gate_of(config: Config, lists: Lists) -> Gate | None:
    return make_gate(config, lists) if config.gate.enabled else None


def exchange_publishing(daemon: Daemon, before: Config, wanted: Config) -> Steps:
    """Events are written for the targets of before until those of now are there; so nothing is lost between the two."""
    old, detecting = daemon.publishing, daemon.desk.detecting
    daemon.use_publishing(None)
    daemon.desk.carry_on(detecting)
    fresh: Publishing | None = None
    try:
        if old is not None:
            yield old.stop
        fresh = yield partial(_publishing_of, wanted, daemon.store)
    except PlatewatchError:
        with suppress(PlatewatchError):
            fresh = yield partial(_publishing_of, before, daemon.store)
        raise
    finally:
        if fresh is not None:
            fresh.start()
        daemon.use_publishing(fresh)
        daemon.desk.carry_on(detecting)


def _publishing_of(config: Config, store: Store) -> Publishing | None:
    if not config.targets:
        for hook in ("also", "unsaid", "renewed"):
            setattr(store, hook, _nothing)
    return publishing.build(config, store)


def _nothing(*_: Any) -> None:
    """In the place of an outbox."""


def try_targets(config: Config) -> None:
    """Raises ConfigError where one of the targets could not be made: a secret or a certificate that is missing. Nothing is connected."""
    from edge.publish.kinds import make

    site = publishing.site_of(config)
    for one in config.targets:
        with suppress(StoreError):
            make(one, site).close()
