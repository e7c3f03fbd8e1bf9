"""What people said about plates: how right the device was, and the set to learn from."""

from __future__ import annotations

from itertools import islice
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import PlatewatchError, StoreError
from edge.events.wanted import Wanted
from edge.labels import book
from edge.labels.label import JUDGEMENTS
from edge.labels.report import report
from edge.store import Store
from edge.web import saying
from edge.web.api import files
from edge.web.rooms.events import picture
from edge.web.rooms.room import Room
from edge.web.scopes import needs

pages = Blueprint("corrections", __name__)
ROOM = Room(
    "corrections",
    pages,
    path="/corrections",
    scope="events:read",
    group="watch",
    icon="M4 20l1-4L16.500 4.500a2.100 2.100 0 0 1 3 3L8 19l-4 1M14.500 6.500l3 3M13 20h7",
    thumb=21,
)
ON_PAGE = 24
ENOUGH = 40
"""Plates that `train finetune` needs at least (docs/retraining.md)."""


@pages.get("/corrections")
@needs("events:read")
def page() -> ResponseReturnValue:
    return show()


def show(problem: str = "", code: int = 200) -> ResponseReturnValue:
    kind, before = request.args.get("kind", ""), request.args.get("before", "")
    found: dict[str, Any] = {"told": None, "labels": [], "following": None, "counts": {}, "plates": 0, "pictured": 0, "gone": set()}
    try:
        found |= labelled(files().store(), kind if kind in JUDGEMENTS else "", int(before) if before.isdecimal() and len(before) < 16 else 0)
    except StoreError as error:
        problem, code = problem or str(error), 503
    page = render_template(
        "corrections.html", problem=problem, kind=kind, before=before, enough=ENOUGH, kinds=JUDGEMENTS, command=command(files().config.country.code), **found
    )
    return page, code


def labelled(store: Store, kind: str, before: int) -> dict[str, Any]:
    everything = list(book.labels(store))
    found = list(islice(book.labels(store, Wanted(label=kind, before=before)), ON_PAGE + 1))
    plates = {one.told.text for one in everything if one.width} - {""}
    return {
        "told": report(everything, store.count()),
        "labels": found[:ON_PAGE],
        "following": found[ON_PAGE - 1].seq if len(found) > ON_PAGE else None,
        "gone": {one.event for one in found if not store.rows("SELECT 1 FROM events WHERE id = ?", one.event)},
        "counts": {name: sum(one.told.judgement == name for one in everything) for name in JUDGEMENTS},
        "plates": len(plates),
        "pictured": sum(one.width > 0 for one in everything),
    }


def command(country: str) -> str:
    """What to type on a computer that trains (docs/retraining.md)."""
    code = country.replace(" ", "")
    of = f" --country {code}" if code not in ("auto", "none") else ""
    return f"unzip corrections.zip\n.venv/bin/python -m train finetune --from reader --data corrections{of} --out runs/mine"


@pages.post("/corrections/<id>")
@needs("events:write")
def say(id: str) -> ResponseReturnValue:
    """Confirmed, corrected, not a plate; or taken back. Then back to where it was said."""
    judgement = request.form.get("judgement") or "corrected"
    try:
        if judgement == "undo":
            files().labels().undo(id)
        elif judgement in JUDGEMENTS:
            saying.say(id, judgement, (request.form.get("pick") or request.form.get("text", ""))[:32])
        else:
            abort(400)
    except StoreError as error:
        return show(str(error), 503)
    except PlatewatchError as error:
        said = str(error)
        return show(f"{said[:1].upper()}{said[1:].rstrip('.')}.", 409)
    onward = request.form.get("next", "")
    return redirect(onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) else "/corrections", 303)


@pages.get("/crops/label/<int:seq>.jpg")
@needs("events:read")
def crop(seq: int) -> ResponseReturnValue:
    return picture(lambda: book.picture(files().store(), seq) if seq < 1 << 60 else None)
