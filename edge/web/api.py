"""JSON for everything that the page shows. Every error has one shape: {"error": {"status", "message"}}."""

from __future__ import annotations

import threading
from typing import cast

from flask import Blueprint, Response, abort, current_app, jsonify, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from edge.errors import StoreError
from edge.web import query
from edge.web.daemon_files import DaemonFiles
from edge.web.door import door
from edge.web.snapshot import snapshot
from edge.web.stream import Places, messages

api = Blueprint("api", __name__)


def files() -> DaemonFiles:
    return cast(DaemonFiles, current_app.extensions["daemon_files"])


def problem(error: HTTPException) -> ResponseReturnValue:
    """The one shape of an error."""
    code = error.code or 500
    return jsonify(error={"status": code, "message": error.description or error.name}), code


@api.errorhandler(StoreError)
def store_problem(error: StoreError) -> ResponseReturnValue:
    return jsonify(error={"status": 503, "message": str(error)}), 503


@api.errorhandler(query.BadQuery)
def query_problem(error: query.BadQuery) -> ResponseReturnValue:
    return jsonify(error={"status": 400, "message": str(error)}), 400


@api.get("/api/status")
def get_status() -> ResponseReturnValue:
    """`?watching=1` also asks the daemon for the live picture."""
    if request.args.get("watching"):
        files().watch()
    return jsonify(snapshot(files()))


@api.get("/api/events")
def get_events() -> ResponseReturnValue:
    asked = query.parse(request.args)
    found = query.find(files().store(), asked)
    return jsonify(events=[event.as_json() for event in found], next=found[-1].id if len(found) == asked.limit else None)


@api.get("/api/events/<event_id>")
def get_event(event_id: str) -> ResponseReturnValue:
    event = files().store().event(event_id)
    if event is None:
        abort(404, "There is no such event; it may have been deleted.")
    return jsonify(event.as_json())


@api.get("/api/stream")
def get_stream() -> ResponseReturnValue:
    """`?after=ID` (or Last-Event-ID, which a browser sends when it comes back) first sends the events that came since."""
    places, stop = cast(Places, current_app.extensions["places"]), cast(threading.Event, current_app.extensions["stop"])
    after = request.headers.get("Last-Event-ID") or request.args.get("after")
    token, keeper = session.get("token"), door()
    has_left = request.environ.get("waitress.client_disconnected", lambda: False)
    leave = places.take()
    if leave is None:
        abort(503, "All live streams are taken; ask /api/status instead.")
    body = messages(files(), after, lambda: keeper.is_open_to(token) and not has_left(), stop)
    response = Response(body, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(leave)
    return response
