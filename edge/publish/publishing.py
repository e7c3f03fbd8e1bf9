"""All targets together, as the daemon sees them: started, woken, asked for their state, stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import logging
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import health
from edge.errors import StoreError
from edge.lists.book import Lists
from edge.publish.courier import Courier
from edge.publish.dialects import homeassistant
from edge.publish.household import Household
from edge.publish.kinds import make
from edge.publish.outbox import Outbox
from edge.publish.tables import forget_all
from edge.publish.told import Site, name_of, slug
from edge.status import version

if TYPE_CHECKING:
    from edge.config import Config
    from edge.store import Store

MACHINE_ID = Path("/etc/machine-id")
log = logging.getLogger(__name__)


def site_of(config: Config) -> Site:
    """This device among others: its name is the camera's and a part of a hash of the machine's own id, which stays here."""
    try:
        machine = MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = socket.gethostname()
    mark = hashlib.sha256(f"platewatch {machine}".encode()).hexdigest()[:6]
    return Site(config.camera.name, f"{slug(config.camera.name)}-{mark}", version(), config.camera.width, config.camera.height)


def build(config: Config, store: Store) -> Publishing | None:
    """The targets of a config on the outbox of its store, which tells them from now on; None where there are none."""
    if not config.targets:
        with contextlib.suppress(StoreError):  # the store says what is wrong with it; nothing is told in any case
            forget_all(config.store.path)
        return None
    publishing = Publishing(config)
    store.also, store.unsaid, store.renewed = publishing.outbox.enqueue, publishing.outbox.withdraw, publishing.outbox.reopen
    return publishing


class Publishing:
    """`detecting` is what Home Assistant's switch says; it outlives a restart."""

    def __init__(self, config: Config) -> None:
        self._config, self._site = config, site_of(config)
        self._status: dict[str, Any] = {}
        self._lists = Lists(config.lists)
        self.outbox = Outbox(config.store.path, config.targets, config.outbox, patient=True)
        self.detecting = True
        with contextlib.suppress(StoreError):
            self.detecting = self.outbox.note("detection") != "off"
        household = Household(
            known=self._known,
            figures=self._figures,
            detecting=lambda: self.detecting,
            detect=self._detect,
            note=self.outbox.note,
            write_note=self.outbox.write_note,
        )
        self._couriers: list[Courier] = []
        for one in config.targets:
            awake = _Bell()
            courier = Courier(one, make(one, self._site, household, awake.ring), self.outbox, lambda: self._site)
            awake.courier = courier
            self._couriers.append(courier)
        self._threads = [threading.Thread(target=one.run, name=f"target {one.config.name}", daemon=True) for one in self._couriers]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """An event may have been stored."""
        for courier in self._couriers:
            courier.wake()

    def stop(self, within_s: float = 2.0) -> None:
        """End soon. What is under way and not acknowledged stays in the outbox, and is told again after the next start."""
        end = time.monotonic() + within_s
        for courier in self._couriers:
            courier.stop()
        for thread, courier in zip(self._threads, self._couriers, strict=True):
            if thread.ident is not None:
                thread.join(max(0.0, min(0.3, end - time.monotonic())))  # a farewell in peace, where nothing is under way
            courier.target.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))
        self.outbox.close()

    def detect(self, on: bool) -> None:
        """Switch detection, as Home Assistant's switch does; raises StoreError where that cannot be kept over a restart."""
        self._detect(on)

    def observe(self, status: dict[str, Any]) -> None:
        """What the daemon says of itself: the figures for Home Assistant, and the size of a frame."""
        self._status = status
        camera = status.get("camera") or {}
        if (size := (camera.get("width") or 0, camera.get("height") or 0)) > (0, 0):
            self._site = dataclasses.replace(self._site, width=size[0], height=size[1])

    def as_json(self) -> list[dict[str, Any]]:
        """For the status file."""
        try:
            counts = self.outbox.counts()
        except StoreError as error:
            return [{"name": "outbox", "last_error": str(error), "failing": True}]
        return [courier.as_json(counts[courier.config.name]) for courier in self._couriers]

    def _known(self) -> tuple[str, ...]:
        self._lists.refresh()
        return tuple(name_of(entry.label, entry.plate) for one in self._lists.book.lists if one.kind != "ignore" for entry in one.entries)

    def _figures(self) -> dict[str, Any]:
        try:
            free_mb = shutil.disk_usage(Path(self._config.store.path).parent).free // 1_000_000
        except OSError:
            free_mb = None
        return homeassistant.state(self._status, health.temperature_c(), free_mb)

    def _detect(self, on: bool) -> None:
        self.detecting = on
        log.info("detection is switched %s", "on" if on else "off")
        self.outbox.write_note("detection", "on" if on else "off")


class _Bell:
    """A target is made before the courier that it wakes."""

    courier: Courier | None = None

    def ring(self) -> None:
        if self.courier is not None:
            self.courier.wake()
