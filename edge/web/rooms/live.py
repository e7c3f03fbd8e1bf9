"""What the device sees and does just now."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from edge import status
from edge.errors import StoreError
from edge.records import Event
from edge.web.api.given import errand, files
from edge.web.rooms.room import Room
from edge.web.scopes import may, needs
from edge.web.snapshot import snapshot
from edge.web.speech import spoken

pages = Blueprint("live", __name__)
ROOM = Room(
    "live",
    pages,
    path="/",
    scope="status:read",
    group="watch",
    icon="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3M7 12h10M7 9.5v5M17 9.5v5",
    thumb=1,
)
MOST = 10


@pages.get("/")
@needs("status:read")
def page() -> ResponseReturnValue:
    files().watch()  # the picture is then ready by the time the script asks for it
    now, events = snapshot(files(), spoken()), list[Event]()
    if now["store"]["readable"] and may("events:read"):
        try:
            events = files().store().events(MOST)
        except StoreError as problem:
            now["store"] = {"readable": False, "problem": str(problem)}
    return render_template("live.html", now=now, events=events, keep=MOST)


@pages.get("/live.jpg")
@needs("status:read")
def picture() -> ResponseReturnValue:
    """With what belongs to it in a header (`edge.web.api.live`). Asking for it is watching. Browsers show the placeholder that comes with the 503."""
    files().watch()
    made_at, jpeg = files().picture_at(), files().picture()
    if jpeg is None or made_at is None:
        return Response(render_template("placeholder.svg"), 503, mimetype="image/svg+xml", headers={"Retry-After": "1"})
    response = Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "no-cache, private"})
    response.headers["X-Figures"] = "".join(chr(byte) for byte in status.figures_of(jpeg) if 32 <= byte < 127)
    response.set_etag(f"{made_at:.6f}")
    return response.make_conditional(request)


@pages.post("/detect")
@needs("detect:write")
def detect() -> ResponseReturnValue:
    """The switch, where there is no script."""
    errand("detect", {"on": request.form.get("on") == "1"})
    return redirect("/", 303)
