"""Lists, entries and what they let in, as the API answers them and the room shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from edge.lists.book import is_due
from edge.lists.edit import Opened
from edge.lists.entry import PlateList
from edge.lists.exchange import Import
from edge.lists.files import KEYS
from edge.lists.nearby import Odds, odds
from edge.lists.reach import Conflict, conflicts, reach_of
from edge.lists.trial import attempt
from edge.plates.choice import choice
from edge.plates.lookalike import distance
from edge.vision.alphabet import normalise
from edge.web.config_now import config_now
from edge.web.lists.known import Known, Taken

CLASHES = 50
NEAREST = 24


def one_list(one: Known, said: Taken) -> dict[str, Any]:
    """`taken` is whether the daemon has read it as it stands."""
    found = one.opened
    return {
        "id": one.id,
        "file": one.file.path.name,
        "name": one.name,
        "kind": one.kind,
        "plates": len(found.rows) if found else 0,
        "tolerance": found.plates.tolerance if found else 0.0,
        "problem": one.problem or None,
        "etag": found.etag if found else "",
        "taken": said.has(one.file.path),
    }


def entry(opened: Opened, place: int, now: datetime) -> dict[str, Any]:
    """`plate` as it is written, `spelt` as the reader spells it; all else as it stands in the file. `due`: it counts at this moment."""
    row, found = opened.rows[place], opened.plates.entries[place]
    return {key: row.get(key, "") for key in KEYS} | {"spelt": found.plate, "due": is_due(opened.plates, found, now), "schedule": found.schedule}


def search(opened: Opened, text: str, now: datetime) -> list[dict[str, Any]]:
    """All entries, the newest first, that hold the text in their plate, name, group or note."""
    wanted, plain = text.casefold().strip(), normalise(text)
    found = []
    for place in reversed(range(len(opened.rows))):
        row, plate = opened.rows[place], opened.plates.entries[place].plate
        if not wanted or (plain and plain in plate) or any(wanted in row.get(key, "").casefold() for key in ("plate", "name", "group", "note")):
            found.append(entry(opened, place, now))
    return found


def clashes(lists: Sequence[PlateList]) -> tuple[list[Conflict], bool]:
    """The first of them, and whether there are more."""
    found = list(islice(conflicts(lists), CLASHES + 1))
    return found[:CLASHES], len(found) > CLASHES


def clash(one: Conflict) -> dict[str, Any]:
    return {
        "plate": one.plate,
        "list": one.weaker.name,
        "kind": one.weaker.kind,
        "rival": one.rival,
        "rival_list": one.stronger.name,
        "rival_kind": one.stronger.kind,
        "while_due": one.while_due,
    }


@lru_cache(maxsize=64)
def _odds(plates: tuple[str, ...], tolerance: float, country: str) -> Odds:
    return odds(plates, tolerance, choice(country))


def odds_of(opened: Opened, tolerance: float | None = None) -> Odds:
    """That a random plate is taken for one of the list, with its own tolerance or another."""
    plates = tuple(found.plate for found in opened.plates.entries)
    return _odds(plates, opened.plates.tolerance if tolerance is None else tolerance, config_now().country.code)


def reach(opened: Opened, tolerance: float | None, plate: str = "") -> dict[str, Any]:
    """Of the whole list, or of one of its plates with the texts that are taken for it. Raises ConfigError where the plate is not on it."""
    wide = opened.plates.tolerance if tolerance is None else tolerance
    if not plate:
        return {"tolerance": wide, "odds": chances(odds_of(opened, wide)), "plate": None, "others": None, "plates": None, "nearest": []}
    own = opened.plates.entries[opened.place(plate)].plate
    found = reach_of(own, wide, choice(config_now().country.code), NEAREST)
    near = [{"text": text, "distance": round(distance(own, text), 2)} for text in found.nearest]
    return {"tolerance": wide, "odds": chances(found.odds), "plate": own, "others": found.others, "plates": found.plates, "nearest": near}


def chances(found: Odds) -> dict[str, Any]:
    """`one_in`: one of so many, None for none; `at_least`: none was drawn, so that it is one of more than that."""
    unseen = bool(found.draws and not found.hits)
    one_in = found.draws // 3 if unseen else round(1 / found.p) if found.p > 0 else None
    return {"p": found.p, "one_in": one_in, "at_least": unseen, "draws": found.draws}


def trial(lists: Sequence[PlateList], text: str, now: datetime) -> dict[str, Any]:
    found = attempt(lists, text, now)
    near = [
        {
            "list": one.list.name,
            "kind": one.list.kind,
            "plate": one.entry.plate,
            "name": one.entry.label,
            "distance": one.distance,
            "tolerance": one.list.tolerance,
            "within": one.within,
            "due": one.due,
        }
        for one in found.near
    ]
    return {"text": text, "match": None if found.match is None else asdict(found.match), "near": near}


def imported(found: Import, etag: str, written: bool) -> dict[str, Any]:
    return {
        "new": [shown(row) for row in found.new],
        "changed": [{"before": shown(before), "after": shown(after)} for before, after in found.changed],
        "same": found.same,
        "refused": [{"line": line, "why": why} for line, why in found.refused],
        "written": written,
        "etag": etag,
    }


def shown(row: dict[str, str]) -> dict[str, str]:
    return {key: row.get(key, "") for key in KEYS}
