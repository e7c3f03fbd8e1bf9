"""What a request asks of the event list, checked before the store sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from edge.records import Event
from edge.store import Store
from edge.vision.alphabet import normalise

MOST = 200
LONGEST_TEXT = 32
LONGEST_ID = 200
Match = Literal["contains", "prefix", "exact"]
MATCHES = ("contains", "prefix", "exact")


class BadQuery(ValueError):
    """A sentence for the one who asked."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """`before` is the id of the last event already seen; `text` is normalised as plates are."""

    limit: int = 50
    before: str | None = None
    text: str | None = None
    match: Match = "contains"


def parse(arguments: Mapping[str, str], limit: int = 50) -> EventQuery:
    """From a query string; BadQuery names the argument and what it may be."""
    asked = arguments.get("limit", "")
    if asked:
        if not (asked.isascii() and asked.isdecimal()) or not 1 <= int(asked[:9]) <= MOST:
            raise BadQuery(f"limit is a whole number from 1 to {MOST}, not {asked[:20]!r}.")
        limit = int(asked)
    text, before, match = arguments.get("text", ""), arguments.get("before", ""), arguments.get("match", "contains")
    if len(text) > LONGEST_TEXT:
        raise BadQuery(f"text is at most {LONGEST_TEXT} characters.")
    if len(before) > LONGEST_ID:
        raise BadQuery("before is the id of an event.")
    if match not in MATCHES:
        raise BadQuery(f"match is one of {', '.join(MATCHES)}, not {match[:20]!r}.")
    normal = normalise(text)
    if text.strip() and not normal:
        raise BadQuery("text holds no letter or digit that stands on a plate.")
    return EventQuery(limit, before or None, normal or None, cast(Match, match))


def find(store: Store, query: EventQuery) -> list[Event]:
    """Newest first. The store knows `contains`; the two narrower matches are picked from what it gives."""
    text = query.text
    if text is None or query.match == "contains":
        return store.events(query.limit, query.before, text)
    found: list[Event] = []
    before = query.before
    while len(found) < query.limit:
        page = store.events(MOST, before, text)
        found += [event for event in page if event.text == text or (query.match == "prefix" and event.text.startswith(text))]
        if len(page) < MOST:
            break
        before = page[-1].id
    return found[: query.limit]
