"""What passed: the list, one pass with all that is behind it, their pictures, and how they are forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import PlatewatchError, StoreError
from edge.events.seen import Seen, seen
from edge.events.wanted import DIRECTIONS, LABELS
from edge.labels.label import jpeg_size
from edge.store import Store
from edge.web import deleting, query
from edge.web.api import files
from edge.web.api.event_models import MOST_IDS
from edge.web.chart import Chart, chart, zone_named
from edge.web.rooms.room import Room
from edge.web.scopes import needs
from edge.web.speech import spoken, t
from edge.web.story import marked, story, suggestions

pages = Blueprint("events", __name__)
ROOM = Room("events", pages, path="/events", scope="events:read", group="watch", icon="M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01", thumb=2)
ON_PAGE = 36
FILTERS = ("text", "match", "distance", "camera", "list", "country", "direction", "below", "label", "day", "from", "to", "zone")
BELOW = ("0.99", "0.95", "0.9", "0.8", "0.7")
KEPT_S = 3600
ZONE_COOKIE = "zone"
"""Where the viewer's clocks are, as the script found out; without it the device's own count."""


def arguments() -> dict[str, str]:
    """What is asked for, as the address says it, on the viewer's clocks."""
    found = {name: request.args[name] for name in (*FILTERS, "cursor", "before", "limit") if request.args.get(name)}
    zone = found.get("zone") or request.cookies.get(ZONE_COOKIE, "")[:60]
    return found | ({"zone": zone} if zone_named(zone) or found.get("zone") else {})


@pages.get("/events")
@needs("events:read")
def page() -> ResponseReturnValue:
    problem, code, asked, given = None, 200, query.EventQuery(ON_PAGE), arguments()
    shown: dict[str, Any] = {"found": (), "damaged": (), "following": None, "total": 0, "chart": None, "offered": {}, "before": {}}
    try:
        asked = query.parse(given, ON_PAGE)
        shown |= listed(files().store(), asked, given)
    except query.BadQuery as error:
        problem, code = str(error), 400
    except StoreError as error:
        problem, code = str(error), 503
    except PlatewatchError as error:
        problem, code = f"{error}.", 409
    filters = {name: value for name, value in given.items() if name in FILTERS and name != "zone"}
    return render_template("events.html", asked=asked, given=given, filters=filters, problem=problem, matches=query.MATCHES, **shown), code


def listed(store: Store, asked: query.EventQuery, given: dict[str, str]) -> dict[str, Any]:
    name = files().name()
    page, exact = query.search(store, asked, name), name if asked.match == "exact" else None
    return {
        "found": page.found,
        "damaged": page.damaged,
        "following": page.next,
        "total": query.count(store, asked, name),
        "chart": spread(store, asked, given, exact),
        "offered": choices(store, given),
        "before": {one.event.id: past(store, one.text, one.event.last_seen) for one in page.found},
    }


def spread(store: Store, asked: query.EventQuery, given: dict[str, str], exact: Any) -> Chart:
    return chart(store, asked.wanted, given, asked.zone, files().utc_now(), exact)


def choices(store: Store, given: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Filter -> (value, words). Cameras and countries only where there are several; what is there is told by the index alone."""
    rows = store.rows("SELECT DISTINCT camera, list, country FROM events INDEXED BY events_by_time")
    cameras, lists, countries = (
        sorted({row[place] for row in rows} | {given.get(name, "")} - {""}) for place, name in enumerate(("camera", "list", "country"))
    )
    found = {"camera": [(one, one) for one in cameras]} if len(cameras) > 1 else {}
    found["list"] = [(query.UNKNOWN, t("events.no_list")), *((one, one) for one in lists if one and one != query.UNKNOWN)]
    if countries := [one for one in countries if one]:
        found["country"] = [(one, one.upper()) for one in countries]
    found["direction"] = [(one, t(f"events.direction.{one}")) for one in DIRECTIONS]
    found["below"] = [(one, spoken().percent(float(one))) for one in BELOW]
    found["label"] = [(one, t(f"events.labelled.{one.replace(' ', '_')}")) for one in LABELS]
    return found


def past(store: Store, text: str, before: str) -> Seen:
    return seen(store, text, 0.0, before)


@pages.get("/events/<event_id>")
@needs("events:read")
def one(event_id: str) -> ResponseReturnValue:
    try:
        found = story(files().store(), event_id, Path(files().config.gate.audit), files().config.targets)
        crop = files().store().crop(event_id)
    except StoreError as error:
        abort(503, str(error))
    if found is None:
        abort(404, t("events.gone"))
    event, proof = found.found.event, found.evidence
    ways = {"marked": lambda text: marked(text, event.text), "suggestions": suggestions(event.text, proof)}
    return render_template(
        "event.html",
        story=found,
        event=event,
        label=found.found.label,
        proof=proof,
        size=jpeg_size(crop or b""),
        has_crop=bool(crop),
        has_lists="lists" in current_app.extensions["rooms"],
        **ways,
    )


@pages.post("/events/delete")
@needs("events:write")
def delete() -> ResponseReturnValue:
    """First how many they are, then, with `expected`, what was asked for."""
    every = request.form.get("all") == "yes"
    ids = [] if every else [id[: query.LONGEST_ID] for id in request.form.getlist("ids")[:MOST_IDS]]
    wanted = {name: request.form[name] for name in FILTERS if request.form.get(name)} if every else None
    expected = request.form.get("expected", "")
    problem, code = "", 200
    try:
        if not every and not ids:
            raise query.BadQuery(t("events.none_chosen"))
        if expected.isdecimal() and len(expected) < 10:
            gone = deleting.delete(ids, wanted, int(expected))
            return redirect(f"/events?deleted={gone.events}", 303)
        count = deleting.count(ids, wanted)
    except query.BadQuery as error:
        problem, code, count = str(error), 400, 0
    except StoreError as error:
        problem, code, count = str(error), 503, 0
    except PlatewatchError as error:
        problem, code, count = f"{error}.", 409, 0
    filters = {name: value for name, value in (wanted or {}).items() if name != "zone"}
    return render_template("events_delete.html", ids=ids, wanted=wanted, filters=filters, count=count, problem=problem), code


@pages.get("/crops/<event_id>.jpg")
@needs("events:read")
def crop(event_id: str) -> ResponseReturnValue:
    """An event's picture never changes, so that a browser may keep it for an hour; not longer, since an event may be deleted."""
    return picture(lambda: files().store().crop(event_id))


@pages.get("/crops/frame/<event_id>.jpg")
@needs("events:read")
def frame(event_id: str) -> ResponseReturnValue:
    """The whole picture, where one was kept."""
    return picture(lambda: files().store().frame(event_id))


def picture(ask: Any) -> ResponseReturnValue:
    try:
        jpeg = ask()
    except StoreError as error:
        abort(503, str(error))
    if not jpeg:
        abort(404, t("events.no_picture"))
    return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": f"private, max-age={KEPT_S}, immutable"})
