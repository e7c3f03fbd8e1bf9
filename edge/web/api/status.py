"""The state of the device, once or as it changes."""

from __future__ import annotations

import threading
from typing import Any, cast

from flask import Response, abort, current_app, request

from edge.web.api.declare import endpoint
from edge.web.api.given import files
from edge.web.api.models import StatusAnswer, StatusQuery, StreamQuery
from edge.web.door import door
from edge.web.scopes import caller, may
from edge.web.snapshot import snapshot
from edge.web.speech import spoken
from edge.web.stream import Places, messages


@endpoint("GET", "/api/status", scope="status:read", tag="status", summary="What the device does", query=StatusQuery, answer=StatusAnswer)
def get_status(query: StatusQuery) -> dict[str, Any]:
    if query.watching == "1":
        files().watch()
    return snapshot(files(), spoken())


@endpoint(
    "GET",
    "/api/stream",
    scope="status:read",
    tag="status",
    summary="Each change of the status and each new event, as server-sent events",
    query=StreamQuery,
    errors=(503,),
    media="text/event-stream",
)
def get_stream(query: StreamQuery) -> Response:
    """`Last-Event-ID`, which a browser sends when it comes back, goes before `after`. Events are sent to who has `events:read`."""
    places, stop = cast(Places, current_app.extensions["places"]), cast(threading.Event, current_app.extensions["stop"])
    after = request.headers.get("Last-Event-ID") or request.args.get("after")
    who, keeper = caller(), door()
    has_left = request.environ.get("waitress.client_disconnected", lambda: False)
    leave = places.take()
    if leave is None:
        abort(503, "All live streams are taken; ask /api/status instead.")
    body = messages(files(), after, lambda: keeper.still_admits(who, "status:read") and not has_left(), stop, spoken(), with_events=may("events:read"))
    response = Response(body, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(leave)
    return response
