"""Plates that gave no event: why, and what would help."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from edge.errors import StoreError
from edge.web.api import files
from edge.web.rooms.events import picture
from edge.web.rooms.room import Room
from edge.web.scopes import may, needs
from edge.web.speech import spoken
from edge.web.unread import gallery
from edge.web.unread import picture as picture_of

pages = Blueprint("unread", __name__)
ROOM = Room(
    "unread",
    pages,
    path="/unread",
    scope="events:read",
    group="watch",
    icon="M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M21 21l-5.800-5.800M8.700 8.700a2 2 0 1 1 2.600 2.100c-.5.200-.8.600-.8 1.100M10.500 14h.01",
    thumb=20,
)
ON_PAGE = 24
LONGEST = 40


@pages.get("/unread")
@needs("events:read")
def page() -> ResponseReturnValue:
    reason, before = (request.args.get(key, "")[:LONGEST] for key in ("reason", "before"))
    problem, code = "", 200
    found: dict[str, Any] = {"reasons": [], "pictures": [], "next": None}
    try:
        found = gallery(files(), spoken(), reason, before, ON_PAGE)
    except StoreError as error:
        problem, code = str(error), 503
    aid = current_app.extensions["rooms"].get("setup")
    setup = aid.path if aid is not None and may(aid.scope) else ""
    return render_template("unread.html", setup=setup, problem=problem, reason=reason, before=before, keeps=files().config.unread.keep, **found), code


@pages.get("/crops/unread/<name>.jpg")
@needs("events:read")
def crop(name: str) -> ResponseReturnValue:
    return picture(lambda: picture_of(files(), name))
