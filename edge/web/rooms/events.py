"""What passed: the list, one pass, and its picture."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import StoreError
from edge.records import Event
from edge.web import query
from edge.web.api import files
from edge.web.rooms.room import Room
from edge.web.scopes import needs
from edge.web.speech import t

pages = Blueprint("events", __name__)
ROOM = Room("events", pages, path="/events", scope="events:read", group="watch", icon="M8 6h13M8 12h13M8 18h13M3.5 6h.01M3.5 12h.01M3.5 18h.01", thumb=2)
ON_PAGE = 36


@pages.get("/events")
@needs("events:read")
def page() -> ResponseReturnValue:
    found, problem, code, asked = list[Event](), None, 200, query.EventQuery(ON_PAGE)
    try:
        asked = query.parse(request.args, ON_PAGE)
        found = query.find(files().store(), asked)
    except query.BadQuery as error:
        problem, code = str(error), 400
    except StoreError as error:
        problem, code = str(error), 503
    following = found[-1].id if len(found) == asked.limit else None
    return render_template("events.html", events=found, asked=asked, typed=request.args.get("text", ""), following=following, problem=problem), code


@pages.get("/events/<event_id>")
@needs("events:read")
def one(event_id: str) -> ResponseReturnValue:
    try:
        found = files().store().event(event_id)
    except StoreError as error:
        abort(503, str(error))
    if found is None:
        abort(404, t("events.gone"))
    return render_template("event.html", event=found)


@pages.get("/crops/<event_id>.jpg")
@needs("events:read")
def crop(event_id: str) -> ResponseReturnValue:
    """An event's picture never changes, so that a browser may keep it for an hour; not longer, since an event may be deleted."""
    try:
        jpeg = files().store().crop(event_id)
    except StoreError as error:
        abort(503, str(error))
    if jpeg is None:
        abort(404, t("events.no_picture"))
    return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=3600, immutable"})
