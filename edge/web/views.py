"""The pages for people, and the pictures on them."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import StoreError
from edge.records import Event
from edge.web import query
from edge.web.api import files
from edge.web.snapshot import snapshot

views = Blueprint("views", __name__)
ON_LIVE, ON_PAGE = 10, 36


@views.get("/")
def live() -> ResponseReturnValue:
    files().watch()  # the picture is then ready by the time the script asks for it
    now, events = snapshot(files()), list[Event]()
    if now["store"]["readable"]:
        try:
            events = files().store().events(ON_LIVE)
        except StoreError as problem:
            now["store"] = {"readable": False, "problem": str(problem)}
    return render_template("live.html", now=now, events=events, keep=ON_LIVE)


@views.get("/events")
def events() -> ResponseReturnValue:
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


@views.get("/events/<event_id>")
def event(event_id: str) -> ResponseReturnValue:
    try:
        found = files().store().event(event_id)
    except StoreError as error:
        abort(503, str(error))
    if found is None:
        abort(404, "There is no such event; it may have been deleted.")
    return render_template("event.html", event=found)


@views.get("/live.jpg")
def live_picture() -> ResponseReturnValue:
    """Asking for it is watching. Browsers show the placeholder that comes with the 503."""
    files().watch()
    made_at, jpeg = files().picture_at(), files().picture()
    if jpeg is None or made_at is None:
        return Response(render_template("placeholder.svg"), 503, mimetype="image/svg+xml", headers={"Retry-After": "1"})
    response = Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "no-cache, private"})
    response.set_etag(f"{made_at:.6f}")
    return response.make_conditional(request)


@views.get("/crops/<event_id>.jpg")
def crop(event_id: str) -> ResponseReturnValue:
    """An event's picture never changes, so that a browser may keep it for an hour; not longer, since an event may be deleted."""
    try:
        jpeg = files().store().crop(event_id)
    except StoreError as error:
        abort(503, str(error))
    if jpeg is None:
        abort(404, "This event has no picture.")
    return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=3600, immutable"})
