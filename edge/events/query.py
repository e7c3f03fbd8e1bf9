"""Which events are meant: plates, times, cameras and lists, from the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge.errors import ConfigError
from edge.lists.entry import spelt
from edge.plates.lookalike import HAIR, distance
from edge.records import Event
from edge.status import utc_iso
from edge.store import PREVIEW, Store, event_of

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
NO_LIST = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`plate` is a plate, or a pattern with `*` (any characters) and `?` (one); `fuzzy` accepts texts within that lookalike distance of a plate.

    `since` and `until` are UTC, ISO 8601; an event is dated by when it was last seen. `list` "none" means the plates of no list.
    """

    plate: str = ""
    fuzzy: float = 0.0
    since: str = ""
    until: str = ""
    camera: str = ""
    list: str = ""
    limit: int = -1

    @property
    def everything(self) -> bool:
        return not (self.plate or self.since or self.until or self.camera or self.list)


@dataclass(frozen=True, slots=True)
class Found:
    """An event without its picture, and how far its text is from the plate that was asked for."""

    event: Event
    distance: float = 0.0


def plate_of(words: str, fuzzy: float) -> str:
    """A plate or pattern as the store spells it; raises ConfigError."""
    pattern = bool(set(words) & set("*?"))
    if pattern and fuzzy:
        raise ConfigError(f"--plate {words}: a pattern has no distance; leave out --fuzzy, or the * and ?")
    if pattern:
        kept = "".join(char for char in words.upper() if char in "*?" or (char.isascii() and char.isalnum()))
        if not kept.strip("*?"):
            raise ConfigError(f"--plate {words}: names no character; leave --plate out for all plates")
        return kept
    try:
        return spelt(words)
    except ValueError as error:
        raise ConfigError(f"--plate: {error}") from None


def moment(words: str, option: str) -> str:
    """UTC, ISO 8601, of a date or a time of this device's zone; raises ConfigError."""
    try:
        return utc_iso(datetime.fromisoformat(words).astimezone(UTC))
    except ValueError:
        raise ConfigError(f"{option} {words}: is no time; write 2026-11-22, or 2026-11-22T21:05") from None


def ago(words: str, now: datetime) -> str:
    """UTC, ISO 8601, of "30min", "24h", "7d" before now; raises ConfigError."""
    found = re.fullmatch(r"(\d{1,6})\s*(s|min|h|d|w)", words.strip())
    if found is None:
        raise ConfigError(f"--last {words}: is no span of time; write 30min, 24h, 7d or 2w")
    try:
        return utc_iso(now - timedelta(seconds=int(found[1]) * UNITS[found[2]]))
    except OverflowError:
        raise ConfigError(f"--last {words}: is longer than time") from None


def find(store: Store, wanted: Wanted, name: Callable[[str], str] | None = None, *, previews: bool = False) -> list[Found]:
    """Newest first; without `previews` of events that are still to come.

    `name` gives the pseudonym under which a plate may be stored; a pattern or a distance knows none.
    """
    if name is not None and wanted.plate and (wanted.fuzzy or set(wanted.plate) & set("*?")):
        raise ConfigError("with privacy.pseudonyms only a whole plate can be looked for; leave out * and ? and --fuzzy")
    where, values = ["true" if previews else f"NOT {PREVIEW}"], list[str | int]()
    if wanted.plate and not wanted.fuzzy:
        names = [wanted.plate, name(wanted.plate)] if name else [wanted.plate]
        where.append("text GLOB ?" if set(wanted.plate) & set("*?") else f"text IN ({', '.join('?' * len(names))})")
        values += names
    for words, sql in ((wanted.since, "last_seen >= ?"), (wanted.until, "last_seen < ?"), (wanted.camera, "json_extract(json, '$.camera') = ?")):
        if words:
            where.append(sql)
            values.append(words)
    if wanted.list:
        where.append("list = ?")
        values.append("" if wanted.list == NO_LIST else wanted.list)
    many = -1 if wanted.fuzzy else wanted.limit
    rows = store.rows(f"SELECT json FROM events WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?", *values, many)
    if not wanted.fuzzy:
        return [Found(event_of(row[0])) for row in rows]
    near = [Found(event, away) for row in rows if (away := distance(wanted.plate, (event := event_of(row[0])).text)) <= wanted.fuzzy + HAIR]
    return near if wanted.limit < 0 else near[: wanted.limit]
