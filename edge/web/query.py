"""What a request asks of the event list, checked before the store sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Literal, TypeVar, cast

from edge.errors import ConfigError
from edge.events import query as events
from edge.events.query import Broken, Found
from edge.events.wanted import DIRECTIONS, LABELS, NO_LIST, Wanted, day, moment, zone_of
from edge.records import Event
from edge.store import Store
from edge.vision.alphabet import normalise

MOST = 200
LONGEST_TEXT = 32
LONGEST_ID = 200
LONGEST_NAME = 100
FARTHEST = 1.5
"""A larger lookalike distance is no likeness."""
DISTANCE = 0.5
Match = Literal["contains", "prefix", "exact", "pattern", "fuzzy"]
MATCHES = ("contains", "prefix", "exact", "pattern", "fuzzy")
UNKNOWN = "unknown"
"""As the page calls plates of no list."""


T = TypeVar("T")


class BadQuery(ValueError):
    """A sentence for the one who asked."""


@dataclass(frozen=True, slots=True)
class EventQuery:
    """`before` is the id of the last event already seen, `cursor` what `Page.next` said; `text` is normalised as plates are, and `rest` says all else."""

    limit: int = 50
    before: str | None = None
    text: str | None = None
    match: Match = "contains"
    distance: float = DISTANCE
    rest: Wanted = field(default_factory=Wanted)
    cursor: int = 0
    zone: tzinfo | None = None

    @property
    def wanted(self) -> Wanted:
        """All of it, as the store is asked."""
        if not self.text:
            return self.rest
        return replace(self.rest, plate=_plate(self.text, self.match), fuzzy=self.distance if self.match == "fuzzy" else 0.0)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first. `next` asks for the following page, None on the last; new events shift nothing. `damaged` stand among them and cannot be shown."""

    found: tuple[Found, ...]
    next: str | None
    damaged: tuple[Broken, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"events": [one.as_json() for one in self.found], "next": self.next, "damaged": len(self.damaged)}


def parse(arguments: Mapping[str, str], limit: int = 50) -> EventQuery:
    """From a query string; BadQuery names the argument and what it may be.

    text, match, distance (fuzzy: 0 to 1.5), camera, list (a name or "unknown"), day or from and to (dates or times of `zone`, a time zone's name),
    country, direction, below (a confidence), label (any, corrected, confirmed, not a plate, none), limit, before or cursor.
    """
    asked = arguments.get("limit", "")
    if asked:
        if not (asked.isascii() and asked.isdecimal()) or not 1 <= int(asked[:9]) <= MOST:
            raise BadQuery(f"limit is a whole number from 1 to {MOST}, not {asked[:20]!r}.")
        limit = int(asked)
    before, match = arguments.get("before", ""), arguments.get("match") or "contains"
    if len(before) > LONGEST_ID:
        raise BadQuery("before is the id of an event.")
    if match not in MATCHES:
        raise BadQuery(f"match is one of {', '.join(MATCHES)}, not {match[:20]!r}.")
    text = _text(arguments.get("text", ""), match)
    zone = _said(lambda: zone_of(arguments.get("zone", ""), "zone"))
    since, until = _times(arguments, zone)
    listed = _name(arguments, "list")
    distance = _number(arguments, "distance", FARTHEST, DISTANCE) if text and match == "fuzzy" else DISTANCE
    rest = Wanted(
        since=since,
        until=until,
        camera=_name(arguments, "camera"),
        list=NO_LIST if listed == UNKNOWN else listed,
        limit=limit,
        country=_name(arguments, "country").lower(),
        direction=_one_of(arguments, "direction", DIRECTIONS),
        below=_number(arguments, "below", 1.0, 0.0),
        label=_one_of(arguments, "label", LABELS),
    )
    return EventQuery(limit, before or None, text, cast(Match, match), distance, rest, _cursor(arguments.get("cursor", "")), zone)


def search(store: Store, query: EventQuery, name: Callable[[str], str] | None = None) -> Page:
    """A page. `name` gives the pseudonym under which a whole plate may be stored. Raises BadQuery where the event `before` is not there any more."""
    wanted = replace(query.wanted, limit=query.limit + 1, before=query.cursor or _place(store, query.before))
    found = events.find(store, wanted, _known_as(query, name))
    last = found[query.limit - 1].seq if len(found) > query.limit else 0
    return Page(tuple(found[: query.limit]), str(last) if last else None, tuple(one for one in found.damaged if one.seq > last))


def count(store: Store, query: EventQuery, name: Callable[[str], str] | None = None) -> int:
    """On all pages together."""
    return events.count(store, query.wanted, _known_as(query, name))


def find(store: Store, query: EventQuery, name: Callable[[str], str] | None = None) -> list[Event]:
    """Newest first, a page of plain events. After an event that has gone there is nothing."""
    try:
        return [one.event for one in search(store, query, name).found]
    except BadQuery:
        return []


def _known_as(query: EventQuery, name: Callable[[str], str] | None) -> Callable[[str], str] | None:
    return name if query.match == "exact" else None  # a part of a plate is no part of its pseudonym


def _place(store: Store, before: str | None) -> int:
    if before is None:
        return 0
    rows = store.rows("SELECT seq FROM events WHERE id = ?", before)
    if not rows:
        raise BadQuery("the event that the page should go on after is gone; begin anew.")
    return int(rows[0][0])


def _text(typed: str, match: str) -> str | None:
    if len(typed) > LONGEST_TEXT:
        raise BadQuery(f"text is at most {LONGEST_TEXT} characters.")
    normal = "".join(char if char in "*?" else normalise(char) for char in typed) if match == "pattern" else normalise(typed)
    if typed.strip() and not normal.strip("*?"):
        raise BadQuery("text holds no letter or digit that stands on a plate.")
    return normal or None


def _plate(text: str, match: str) -> str:
    return {"contains": f"*{text}*", "prefix": f"{text}*"}.get(match, text)


def _times(arguments: Mapping[str, str], zone: tzinfo | None) -> tuple[str, str]:
    of, since, until = (arguments.get(key, "")[:40] for key in ("day", "from", "to"))
    if of:
        if since or until:
            raise BadQuery("day is one day, from and to are a span; give one of the two.")
        return _said(lambda: day(of, "day", zone))
    ends = _said(lambda: moment(since, "from", zone) if since else ""), _said(lambda: moment(until, "to", zone) if until else "")
    if all(ends) and ends[0] > ends[1]:
        raise BadQuery("from is later than to.")
    return ends


def _said(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except ConfigError as error:
        raise BadQuery(f"{error}.") from None


def _number(arguments: Mapping[str, str], key: str, most: float, default: float) -> float:
    typed = arguments.get(key, "")
    try:
        found = float(typed) if typed else default
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise BadQuery(f"{key} is a number from 0 to {most:g}, not {typed[:20]!r}.")
    return found


def _name(arguments: Mapping[str, str], key: str) -> str:
    if len(found := arguments.get(key, "")) > LONGEST_NAME:
        raise BadQuery(f"{key} is at most {LONGEST_NAME} characters.")
    return found


def _one_of(arguments: Mapping[str, str], key: str, known: tuple[str, ...]) -> str:
    found = arguments.get(key, "")
    if found and found not in known:
        raise BadQuery(f"{key} is one of {', '.join(known)}, not {found[:20]!r}.")
    return found


def _cursor(typed: str) -> int:
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) <= 18):
        raise BadQuery("cursor is what an earlier answer gave as next.")
    return int(typed or 0)
