"""How a running daemon goes over from one config to another: what can fail is made ready beside what runs, and exchanged between two frames."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge.apart import Steps
from edge.errors import PlatewatchError
from edge.exchanging import exchange_camera, exchange_gate, exchange_publishing, try_targets
from edge.keeping.pseudonym import device_key
from edge.lists.book import Lists
from edge.model.networks import Networks, Offer
from edge.reload import changes
from edge.threads import with_threads
from edge.tuning import attention_of, tune

if TYPE_CHECKING:
    from edge.config import Config
    from edge.daemon import Daemon
    from edge.gallery import Gallery

GATE_DECIDES_BY = frozenset({"gate", "lists", "tracking", "country"})
"""After a change of these a plate that is in view opens nothing any more; its next pass may."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """Made ready; nothing has changed yet. `config` has its number of threads worked out."""

    config: Config
    threads_by: str
    offer: Offer
    lists: Lists | None


class Adopting:
    """Of one daemon. Where a generator of it raises PlatewatchError, all is as it was."""

    def __init__(self, daemon: Daemon, *, networks: Networks, lists: Lists, gallery: Gallery) -> None:
        self._daemon, self._networks, self._lists, self._gallery = daemon, networks, lists, gallery

    def changed(self) -> bool:
        """Has the folder of a bundle been changed?"""
        return self._networks.changed()

    def renew(self) -> Steps:
        """Take the bundles alone."""
        self._networks.take((yield partial(self._networks.prepare, self._networks.models)))

    def adopt(self, before: Config, wanted: Config) -> Steps:
        """The two differ in live keys alone."""
        daemon, names = self._daemon, changes(before, wanted)
        touched = {name.partition(".")[0] for name in names} | ({"name"} if "camera.name" in names else set())
        prepare = partial(self._prepare, wanted, touched)
        # Where there is nothing to load, all is done before the next frame.
        at_once = not touched & {"models", "lists", "country", "targets"} and self._networks.are_as(self._networks.models)
        ready: Ready = prepare() if at_once else (yield prepare)
        back: list[Callable[[], Steps]] = []
        by_broker = "targets" in touched and any(one.startswith("mqtt:") for one in (wanted.gate.second_factor, getattr(wanted.gate, "send_to", "")))
        try:
            if touched & {"gate", "name"} or by_broker:
                yield from exchange_gate(daemon, before, wanted, self._lists)
                back.append(lambda: exchange_gate(daemon, wanted, before, self._lists))
            if touched & {"camera", "night"}:
                yield from exchange_camera(daemon, before, wanted)
                back.append(lambda: exchange_camera(daemon, wanted, before))
            if touched & {"targets", "outbox", "name"} or (wanted.targets and "lists" in touched):
                yield from exchange_publishing(daemon, before, wanted)
        except Exception:
            for step in reversed(back):
                try:
                    yield from step()
                except PlatewatchError as error:
                    log.error("%s", error)
            raise
        self._exchange(touched, ready)

    def _prepare(self, wanted: Config, touched: set[str]) -> Ready:
        """Everything that can be wrong and be known beforehand. Raises PlatewatchError."""
        config, threads_by = with_threads(wanted)
        lists = Lists(wanted.lists) if "lists" in touched else None
        if wanted.privacy.pseudonyms:
            device_key(Path(wanted.privacy.key_file))
        if touched & {"targets", "name"}:
            try_targets(wanted)
        if "country" in touched and wanted.country.code not in ("auto", "none"):
            from edge.plates.choice import choice

            choice(wanted.country.code)
        return Ready(config, threads_by, self._networks.prepare(config.models, again=True), lists)

    def _exchange(self, touched: set[str], ready: Ready) -> None:
        """Between two frames; nothing here can fail."""
        daemon, config = self._daemon, ready.config
        self._networks.take(ready.offer)
        if ready.lists is not None:
            self._lists.adopt(ready.lists)
        daemon.veil.adopt(config.privacy, config.view.exclude)
        daemon.house.config = config.store
        self._gallery.adopt(config.unread, config.camera.name)
        tune(daemon.pipeline, config)
        slowness: Callable[[], float] = lambda: 1.0  # noqa: E731
        if (governor := daemon.governor) is not None:
            slowness = partial(getattr, governor, "slowness")
            if "governor" in touched:
                governor.adopt(config.governor)
        if touched & {"view", "motion", "tracking", "camera"}:
            daemon.pipeline.attend(attention_of(config, slowness, every_frame=daemon.pump.camera.waits))
        if touched & GATE_DECIDES_BY and daemon.gate is not None:
            daemon.gate.pass_over(daemon.pipeline.judge.ids())
        daemon.config = config
        daemon.account.facts |= {"threads": config.models.threads, "threads_by": ready.threads_by}
