"""How the daemon comes to its store: whatever is wrong with it, plates are read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import StoreError
from edge.keeping.aside import move_aside
from edge.keeping.schema import Damaged
from edge.store import Store

log = logging.getLogger(__name__)


def open_store(path: Path, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
    """The store, checked whole; a damaged one is set aside. Where it cannot be opened it is opened later, and says so until then.

    Raises StoreError only for what patience does not mend: the store of a newer version.
    """
    try:
        store = Store(path, patient=True)
    except Damaged as error:
        log.error("%s", error)
        try:
            move_aside(path, wall())
        except OSError as why:
            raise StoreError(f"{error}; it could not be set aside ({why.strerror})") from None
        return Store(path, patient=True)
    try:
        store.check()
    except Damaged as error:
        log.error("%s", error)
        store.set_aside(wall())
    except StoreError as error:
        log.error("%s; plates are read all the same, and their events wait", error)
    return store
