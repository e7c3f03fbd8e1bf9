"""A search as SQL. Texts and times are looked up in the two indexes of the events; the rest is asked of the narrower one, never of the events themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.events.wanted import NO_LIST, Wanted
from edge.store import PREVIEW, Store

if TYPE_CHECKING:
    from edge.labels.label import Label

ENUMERATED = 1.2
"""Up to this lookalike distance all texts within it are listed and looked up; beyond they would be too many, and each stored text is compared."""
NARROW = "INDEXED BY events_by_time"


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on the rows of `events`, and their values. `near` are the texts within the distance asked for, None where none was.

    `led` when a text or a label leads to the few rows.
    """

    conditions: tuple[str, ...]
    values: tuple[str | int | float, ...]
    near: dict[str, float] | None = None
    led: bool = False

    @property
    def sql(self) -> str:
        return " AND ".join(self.conditions) or "true"

    @property
    def hint(self) -> str:
        """The index to read where nothing leads to the rows."""
        return "" if self.led else NARROW


def where(store: Store, wanted: Wanted, name: Callable[[str], str] | None = None, *, previews: bool = False) -> Where:
    """For the events that are wanted. `name` gives the pseudonym under which a plate may be stored."""
    conditions, values = ([] if previews else [f"NOT {PREVIEW}"]), list[str | int | float]()
    near = close_texts(store, wanted.plate, wanted.fuzzy) if wanted.plate and wanted.fuzzy else None
    if wanted.plate:
        said, texts = saying(wanted.plate, near, name)
        read = f"SELECT seq FROM events WHERE {said.format('events.text')}"
        labelled = f"SELECT events.seq FROM labels CROSS JOIN events ON events.id = labels.event WHERE {said.format('labels.text')}"
        conditions.append(f"events.seq IN ({read} UNION {labelled})")
        values += [*texts, *texts]
    for column in ("country", "direction", "camera"):
        if asked := getattr(wanted, column):
            conditions.append(f"events.{column} = ?")
            values.append(asked)
    if wanted.list:
        conditions.append("events.list = ?")
        values.append("" if wanted.list == NO_LIST else wanted.list)
    for limit, sql in ((wanted.since, "events.last_seen >= ?"), (wanted.until, "events.last_seen < ?")):
        if limit:
            conditions.append(sql)
            values.append(limit)
    if wanted.below:
        conditions.append("events.confidence < ?")
        values.append(wanted.below)
    if wanted.before:
        conditions.append("events.seq < ?")
        values.append(wanted.before)
    if wanted.label:
        labelled = "SELECT events.seq FROM labels CROSS JOIN events ON events.id = labels.event"
        one = "" if wanted.label in ("any", "none") else " WHERE labels.verdict = ?"
        conditions.append(f"events.seq {'NOT ' if wanted.label == 'none' else ''}IN ({labelled}{one})")
        values += [wanted.label] if one else []
    return Where(tuple(conditions), tuple(values), near, bool(wanted.plate) or wanted.label not in ("", "none"))


def saying(plate: str, near: Collection[str] | None, name: Callable[[str], str] | None = None) -> tuple[str, list[str]]:
    """Of a column with texts (`{0}`): is it the plate, does it fit the pattern, is it one of the `near`? With the values."""
    if near is not None:
        return "{0} IN (SELECT value FROM json_each(?))", [json.dumps(sorted(near))]
    if not set(plate) & set("*?"):
        names = [plate, name(plate)] if name else [plate]
        return f"{{0}} IN ({', '.join('?' * len(names))})", names
    head = re.split(r"[*?]", plate)[0]
    conditions, values = [], list[str]()
    if head:
        conditions, values = ["{0} >= ?", "{0} < ?"], [head, head[:-1] + chr(ord(head[-1]) + 1)]
    if plate != f"{head}*":
        conditions, values = [*conditions, "{0} GLOB ?"], [*values, plate]
    return " AND ".join(conditions), values


def close_texts(store: Store, plate: str, most: float) -> dict[str, float]:
    """{text: distance} of the texts within a lookalike distance: all that there could be where those are few, else all that are stored."""
    from edge.lists.nearby import accepted
    from edge.plates.lookalike import within

    if most <= ENUMERATED and (listed := accepted(plate, most)) is not None:
        return listed
    longest, shortest = len(plate) + int(most), len(plate) - int(most)
    stored = store.rows("SELECT text FROM events WHERE length(text) BETWEEN ?1 AND ?2 UNION SELECT text FROM labels", shortest, longest)
    return {text: away for (text,) in stored if text and (away := within(plate, text, most)) is not None}


def fits(label: Label, wanted: Wanted, texts: Callable[[str], bool]) -> bool:
    """The same question of a label, whose event may be gone. `texts` tells whether a text is asked for."""
    asked = ((wanted.camera, label.camera), (wanted.country, label.country), (wanted.direction, label.direction))
    listed = "" if wanted.list == NO_LIST else wanted.list
    return (
        (not wanted.plate or texts(label.read) or texts(label.told.text))
        and all(not want or want == has for want, has in asked)
        and (not wanted.list or listed == label.list)
        and (not wanted.since or label.last_seen >= wanted.since)
        and (not wanted.until or label.last_seen < wanted.until)
        and (not wanted.below or label.confidence < wanted.below)
        and wanted.label in ("", "any", label.told.judgement)
    )
