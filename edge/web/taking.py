"""Events as a file: streamed a page at a time, so that a hundred thousand need no more memory than a few."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from edge.events.export import json_line, row_of, write_csv
from edge.events.query import Found
from edge.store import Store
from edge.web import query

AT_ONCE = 500
log = logging.getLogger(__name__)


def pages(store: Store, asked: query.EventQuery, name: Callable[[str], str] | None) -> Iterator[tuple[Found, ...]]:
    """All that is asked for, newest first; what comes meanwhile is not among them."""
    asked = replace(asked, limit=AT_ONCE)
    while True:
        page = query.search(store, asked, name)
        if page.damaged:
            log.warning("%d damaged events are not in the export", len(page.damaged))
        if page.found:
            yield page.found
        if page.next is None:
            return
        asked = replace(asked, cursor=int(page.next))


def as_csv(store: Store, asked: query.EventQuery, name: Callable[[str], str] | None) -> Iterator[bytes]:
    """With a header, also where there are no events."""
    yield _csv(())
    for found in pages(store, asked, name):
        yield _csv(found).partition(b"\r\n")[2]


def as_json(store: Store, asked: query.EventQuery, name: Callable[[str], str] | None) -> Iterator[bytes]:
    """One array, an event a line; `stage` as /api/events has it."""
    yield b"["
    comma = "\n"
    for found in pages(store, asked, name):
        lines = [json_line(one)[:-1] + ', "stage": "final"}' for one in found]
        yield (comma + ",\n".join(lines)).encode()
        comma = ",\n"
    yield b"\n]\n"


def _csv(found: tuple[Found, ...]) -> bytes:
    out = io.StringIO()
    write_csv(out, (row_of(one) for one in found))
    return out.getvalue().encode()
