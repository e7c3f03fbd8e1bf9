"""The state of the device, once or as it changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

from flask import Response, current_app, request
from werkzeug.exceptions import ServiceUnavailable

from edge.web.api.declare import endpoint
from edge.web.api.given import files
from edge.web.api.models import StatusAnswer, StatusQuery, StreamQuery
from edge.web.door import door
from edge.web.scopes import caller
from edge.web.snapshot import snapshot
from edge.web.speech import spoken
from edge.web.stream import LISTEN, Listener, Places, messages

RETRY_S = 30


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
    who, keeper = caller(), door()
    leave = cast(Places, current_app.extensions["places"]).take()
    if leave is None:
        raise ServiceUnavailable("All live streams are taken; ask /api/status instead.", retry_after=RETRY_S)
    after, listen = request.headers.get("Last-Event-ID") or request.args.get("after"), request.environ.get("asgi.scope", {}).get(LISTEN)
    listener = Listener(after, lambda: keeper.still_admits(who, "status:read"), spoken(), lambda: keeper.still_admits(who, "events:read"), leave)
    body: Iterator[bytes] = iter(())
    if listen is not None:
        listen(listener)  # the server tells all listeners what it has put together once
    else:
        body = messages(files(), listener, cast(threading.Event, current_app.extensions["stop"]))
    response = Response(body, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    if listen is None:
        response.call_on_close(leave)
    return response
