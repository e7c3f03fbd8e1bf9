"""Pointing the camera: what the reader needs of a plate and what it gets, where plates count, and what the camera is set to."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from edge.config import Config
from edge.errors import ConfigError
from edge.web.api.given import files, settings_file
from edge.web.api.setup import profile, runtime, shutter
from edge.web.api.setup_models import ShutterQuery
from edge.web.rooms.room import Room
from edge.web.scopes import may, needs
from edge.web.setup.needs import NEEDS, aided
from edge.web.setup.optics import Shot
from edge.web.snapshot import snapshot
from edge.web.speech import spoken

pages = Blueprint("setup", __name__)
ROOM = Room("setup", pages, path="/setup-aid", scope="setup:read", group="device", icon="M12 3v4M12 17v4M3 12h4M17 12h4M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8")
LENSES = ((66, "Camera Module 3"), (102, "Camera Module 3 Wide"), (55, "HQ 6 mm"), (22, "HQ 16 mm"))
"""Horizontal angles of view, degrees, of what is usual on a Raspberry Pi."""


@pages.get("/setup-aid")
@needs("setup:read")
def page() -> ResponseReturnValue:
    from edge.web.setup.keeping import told  # with the parsers of the config file

    files().watch()
    now = snapshot(files(), spoken())
    config, etag, problem = files().config, "", ""
    try:
        config, etag = _opened()
    except ConfigError as error:
        problem = str(error)
    shot = _shot(((now["daemon"] or {}).get("camera") or {}).get("width") or 1920)
    return render_template(
        "setup.html",
        now=now,
        aid=aided(now["daemon"] if now["alive"] else None, spoken()),
        needs=NEEDS,
        setup=told(config) | {"etag": etag, "profile": profile()},
        problem=problem,
        shot=shot,
        found=shutter(shot),
        lenses=LENSES,
        writes=bool(etag) and may("setup:write"),
    )


@pages.get("/setup-aid/still.jpg")
@needs("setup:read")
def still() -> ResponseReturnValue:
    """The last one that was asked for."""
    try:
        jpeg = (runtime() / "still.jpg").read_bytes()
    except OSError:
        abort(404)
    return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "no-store"})


def _opened() -> tuple[Config, str]:
    """The config as its file has it; the page's own, and no mark, where there is no such file."""
    from werkzeug.exceptions import HTTPException

    try:
        opened = settings_file().open()
    except HTTPException:
        return files().config, ""
    if opened.config is None:
        raise ConfigError(opened.problems[0].sentence)
    return opened.config, opened.etag


def _shot(frame_px: int) -> Shot:
    """As the form without script sends it; what is nonsense counts as not said."""
    given = {name: value for name, value in request.args.items() if name in ShutterQuery.model_fields and value}
    try:
        return Shot(**ShutterQuery.model_validate({"frame_px": frame_px} | given).model_dump())
    except ValidationError:
        return Shot(frame_px=frame_px)
