"""Events that are deleted from the page: counted before, and written into the access log."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import request

from edge.errors import PlatewatchError, StoreError
from edge.events.erase import Doomed, Erased, doomed, erase
from edge.web import query
from edge.web.api.given import files
from edge.web.scopes import caller

PATIENCE_S = 2.0
log = logging.getLogger(__name__)


class Changed(PlatewatchError):
    """There are more or fewer by now than whoever asked was told."""


def count(ids: Sequence[str], arguments: Mapping[str, str] | None) -> int:
    """How many would go. Raises BadQuery and StoreError."""
    store = files().store()
    if arguments is None:
        return sum(bool(store.rows("SELECT 1 FROM events WHERE id = ?", id)) for id in dict.fromkeys(ids))
    return query.count(store, query.parse(arguments), files().name())


def delete(ids: Sequence[str], arguments: Mapping[str, str] | None, expected: int) -> Erased:
    """Changed where they are not so many. Raises BadQuery and StoreError."""
    found = count(ids, arguments)
    if found != expected:
        raise Changed(f"there are {found} by now, not {expected}; nothing was deleted, look once more")
    store = files().writable()
    gone = erase(store, files().config, _doomed(ids, arguments), patience_s=PATIENCE_S)
    note("deleted events", gone.events)
    return gone


def _doomed(ids: Sequence[str], arguments: Mapping[str, str] | None) -> Doomed:
    if arguments is None:
        return Doomed(tuple(ids))
    asked = query.parse(arguments)
    return doomed(files().store(), replace(asked.wanted, limit=-1), files().name() if asked.match == "exact" else None)


def who() -> str:
    """The user's or token's name; without a password the address."""
    return caller().name if caller().by != "open" else str(request.remote_addr)


def note(did: str, events: int) -> None:
    """Into the access log, where one is kept; what cannot be written is logged and no more."""
    if not files().config.privacy.access_log_rows:
        return
    try:
        files().note(who(), did, events)
    except StoreError as error:
        log.error("this could not be written into the access log: %s", error)
